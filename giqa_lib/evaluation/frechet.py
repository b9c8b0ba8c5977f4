r"""The Frechet distance between Gaussians fitted to two sets of features (Heusel et al. 2017).

.. math:: d^2 = \lVert \mu_1 - \mu_2 \rVert^2
    + \operatorname{tr} \Sigma_1 + \operatorname{tr} \Sigma_2
    - 2 \operatorname{tr} (\Sigma_1 \Sigma_2)^{1/2}

On Inception-v3's features it is FID; on others, say which. No matrix square root is taken.
With :math:`\Sigma_1 = A^T A`, :math:`\Sigma_2 = B^T B` the last trace is the sum of the
singular values of :math:`A B^T`: with fewer images than features A and B are the centred
features themselves and nothing is lost. With more images it is the sum of the roots of the
eigenvalues of :math:`U \Sigma_2 U^T`, :math:`U^T U = \Sigma_1` by Cholesky, much faster;
where rounding could show (a nearly singular covariance) the singular values are taken again.
Features that are constant in one set add nothing to that trace and are left out of it.

Departures from the usual scripts: never negative or complex, 0 for a set and itself, right
for n < d. As with theirs, the value falls with n (Chong, Forsyth 2020): compare equal n only.
"""

from dataclasses import replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import eigvalsh, lapack
from scipy.special import ndtri

from giqa_lib.checks import InputError, check_features, check_probability, error_line
from giqa_lib.evaluation.estimate import Estimate, bootstrap
from giqa_lib.evaluation.moments import check_moments

__all__ = [
    "FrechetReference",
    "frechet_distance",
    "frechet_distance_from_moments",
    "frechet_estimate",
]

Array = NDArray[np.float64]
# Estimated error of the fast way that is accepted, relative to the sum of the two traces.
_TOLERANCE = 1e-11
# An eigenvalue's error, in units of rounding of the largest one.
_ROUNDINGS = 4.0


def frechet_distance(*, real: ArrayLike, generated: ArrayLike) -> float:
    """Frechet distance between features (n, d) and (m, d), >= 0; n, m >= 2.

    >>> frechet_distance(real=[[0.0], [2.0]], generated=[[3.0], [5.0]])
    9.0
    """
    return FrechetReference(real).distance(generated)


def frechet_distance_from_moments(
    *,
    real_mean: ArrayLike,
    real_covariance: ArrayLike,
    generated_mean: ArrayLike,
    generated_covariance: ArrayLike,
) -> float:
    """Frechet distance between Gaussians with means (d,) and covariances (d, d), >= 0.

    Covariances of fewer images than dimensions have lost digits that features still have:
    prefer :func:`frechet_distance` there. Raises ``InputError`` for a covariance that is not
    symmetric or has an eigenvalue below 0 by more than rounding.

    >>> one, two = [[1.0]], [[4.0]]
    >>> frechet_distance_from_moments(
    ...     real_mean=[0.0], real_covariance=one, generated_mean=[0.0], generated_covariance=two)
    1.0
    """
    reference = FrechetReference.from_moments(mean=real_mean, covariance=real_covariance)
    return reference.distance_from_moments(mean=generated_mean, covariance=generated_covariance)


def frechet_estimate(
    *,
    real: ArrayLike,
    generated: ArrayLike,
    resamples: int = 100,
    random_state: int | np.random.Generator,
    level: float = 0.95,
) -> Estimate:
    """Frechet distance with its bootstrap standard error, the sets drawn independently.

    A resample has fewer different images and so a higher distance: only the spread of the
    resamples is used, and the interval is the normal one around the value, from 0 up.

    >>> rows = np.arange(8.0)[:, None]
    >>> frechet_estimate(real=rows, generated=rows, resamples=9, random_state=0).low
    0.0
    """
    first, second = _check(real, "real"), _check(generated, "generated")
    found = bootstrap(
        lambda one, two: frechet_distance(real=one, generated=two),
        first,
        second,
        resamples=resamples,
        random_state=random_state,
        level=level,
        paired=False,
    )
    return _around(found)


