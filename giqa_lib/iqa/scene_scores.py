r"""NIQE and BRISQUE, fitted here: scores from natural scene statistics.

NIQE (Mittal, Soundararajan and Bovik, IEEE SPL 2013) measures how far an image's features are from those of undamaged
images, with no example of damage; BRISQUE (IEEE TIP 2012) regresses quality from the features. Both are fitted on the data
set at hand, since the released models are for photographs of hundreds of pixels. Known departures: NIQE takes an image of
small size as one patch, without the choice of sharp patches, and with one patch there is no covariance of
the image's own, so the undamaged images' stands alone.
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
from giqa_lib.iqa.natural_statistics import FEATURES, scene_statistics

__all__ = ["BRISQUE", "NIQE", "fit_brisque", "fit_niqe"]

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class NIQE:
    r"""Images uint8 (n, c, h, w) to :math:`-\sqrt{(f - \mu)^\top \Sigma^{-1} (f - \mu)}`, (n,), at most 0, higher is better."""

    mean: Array
    precision: Array

    def __call__(self, images: UInt8[Tensor, "n c h w"]) -> Array:
        """One score an image."""
        return self.from_features(scene_statistics(images))

    def from_features(self, features: Array) -> Array:
        """Scores of features (n, 36)."""
        away = features - self.mean
        return -np.sqrt(np.einsum("nd,de,ne->n", away, self.precision, away).clip(min=0))

    def describe(self) -> dict[str, Any]:
        """What an output must name. JSON."""
        return {"score": "NIQE", "features": "natural scene statistics", "trained": "giqa_lib"}

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write it as safetensors; returns the folder."""
        return _write(folder, "NIQE", {"mean": self.mean, "precision": self.precision}, {})

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> "NIQE":
        """What ``save`` wrote."""
        arrays, _ = _read(folder, "NIQE")
        return cls(mean=arrays["mean"], precision=arrays["precision"])


def fit_niqe(images: UInt8[Tensor, "n c h w"]) -> NIQE:
    """NIQE of undamaged images; at least 36 are needed, a few hundred make sense.

    >>> import torch
    >>> random = torch.Generator().manual_seed(0)
    >>> images = torch.randint(0, 255, (50, 1, 16, 16), dtype=torch.uint8, generator=random)
    >>> bool((fit_niqe(images)(images) <= 0).all())
    True
    """
    if len(images) < FEATURES:
        hint = "a covariance of 36 features needs more images"
        got = str(len(images))
        raise InputError(error_line("images", expected=">= 36", got=got, hint=hint))
    features = scene_statistics(images)
    covariance = np.cov(features.T)
    precision = np.asarray(np.linalg.pinv(covariance, hermitian=True), dtype=np.float64)
    return NIQE(mean=features.mean(0), precision=precision)


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
