r"""NIQE and BRISQUE, fitted here: scores from natural scene statistics.

NIQE (Mittal, Soundararajan and Bovik, IEEE SPL 2013) measures how far an image's features are from those of undamaged
images, with no example of damage; BRISQUE (IEEE TIP 2012) regresses quality from the features. Both are fitted on the data
set at hand, since the released models are for photographs of hundreds of pixels. NIQE cuts images into patches of 96 pixels;
the model is of the sharp ones, those whose mean local deviation is over three quarters of their image's largest, and a scored image
brings mean and covariance of all of its own. Known departure: an image of less than two such patches a
side is one patch; there is then none to choose, and no covariance of the image's own, so the undamaged images' stands alone.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8
from numpy.typing import ArrayLike, NDArray
from safetensors.numpy import load_file, save_file
from sklearn.svm import SVR
from torch import Tensor

from giqa_lib.checks import InputError, check_same_length, check_scores, error_line
from giqa_lib.iqa.natural_statistics import (
    FEATURES,
    patch_statistics,
    scene_statistics,
    sharpness,
)

__all__ = ["BRISQUE", "NIQE", "fit_brisque", "fit_niqe"]

Array = NDArray[np.float64]
PATCH = 96  # pixels, Section II of the paper
SHARP_SHARE = 0.75  # of the sharpest patch's, Section II


@dataclass(frozen=True, kw_only=True)
class NIQE:
    r"""Images uint8 (n, c, h, w) to minus their distance from undamaged ones, (n,), at most 0, higher is better.

    .. math:: -\sqrt{(\nu - \mu)^\top \left(\frac{\Sigma + \Sigma'}{2}\right)^{-1} (\nu - \mu)}

    with mean :math:`\nu` and covariance :math:`\Sigma'` of the image's patches of ``patch`` pixels a side (Eq. 10); where
    ``patch`` is 0 the image is one patch and :math:`\Sigma` takes the place of the middle.
    """

    mean: Array
    covariance: Array
    patch: int = 0

    def __call__(self, images: UInt8[Tensor, "n c h w"]) -> Array:
        """One score an image."""
        if not self.patch:
            return self.from_features(scene_statistics(images))
        return np.array([self.from_patches(own) for own in patch_statistics(images, self.patch)])

    def from_features(self, features: Array) -> Array:
        """Scores of features (n, 36) of whole images."""
        away = features - self.mean
        precision = np.linalg.pinv(self.covariance, hermitian=True)
        return -np.sqrt(np.einsum("nd,de,ne->n", away, precision, away).clip(min=0))

    def from_patches(self, features: Array) -> float:
        """The score of one image with features (k, 36) of its patches, two or more."""
        away = features.mean(0) - self.mean
        precision = np.linalg.pinv((self.covariance + np.cov(features.T)) / 2, hermitian=True)
        return -float(np.sqrt(max(away @ precision @ away, 0.0)))

    def describe(self) -> dict[str, Any]:
        """What an output must name. JSON."""
        return {
            "score": "NIQE",
            "features": "natural scene statistics",
            "patch": self.patch,
            "trained": "giqa_lib",
        }

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write it as safetensors and JSON; returns the folder."""
        arrays = {"mean": self.mean, "covariance": self.covariance}
        return _write(folder, "NIQE", arrays, {"patch": self.patch})

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> "NIQE":
        """What ``save`` wrote."""
        arrays, numbers = _read(folder, "NIQE")
        patch = int(numbers["patch"])
        return cls(mean=arrays["mean"], covariance=arrays["covariance"], patch=patch)


def fit_niqe(images: UInt8[Tensor, "n c h w"], *, patch: int = PATCH) -> NIQE:
    """NIQE of undamaged images; at least 36 patches are needed, a few hundred make sense.

    Images of two patches a side or more are cut into patches of ``patch`` pixels, of which the sharp ones count; smaller
    ones are a patch each.

    >>> import torch
    >>> random = torch.Generator().manual_seed(0)
    >>> images = torch.randint(0, 255, (50, 1, 16, 16), dtype=torch.uint8, generator=random)
    >>> bool((fit_niqe(images)(images) <= 0).all())
    True
    """
    cut = patch if min(images.shape[2:]) >= 2 * patch else 0
    features = _sharp_patches(images, patch) if cut else scene_statistics(images)
    if len(features) < FEATURES:
        hint = "a covariance of 36 features needs more images"
        got = str(len(features))
        what = "sharp patches" if cut else "images"
        raise InputError(error_line(what, expected=">= 36", got=got, hint=hint))
    return NIQE(mean=features.mean(0), covariance=np.cov(features.T), patch=cut)


def _sharp_patches(images: Tensor, patch: int) -> Array:
    """Features (m, 36) of the patches that are nearly as sharp as their image's sharpest."""
    sharp = sharpness(images, patch)
    chosen = sharp > SHARP_SHARE * sharp.max(1, keepdims=True)
    return patch_statistics(images, patch)[chosen]


@dataclass(frozen=True, kw_only=True)
class BRISQUE:
    r"""Images uint8 (n, c, h, w) to quality (n,), higher is better: support vector regression on standardised features.

    .. math:: q(f) = b + \sum_i c_i \exp(-\gamma \lVert z(f) - s_i \rVert^2)
    """

    centre: Array
    scale: Array
    support: Array
    coefficients: Array
    intercept: float
    gamma: float

    def __call__(self, images: UInt8[Tensor, "n c h w"]) -> Array:
        """One score an image."""
        return self.from_features(scene_statistics(images))

    def from_features(self, features: Array) -> Array:
        """Scores of features (n, 36), each row by itself so that a score has no company."""
        return np.array([self._one(row) for row in (features - self.centre) / self.scale])

    def _one(self, row: Array) -> float:
        distance = ((self.support - row) ** 2).sum(1)
        return float(np.exp(-self.gamma * distance) @ self.coefficients + self.intercept)

    def describe(self) -> dict[str, Any]:
        """What an output must name. JSON."""
        return {"score": "BRISQUE", "features": "natural scene statistics", "trained": "giqa_lib"}

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write it as safetensors and JSON; returns the folder."""
        arrays = {
            "centre": self.centre,
            "scale": self.scale,
            "support": self.support,
            "coefficients": self.coefficients,
        }
        return _write(folder, "BRISQUE", arrays, {"intercept": self.intercept, "gamma": self.gamma})

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> "BRISQUE":
        """What ``save`` wrote."""
        arrays, numbers = _read(folder, "BRISQUE")
        return cls(
            centre=arrays["centre"],
            scale=arrays["scale"],
            support=arrays["support"],
            coefficients=arrays["coefficients"],
            intercept=numbers["intercept"],
            gamma=numbers["gamma"],
        )


def fit_brisque(images: UInt8[Tensor, "n c h w"], quality: ArrayLike) -> BRISQUE:
    """BRISQUE of images with known quality (n,): opinions, or 1 minus levels of degradation.

    Raises ``InputError`` unless there is one finite quality an image.

    >>> import torch
    >>> random = torch.Generator().manual_seed(0)
    >>> images = torch.randint(0, 255, (20, 1, 16, 16), dtype=torch.uint8, generator=random)
    >>> fit_brisque(images, np.linspace(0, 1, 20))(images).shape
    (20,)
    """
    wanted = check_scores(quality, name="quality")
    check_same_length(images=images, quality=wanted)
    features = scene_statistics(images)
    centre, spread = features.mean(0), features.std(0)
    scale = np.where(spread > 0, spread, 1.0)
    fitted = SVR(kernel="rbf", gamma=1 / FEATURES, C=1.0, epsilon=0.05)
    fitted.fit((features - centre) / scale, wanted)
    return BRISQUE(
        centre=centre,
        scale=scale,
        support=np.ascontiguousarray(fitted.support_vectors_),
        coefficients=np.ascontiguousarray(fitted.dual_coef_[0]),
        intercept=float(fitted.intercept_[0]),
        gamma=1 / FEATURES,
    )


def _write(
    folder: str | os.PathLike[str], kind: str, arrays: dict[str, Array], numbers: dict[str, float]
) -> Path:
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    save_file(arrays, folder / "score.safetensors")
    (folder / "score.json").write_text(json.dumps({"kind": kind, "numbers": numbers}) + "\n")
    return folder


def _read(folder: str | os.PathLike[str], kind: str) -> tuple[dict[str, Array], dict[str, float]]:
    path = Path(folder) / "score.json"
    found = json.loads(path.read_text()) if path.is_file() else {}
    if found.get("kind") != kind:
        hint = "give the folder that save() wrote"
        got = found.get("kind", f"no {path}")
        raise InputError(error_line("folder", expected=f"a saved {kind}", got=got, hint=hint))
    return load_file(Path(folder) / "score.safetensors"), found["numbers"]
