"""Where EM starts: what the user gives of weights, means, precisions and labels.

As in scikit-learn, what is not given comes from the M step of a k-means clustering; with all
three parameters given no clustering is made.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from giqa_lib.checks import InputError, error_line
from giqa_lib.scores.covariance import precision_cholesky_from_precisions
from giqa_lib.scores.expectation_maximisation import Parameters

__all__ = ["Given", "random_state_of"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Given:
    """Checked starting values; None where k-means is to decide."""

    weights: Tensor | None
    means: Tensor | None
    factor: Tensor | None
    covariances: Tensor | None
    labels: Tensor | None

    @classmethod
    def checked(
        cls,
        *,
        weights: ArrayLike | None,
        means: ArrayLike | None,
        precisions: ArrayLike | None,
        labels: ArrayLike | None,
        count: int,
        points: Tensor,
        covariance_type: str,
    ) -> "Given":
        """The values as float64 tensors on the points' device.

        Raises ``InputError`` on a wrong shape, weights that are no probabilities, precisions
        that are not positive definite or labels outside 0..count - 1.
        """
        device, width = points.device, points.shape[1]
        shapes = {"full": (count, width, width), "tied": (width, width), "diag": (count, width)}
        shape = shapes.get(covariance_type, (count,))
        matrices = _array(precisions, shape, "precisions_init", device)
        factor = covariances = None
        if matrices is not None:
            factor = precision_cholesky_from_precisions(matrices, covariance_type)
            square = covariance_type in ("full", "tied")
            covariances = _inverse(factor) if square else matrices.reciprocal()
        return cls(
            weights=_check_weights(_array(weights, (count,), "weights_init", device)),
            means=_array(means, (count, width), "means_init", device),
            factor=factor,
            covariances=covariances,
            labels=_check_labels(labels, len(points), count),
        )

    @property
    def complete(self) -> Parameters | None:
        """The start, if nothing is left to decide; its counts are unknown (NaN)."""
        weights, means, factor = self.weights, self.means, self.factor
        if weights is None or means is None or factor is None or self.covariances is None:
            return None
        return Parameters(
            weights=weights,
            means=means,
            covariances=self.covariances,
            factor=factor,
            counts=torch.full_like(weights, torch.nan),
        )

    @property
    def fixed(self) -> bool:
        """Whether every start would be the same, so that one is enough."""
        return self.labels is not None or self.complete is not None

    def override(self, start: Parameters) -> Parameters:
        """``start`` with what is given in place of its own."""
        if self.weights is not None:
            start = replace(start, weights=self.weights)
        if self.means is not None:
            start = replace(start, means=self.means)
        if self.factor is not None and self.covariances is not None:
            start = replace(start, factor=self.factor, covariances=self.covariances)
        return start


def random_state_of(
    random_state: int | np.integer | np.random.Generator | np.random.RandomState | None,
) -> np.random.RandomState:
    """A RandomState, which k-means wants, that is never NumPy's global one.

    >>> random_state_of(0).randint(10) == random_state_of(0).randint(10)
    True
    """
    if isinstance(random_state, np.random.RandomState):
        return random_state
    if isinstance(random_state, np.random.Generator):
        return np.random.RandomState(random_state.integers(2**32, dtype=np.uint32))
    if random_state is None:
        return np.random.RandomState(np.random.default_rng().integers(2**32, dtype=np.uint32))
    return np.random.RandomState(random_state)


def _array(
    value: ArrayLike | None, shape: tuple[int, ...], name: str, device: torch.device
) -> Tensor | None:
    if value is None:
        return None
    array = np.array(value, dtype=np.float64)
    if array.shape != shape or not np.isfinite(array).all():
        hint = "give finite values, one entry a component"
        got = f"shape {array.shape}" + ("" if np.isfinite(array).all() else " with NaN or infinity")
        raise InputError(error_line(name, expected=f"shape {shape}", got=got, hint=hint))
    return torch.from_numpy(array).to(device)


def _inverse(factor: Tensor) -> Tensor:
    """Inverse of :math:`U U^T` from U. A general inverse needs pivots, and MKL's batched ones failed beside scikit-learn's."""
    identity = torch.eye(factor.shape[-1], dtype=factor.dtype, device=factor.device)
    inverse = torch.linalg.solve_triangular(factor, identity.expand_as(factor), upper=True)
    return inverse.mT @ inverse


def _check_weights(weights: Tensor | None) -> Tensor | None:
    if weights is None or (bool((weights >= 0).all()) and abs(float(weights.sum()) - 1) < 1e-6):
        return weights
    got = f"values in [{float(weights.min()):.4g}, {float(weights.max()):.4g}]"
    got += f" with sum {float(weights.sum()):.6g}"
    expected, hint = "probabilities with sum 1", "divide them by their sum"
    raise InputError(error_line("weights_init", expected=expected, got=got, hint=hint))


def _check_labels(values: ArrayLike | None, rows: int, count: int) -> Tensor | None:
    if values is None:
        return None
    labels = np.asarray(values)
    whole = labels.shape == (rows,) and np.issubdtype(labels.dtype, np.integer)
    if whole and labels.min() >= 0 and labels.max() < count:
        return torch.from_numpy(labels.astype(np.int64))
    got = f"shape {labels.shape} of {labels.dtype}"
    if whole:
        got += f" in {labels.min()}..{labels.max()}"
    hint = "give the labels_ of a KMeans fitted on the same rows"
    expected = f"{rows} integers in 0..{count - 1}"
    raise InputError(error_line("labels_init", expected=expected, got=got, hint=hint))
