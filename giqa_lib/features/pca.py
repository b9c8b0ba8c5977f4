"""PCA to a share of variance with a cap, saved without pickles.

GIQA keeps 95 % of the variance (Gu et al., ECCV 2020, section 4.1). The share alone can keep
more dimensions than a mixture of Gaussians with full covariances can stand (466 to 500 of
EfficientNet-Lite0's 1280 on Fashion-MNIST, where 70 components then overfit beyond use), so
the number can be capped. The decomposition is scikit-learn's, in float64.
"""

import json
import os
from pathlib import Path
from typing import Any, no_type_check

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save
from sklearn import decomposition
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from giqa_lib.checks import InputError, check_positive, check_probability, error_line

__all__ = ["PCA"]

_ARRAYS = ("mean_", "scale_", "components_", "explained_variance_", "explained_variance_ratio_")


class PCA(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    r"""Principal components of features (n, d), as many as hold a share of the variance.

    .. math:: z = \Lambda^{-1/2}\, V^\top \frac{x - \mu}{s},

    with s = 1 unless ``standardise`` and Lambda = 1 unless ``whiten``; variances divide by n - 1.
    The smallest number of components is kept whose variances add up to at least ``variance``.
    The sign of a component is fixed: its entry of largest magnitude is positive.

    Parameters
    ----------
    variance : share of the variance to keep, in (0, 1]; 0.95 is GIQA's. 1 keeps every
        component.
    components : keep exactly so many instead; ``variance`` is then not used.
    max_components : never more than this, whatever the share.
    standardise : divide each feature by its standard deviation first (a constant one by 1).
    whiten : scale the kept components to unit variance.

    Attributes
    ----------
    n_components_, components_ (k, d), mean_ (d,), scale_ (d,), explained_variance_ (k,),
    explained_variance_ratio_ (k,) : as in scikit-learn; scale_ is s.

    >>> x = np.random.default_rng(0).normal(size=(50, 3)) * [3, 1, 0.01]
    >>> PCA(variance=0.95).fit_transform(x).shape
    (50, 2)
    """

    variance: float
    components: int | None
    max_components: int | None
    standardise: bool
    whiten: bool

    @no_type_check  # scikit-learn sets wrong values first and has fit() refuse them
    def __init__(
        self,
        *,
        variance: float = 0.95,
        components: int | None = None,
        max_components: int | None = None,
        standardise: bool = False,
        whiten: bool = False,
    ) -> None:
        self.variance = variance
        self.components = components
        self.max_components = max_components
        self.standardise = standardise
        self.whiten = whiten

    def fit(self, X: Any, y: object = None) -> "PCA":
        """Decompose the features X (n, d), n >= 2."""
        self._check_parameters()
        x: NDArray[np.float64] = validate_data(self, X, dtype=np.float64, ensure_min_samples=2)
        limit = min(x.shape)
        if self.components is not None and self.components > limit:
            hint = "give more images, or fewer components"
            raise InputError(
                error_line(
                    "components",
                    expected=f"<= min(n, d) = {limit}",
                    got=str(self.components),
                    hint=hint,
                )
            )
        spread = x.std(axis=0)
        self.scale_ = np.where(spread > 0, spread, 1.0) if self.standardise else np.ones(x.shape[1])
        # the covariance route needs d x d, no n x d work array; with n < d the SVD is smaller
        solver = "covariance_eigh" if x.shape[0] >= x.shape[1] else "full"
        full = decomposition.PCA(svd_solver=solver).fit(x / self.scale_ if self.standardise else x)
        # eigenvalues below rounding come out as tiny negative numbers
        variances = np.maximum(full.explained_variance_, 0.0)
        total = variances.sum()
        ratios = variances / total if total > 0 else np.zeros_like(variances)
        count = self._count(ratios, limit)
        self.n_components_ = count
        self.mean_ = full.mean_ * self.scale_
        # in the order in which load() has them: a product's rounding depends on it
        self.components_ = np.ascontiguousarray(full.components_[:count])
        self.explained_variance_ = variances[:count]
        self.explained_variance_ratio_ = ratios[:count]
        return self

    def transform(self, X: Any) -> NDArray[np.float64]:
        """Features (n, d) to components (n, n_components_), float64."""
        check_is_fitted(self)
        x: NDArray[np.float64] = validate_data(self, X, dtype=np.float64, reset=False)
        Z: NDArray[np.float64] = (x - self.mean_) / self.scale_ @ self.components_.T
        return Z / self._deviations() if self.whiten else Z

    def inverse_transform(self, X: Any) -> NDArray[np.float64]:
        """Components (n, n_components_) back to features (n, d); the rest is the mean's."""
        check_is_fitted(self)
        Z = np.asarray(X, dtype=np.float64)
        if Z.ndim != 2 or Z.shape[1] != self.n_components_:
            hint = "give what transform() returned"
            raise InputError(
                error_line(
                    "X", expected=f"(n, {self.n_components_})", got=f"shape {Z.shape}", hint=hint
                )
            )
        Z = Z * self._deviations() if self.whiten else Z
        features: NDArray[np.float64] = Z @ self.components_ * self.scale_ + self.mean_
        return features

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write ``pca.safetensors`` and ``pca.json``."""
        check_is_fitted(self)
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        arrays = {n: torch.from_numpy(np.ascontiguousarray(getattr(self, n))) for n in _ARRAYS}
        # save_file's file could be read by its owner alone, whatever the umask
        (folder / "pca.safetensors").write_bytes(save(arrays))
        (folder / "pca.json").write_text(json.dumps(self.get_params(), indent=1) + "\n")

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> "PCA":
        """Read what ``save`` wrote; transforms are bitwise the same."""
        folder = Path(folder)
        pca = cls(**json.loads((folder / "pca.json").read_text()))
        for name, value in load_file(folder / "pca.safetensors").items():
            setattr(pca, name, value.numpy())
        pca.n_components_, pca.n_features_in_ = pca.components_.shape
        return pca

    @property
    def _n_features_out(self) -> int:
        # the name under which scikit-learn's get_feature_names_out looks for it
        return int(self.n_components_)

    def _deviations(self) -> NDArray[np.float64]:
        # a component without variance is constant: it stays 0 instead of becoming 0 / 0
        floor = np.finfo(np.float64).eps * self.explained_variance_.max(initial=0.0)
        variances = self.explained_variance_
        return np.sqrt(np.where(variances > floor, variances, 1.0))

    def _count(self, ratios: NDArray[np.float64], limit: int) -> int:
        if self.components is not None:
            count = self.components
        elif self.variance == 1:
            count = limit
        else:
            held = np.cumsum(ratios)
            count = min(limit, int(np.searchsorted(held, self.variance, side="left")) + 1)
        return count if self.max_components is None else min(count, self.max_components)

    def _check_parameters(self) -> None:
        check_probability(self.variance, name="variance")
        check_positive(self.variance, name="variance")
        for name in ("components", "max_components"):
            value = getattr(self, name)
            if value is not None and (not isinstance(value, int | np.integer) or value < 1):
                hint = "or None"
                raise InputError(
                    error_line(name, expected="a whole number >= 1", got=repr(value), hint=hint)
                )