class FrechetReference:
    """The real side, prepared once, for distances to many generated sets.

    Keeps the centred features (n x d float64) and, when first needed, their covariance and
    its Cholesky factor.

    >>> reference = FrechetReference([[0.0], [2.0]])
    >>> reference.distance([[0.0], [2.0]]), reference.distance([[1.0], [3.0]])
    (0.0, 1.0)
    """

    def __init__(self, real: ArrayLike) -> None:
        self._side = _Side.from_features(_check(real, "real"))

    @classmethod
    def from_moments(cls, *, mean: ArrayLike, covariance: ArrayLike) -> "FrechetReference":
        """From a mean (d,) and covariance (d, d), as other tools' files have them."""
        reference = cls.__new__(cls)
        reference._side = _Side.from_moments(*check_moments(mean, covariance, name="real_"))
        return reference

    def distance(self, generated: ArrayLike) -> float:
        """Frechet distance to features (m, d), m >= 2, >= 0."""
        rows = _check(generated, "generated", width=len(self._side.mean))
        return _distance(self._side, _Side.from_features(rows))

    def estimate(self, generated: ArrayLike, *, level: float = 0.95) -> Estimate:
        r"""Distance to features (m, d), m >= 2, with the error that the generated images bring alone.

        By the delta method, for the price of one more distance: an image x of mean
        :math:`\mu_2` moves the distance in proportion to

        .. math:: h(x) = 2 (\mu_2 - \mu_1)^T y + y^T y
            - y^T \Sigma_1^{1/2} (\Sigma_1^{1/2} \Sigma_2 \Sigma_1^{1/2})^{-1/2} \Sigma_1^{1/2} y,
            \qquad y = x - \mu_2,

        and the standard error is that of the mean of h. The interval is the normal one around the value, from
        0 up. Too small where the distance is near 0, whose first derivative vanishes.

        >>> found = FrechetReference([[0.0], [2.0]]).estimate([[8.0], [12.0]])
        >>> found.value, round(found.standard_error, 3)  # d = (9, sqrt 2): 2 * 9 * y + (1 - 1 / 2) y ** 2
        (83.0, 36.0)
        """
        check_probability(level, name="level", open_ends=True)
        rows = _check(generated, "generated", width=len(self._side.mean))
        side = _Side.from_features(rows)
        value = _distance(self._side, side)
        moves = _moves(self._side, side, rows - side.mean)
        error = float(moves.std(ddof=1)) / len(rows) ** 0.5
        reach = -float(ndtri((1.0 - level) / 2.0)) * error
        return Estimate(
            value=value,
            standard_error=error,
            low=max(0.0, value - reach),
            high=value + reach,
            level=level,
            n=len(rows),
        )

    def distance_from_moments(self, *, mean: ArrayLike, covariance: ArrayLike) -> float:
        """Frechet distance to a mean (d,) and covariance (d, d), >= 0."""
        moments = check_moments(mean, covariance, name="generated_")
        if len(moments[0]) != len(self._side.mean):
            expected, got = f"{len(self._side.mean)} features", f"{len(moments[0])}"
            hint = "use the extractor of the real side"
            raise InputError(error_line("generated_mean", expected=expected, got=got, hint=hint))
        return _distance(self._side, _Side.from_moments(*moments))


def _around(found: Estimate) -> Estimate:
    """The normal interval around the value: a resample repeats images, and lies higher."""
    reach = -float(ndtri((1.0 - found.level) / 2.0)) * found.standard_error
    return replace(found, low=max(0.0, found.value - reach), high=found.value + reach)


class _Side:
    """A mean, and a covariance known by centred features, by itself, or by both."""

    def __init__(self, mean: Array, *, rows: Array | None, given: Array | None = None) -> None:
        self.mean = mean
        self._rows = rows
        self._given = given
        self.scarce = rows is not None and len(rows) <= len(mean)

    @classmethod
    def from_features(cls, features: Array) -> "_Side":
        mean = features.mean(axis=0)
        rows = features - mean
        # The rounded mean of equal values need not be that value.
        reach = len(rows) * np.finfo(np.float64).eps * np.abs(mean)
        for column in np.flatnonzero(np.abs(rows[0]) <= reach):
            if (features[:, column] == features[0, column]).all():
                rows[:, column] = 0.0
        return cls(mean, rows=rows)

    @classmethod
    def from_moments(cls, mean: Array, covariance: Array) -> "_Side":
        return cls(mean, rows=None, given=(covariance + covariance.T) / 2.0)

    @cached_property
    def variances(self) -> Array:
        if self._rows is not None:
            return np.einsum("ij,ij->j", self._rows, self._rows) / (len(self._rows) - 1)
        return np.diagonal(self.covariance)

    @cached_property
    def covariance(self) -> Array:
        rows = np.empty((0, len(self.mean))) if self._rows is None else self._rows
        return rows.T @ rows / (len(rows) - 1) if self._given is None else self._given

    @cached_property
    def _cholesky(self) -> tuple[NDArray[np.bool_], Array | None]:
        varied = self.variances > 0
        return varied, _upper_factor(_part(self.covariance, varied))

    def cholesky(self, kept: NDArray[np.bool_]) -> Array | None:
        """Cholesky factor over the features ``kept``, None if singular; cached for those that vary."""
        varied, factor = self._cholesky
        if (kept == varied).all() or factor is None:
            return factor
        return _upper_factor(_part(self.covariance, kept))

    def factor(self, kept: NDArray[np.bool_]) -> Array:
        """F (k, d) with F^T F the covariance of the features ``kept``, k <= all features."""
        return self._factor if kept.all() else self._factor[:, kept]

    @cached_property
    def _factor(self) -> Array:
        if self._rows is not None:
            rows = self._rows / np.sqrt(len(self._rows) - 1)
            return rows if self.scarce else np.asarray(np.linalg.qr(rows, mode="r"))
        values, vectors = np.linalg.eigh(self.covariance)
        if values[0] < -1e-3 * values[-1]:
            got = f"an eigenvalue of {values[0]:.3g} beside {values[-1]:.3g}"
            hint = "use np.cov(features, rowvar=False) in float64"
            expected = "no negative eigenvalue"
            raise InputError(error_line("covariance", expected=expected, got=got, hint=hint))
        return np.asarray((vectors * np.sqrt(values.clip(min=0.0))).T)


