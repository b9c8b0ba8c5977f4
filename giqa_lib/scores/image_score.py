"""The score of an image: extractor, transform, density and calibration as one callable.

Picker, QS/DS, hard mining and ScoreGAN ask for no more than ``images -> (n,)``. What the
numbers mean (feature space, density, rule) is in :meth:`ImageScore.describe`, which every
output carries: scores of two rules are not comparable.
"""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from giqa_lib.checks import InputError, check_choice, check_images, check_positive, error_line
from giqa_lib.features import PCA
from giqa_lib.learning import in_batches
from giqa_lib.scores.blocks import row_blocks
from giqa_lib.scores.calibration import RankCalibration, WithinModeCalibration
from giqa_lib.scores.density import Density, load_score
from giqa_lib.scores.mixture import GaussianMixture

__all__ = ["ImageScore", "Scores", "fit_image_score"]

MODE_SOURCES = ("class", "component")
Calibration = RankCalibration | WithinModeCalibration


@runtime_checkable
class NamedExtractor(Protocol):
    """Anything that turns uint8 images (n, c, h, w) into features (n, d), with a name."""

    @property
    def name(self) -> str:
        """Feature space: network, layer and input size."""

    def __call__(self, images: Tensor) -> Any:
        """Features (n, d), a tensor or an array."""


@runtime_checkable
class Transformer(Protocol):
    """A fitted scikit-learn transformer, such as :class:`giqa_lib.features.PCA`."""

    def transform(self, X: Any) -> Any:
        """Features (n, d) to (n, d')."""


@dataclass(frozen=True, kw_only=True)
class Scores:
    """Scores (n,) of the same images on two scales.

    ``raw`` is the density's own; ``calibrated`` in [0, 1] and its ``standard_error`` from the
    finite held-out set are None without a calibration.

    >>> Scores(raw=np.zeros(2)).calibrated is None
    True
    """

    raw: NDArray[np.float64]
    calibrated: NDArray[np.float64] | None = None
    standard_error: NDArray[np.float64] | None = None


@dataclass(frozen=True, kw_only=True)
class ImageScore:
    """Images (n, c, h, w) uint8 to scores (n,) float64, higher is better.

    ``calibration`` maps to [0, 1]; with a :class:`WithinModeCalibration`, ``modes`` says where
    an image's mode comes from: "class" is ``extractor.predict``, "component" the density's
    ``predict``. Images go through the extractor in batches of exactly ``batch_size``, the last
    one padded with black, so that a score does not depend on the batch; lower it where images
    come singly.

    >>> import torch
    >>> class Mean:
    ...     name = "mean grey"
    ...     def __call__(self, images):
    ...         return images.double().mean((1, 2, 3))[:, None]
    >>> images = torch.arange(4, dtype=torch.uint8)[:, None, None, None].expand(4, 1, 2, 2)
    >>> from giqa_lib.scores import SingleGaussian
    >>> density = SingleGaussian().fit(Mean()(images))
    >>> ImageScore(extractor=Mean(), density=density)(images).round(2)
    array([-1.93, -1.13, -1.13, -1.93])
    """

    extractor: NamedExtractor
    density: Density
    transform: Transformer | None = None
    calibration: Calibration | None = None
    modes: str | None = None
    batch_size: int = 64

    def __post_init__(self) -> None:
        check_positive(self.batch_size, name="batch_size")
        within = isinstance(self.calibration, WithinModeCalibration)
        if within != (self.modes is not None):
            expected = "modes and a WithinModeCalibration together, or neither"
            got = f"modes={self.modes!r} with {type(self.calibration).__name__}"
            hint = 'set modes="class" or "component", or use RankCalibration'
            raise InputError(error_line("modes", expected=expected, got=got, hint=hint))
        if self.modes is None:
            return
        check_choice(self.modes, MODE_SOURCES, name="modes")
        owner = self.extractor if self.modes == "class" else self.density
        if not hasattr(owner, "predict"):
            got = f"{type(owner).__name__} without predict"
            hint = "use a ClassifierExtractor or a GaussianMixture"
            raise InputError(
                error_line("modes", expected=f"a source of {self.modes}", got=got, hint=hint)
            )

    def __call__(self, images: Tensor) -> NDArray[np.float64]:
        """One score an image."""
        features, classes = self._embed(check_images(images))
        return self.from_features(features, classes=classes)

    def from_features(
        self, features: ArrayLike, *, classes: ArrayLike | None = None
    ) -> NDArray[np.float64]:
        """Scores of features as the extractor gives them (n, d); ``transform`` is applied.

        ``classes`` (n,) are the predicted classes, needed where ``modes="class"``.
        """
        found = self.scores_from_features(features, classes=classes)
        return found.raw if found.calibrated is None else found.calibrated

    def scores_from_features(
        self, features: ArrayLike, *, classes: ArrayLike | None = None
    ) -> "Scores":
        """Raw and calibrated scores of features (n, d), with the calibrated ones' errors."""
        reduced = _reduced(features, self.transform, self.batch_size)
        raw = self.density.score_samples(reduced)
        if self.calibration is None:
            return Scores(raw=raw)
        if isinstance(self.calibration, RankCalibration):
            calibrated = self.calibration.transform(raw)
            errors = self.calibration.standard_error(calibrated)
        else:
            labels = _modes(self.modes, self.density, reduced, classes)
            calibrated = self.calibration.transform(raw, labels)
            errors = self.calibration.standard_error(calibrated, labels)
        return Scores(raw=raw, calibrated=calibrated, standard_error=errors)

    @property
    def rule(self) -> str:
        """What a number of this score is, in words."""
        raw = "Eq. 8 inverse distance" if hasattr(self.density, "n_neighbors") else "log density"
        if self.calibration is None:
            return raw
        if self.modes is None:
            return f"calibrated rank of {raw}"
        return f"calibrated rank of {raw} within mode by {self.modes}"

    def describe(self) -> dict[str, Any]:
        """Feature space, density with its settings, rule: what an output must name. JSON."""
        settings = {
            name: value if isinstance(value, str | int | float | bool | None) else str(value)
            for name, value in self.density.get_params(deep=False).items()
            if not name.endswith("_init")
        }
        described: dict[str, Any] = {
            "features": self.extractor.name,
            "transform": None if self.transform is None else repr(self.transform),
            "dimensions": int(self.density.n_features_in_),
            "density": type(self.density).__name__,
            "settings": settings,
            "rule": self.rule,
        }
        if self.calibration is not None:
            described["held_out_images"] = len(self.calibration.held_out_)
        return described

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write density, PCA and calibration; the extractor only by name, to be given again."""
        folder = Path(folder)
        if self.transform is not None and not isinstance(self.transform, PCA):
            got, hint = type(self.transform).__name__, "save the parts yourself"
            raise InputError(
                error_line("transform", expected="a giqa_lib PCA or None", got=got, hint=hint)
            )
        self.density.save(folder / "density")
        if self.transform is not None:
            self.transform.save(folder / "transform")
        if self.calibration is not None:
            self.calibration.save(folder / "calibration")
        state = {
            "extractor": self.extractor.name,
            "transform": self.transform is not None,
            "calibration": None if self.calibration is None else type(self.calibration).__name__,
            "modes": self.modes,
            "batch_size": self.batch_size,
            "describe": self.describe(),
        }
        (folder / "image_score.json").write_text(json.dumps(state, indent=1) + "\n")
        return folder

    @classmethod
    def load(
        cls,
        folder: str | os.PathLike[str],
        *,
        extractor: NamedExtractor,
        device: str | None = None,
    ) -> "ImageScore":
        """What ``save`` wrote, with the extractor of the same name."""
        folder = Path(folder)
        state = json.loads((folder / "image_score.json").read_text())
        if state["extractor"] != extractor.name:
            expected, got = repr(state["extractor"]), repr(extractor.name)
            hint = "the density was fitted in the other feature space"
            raise InputError(error_line("extractor", expected=expected, got=got, hint=hint))
        kinds: dict[str, type[Calibration]] = {
            "RankCalibration": RankCalibration,
            "WithinModeCalibration": WithinModeCalibration,
        }
        kind = state["calibration"]
        return cls(
            extractor=extractor,
            density=load_score(folder / "density", device=device),
            transform=PCA.load(folder / "transform") if state["transform"] else None,
            calibration=kinds[kind].load(folder / "calibration") if kind else None,
            modes=state["modes"],
            batch_size=state["batch_size"],
        )

    def _embed(self, images: Tensor) -> tuple[NDArray[np.floating], NDArray[np.int64] | None]:
        features = in_batches(self.extractor, images, self.batch_size)
        if self.modes != "class":
            return features, None
        predict: Callable[[Tensor], Any] = self.extractor.predict  # type: ignore[attr-defined]
        return features, in_batches(predict, images, self.batch_size).astype(np.int64)


def fit_image_score(
    *,
    extractor: NamedExtractor,
    density: Density,
    real_features: ArrayLike,
    held_out_features: ArrayLike | None = None,
    transform: Any = None,
    modes: str | None = None,
    held_out_classes: ArrayLike | None = None,
    minimum: int = 20,
    batch_size: int = 64,
) -> ImageScore:
    """Fit ``transform`` and ``density`` (unfitted) on real features, then calibrate.

    ``held_out_features`` are real images in neither fit: with them the score is calibrated,
    over all of them or, with ``modes``, within each mode of at least ``minimum`` of them.
    ``held_out_classes`` (m,) are their predicted classes for ``modes="class"``. ``density`` and
    ``transform`` are fitted in place.

    >>> import numpy as np
    >>> from giqa_lib.scores import KNearestNeighbours
    >>> class Pixels:
    ...     name = "pixels"
    ...     def __call__(self, images):
    ...         return images.flatten(1).double()
    >>> real = np.random.default_rng(0).normal(size=(40, 4))
    >>> score = fit_image_score(extractor=Pixels(), density=KNearestNeighbours(3),
    ...                         real_features=real[:20], held_out_features=real[20:])
    >>> score.rule
    'calibrated rank of Eq. 8 inverse distance'
    """
    reduced = np.asarray(real_features)
    if transform is not None:
        reduced = transform.fit(reduced).transform(reduced)
    density.fit(reduced)
    calibration: Calibration | None = None
    if held_out_features is not None:
        held_out = _reduced(held_out_features, transform, batch_size)
        scores = density.score_samples(held_out)
        if modes is None:
            calibration = RankCalibration().fit(scores)
        else:
            check_choice(modes, MODE_SOURCES, name="modes")
            labels = _modes(modes, density, held_out, held_out_classes)
            calibration = WithinModeCalibration(minimum=minimum).fit(scores, labels)
    return ImageScore(
        extractor=extractor,
        density=density,
        transform=transform,
        calibration=calibration,
        modes=modes,
        batch_size=batch_size,
    )


def _modes(
    source: str | None, density: Density, reduced: ArrayLike, classes: ArrayLike | None
) -> NDArray[np.int64]:
    if source == "component":
        if isinstance(density, GaussianMixture):
            return density.predict(reduced)
        got, hint = type(density).__name__, 'use modes="class"'
        raise InputError(error_line("density", expected="a GaussianMixture", got=got, hint=hint))
    if classes is None:
        hint = "give extractor.predict(images)"
        raise InputError(
            error_line("classes", expected="one predicted class an image", got="None", hint=hint)
        )
    return np.asarray(classes)


def _reduced(features: ArrayLike, transform: Transformer | None, size: int) -> NDArray[Any]:
    """``transform`` in blocks of exactly ``size`` rows: a product's rounding has one shape."""
    if isinstance(features, Tensor):
        features = features.detach().cpu().numpy()
    array = np.asarray(features)
    if transform is None:
        return array
    parts = []
    for piece in row_blocks(len(array), size):
        block = np.zeros((size, array.shape[1]), dtype=array.dtype)
        block[: piece.stop - piece.start] = array[piece]
        parts.append(np.asarray(transform.transform(block))[: piece.stop - piece.start])
    return np.concatenate(parts)