def _part(covariance: Array, kept: NDArray[np.bool_]) -> Array:
    return covariance if kept.all() else covariance[np.ix_(kept, kept)]


def _upper_factor(covariance: Array) -> Array | None:
    """U with U^T U = covariance in the upper triangle, None if singular."""
    # LAPACK reads rows as columns: a transposed symmetric matrix is passed without a copy.
    factor, failed = lapack.dpotrf(covariance.T, lower=0, clean=0)
    return None if failed else np.asarray(factor)


def _distance(real: _Side, generated: _Side) -> float:
    difference = real.mean - generated.mean
    traces = float(real.variances.sum() + generated.variances.sum())
    value = float(difference @ difference) + traces - 2.0 * _trace_of_root(real, generated, traces)
    return max(0.0, value)


def _moves(real: _Side, generated: _Side, rows: Array) -> Array:
    """How each of the generated side's centred ``rows`` (m, d) moves the distance, to first order."""
    moves = 2.0 * rows @ (generated.mean - real.mean) + np.einsum("ij,ij->i", rows, rows)
    kept = (real.variances > 0) & (generated.variances > 0)
    if not kept.any():
        return np.asarray(moves)
    factor = real.factor(kept)
    seen = rows[:, kept] @ factor.T
    if len(seen) <= len(factor):
        squares, own = np.linalg.eigh(seen @ seen.T)  # seen = own * roots * (its other side)^T
        weighted = own**2 @ np.sqrt(squares.clip(min=0.0)) * (len(rows) - 1) ** 0.5
        return np.asarray(moves - weighted)
    values, vectors = np.linalg.eigh(seen.T @ seen / (len(rows) - 1))
    # Where the generated images do not vary nothing is drawn, and rounding is no variance.
    varied = values > _ROUNDINGS * len(values) * np.finfo(np.float64).eps * values[-1]
    weighted = (seen @ vectors[:, varied]) ** 2 @ (values[varied] ** -0.5)
    return np.asarray(moves - weighted)


def _trace_of_root(real: _Side, generated: _Side, traces: float) -> float:
    kept = (real.variances > 0) & (generated.variances > 0)
    if not kept.any():
        return 0.0
    if not (real.scarce or generated.scarce):
        fast = _roots_of_eigenvalues(real, generated, kept, traces)
        if fast is not None:
            return fast
    product = real.factor(kept) @ generated.factor(kept).T
    return float(np.linalg.svd(product, compute_uv=False).sum())


def _roots_of_eigenvalues(
    real: _Side, generated: _Side, kept: NDArray[np.bool_], traces: float
) -> float | None:
    """The trace by the Cholesky factor; None if it is singular or rounding could show."""
    upper = real.cholesky(kept)
    if upper is None:
        return None
    # U S2 U^T, its upper triangle only, at half a product's cost.
    product, _ = lapack.dsygst(_part(generated.covariance, kept).T, upper, itype=2, lower=0)
    values = eigvalsh(product, lower=False, overwrite_a=True, check_finite=False)
    largest = float(values[-1])
    if not largest > 0.0:
        return None
    # The root of an eigenvalue v with error e is off by e / (2 sqrt v), at most by sqrt e.
    error = _ROUNDINGS * float(np.finfo(np.float64).eps) * largest
    roots = np.sqrt(values.clip(min=0.0))
    off = error / (2.0 * roots.clip(min=error**0.5 / 2.0))
    if float(np.sqrt(off @ off)) > _TOLERANCE * traces:
        return None
    return float(roots.sum())


def _check(features: ArrayLike, name: str, width: int | None = None) -> Array:
    return check_features(features, name=name, width=width, at_least=2)
