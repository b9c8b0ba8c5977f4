r"""Mean and covariance of features: from an array, from a stream, from and to a file.

.. math:: \mu = \tfrac1n \sum_i x_i, \qquad
    \Sigma = \tfrac1{n-1} \sum_i (x_i - \mu)(x_i - \mu)^T

Batches are merged by Chan, Golub, LeVeque (1979): each is centred on its own mean, so a large
common offset costs no digits, as it does where sums of squares are kept. Float64 throughout.
The file is the ``.npz`` with ``mu`` and ``sigma`` that pytorch-fid, clean-fid, EDM share.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from giqa_lib.checks import InputError, check_features, error_line

__all__ = ["Moments", "accumulate_moments", "read_moments", "write_moments"]

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Moments:
    """Mean (d,), covariance (d, d) with n - 1 below, and the number of images if known."""

    mean: Array
    covariance: Array
    n: int | None = None

    def __post_init__(self) -> None:
        mean, covariance = check_moments(self.mean, self.covariance, name="")
        object.__setattr__(self, "mean", mean)
        object.__setattr__(self, "covariance", covariance)


def accumulate_moments(batches: Iterable[ArrayLike]) -> Moments:
    """Moments of the rows of all ``batches`` (n_b, d), which are read once, in any sizes.

    Memory: two d x d matrices beside a batch. Raises ``InputError`` for a batch of another
    width or with NaN, and for fewer than two rows in all.

    >>> accumulate_moments([[[0.0]], [[2.0], [4.0]]]).covariance
    array([[4.]])
    """
    count, mean, scatter = 0, np.zeros(0), np.zeros((0, 0))
    for batch in batches:
        width = len(mean) if count else None
        rows = check_features(batch, name="batch", width=width, at_least=0)
        if len(rows) == 0:
            continue
        if count == 0:
            mean, scatter = np.zeros(rows.shape[1]), np.zeros((rows.shape[1],) * 2)
        centre = rows.mean(axis=0)
        rows = rows - centre
        step = centre - mean
        together = count + len(rows)
        scatter += rows.T @ rows
        scatter += np.outer(step, step * (count * len(rows) / together))
        mean += step * (len(rows) / together)
        count = together
    if count < 2:
        hint = "one image has no covariance"
        expected = "at least 2 rows in all"
        raise InputError(error_line("batches", expected=expected, got=f"{count}", hint=hint))
    return Moments(mean=mean, covariance=scatter / (count - 1), n=count)


def write_moments(path: str | os.PathLike[str], moments: Moments) -> Path:
    """Write ``mu`` and ``sigma`` as ``.npz``, whole or not at all; returns the path.

    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "reference.npz"
    >>> read_moments(write_moments(file, accumulate_moments([[[0.0], [2.0]]]))).mean
    array([1.])
    """
    target = Path(path)
    if target.suffix != ".npz":
        hint = "other tools look for this ending"
        raise InputError(error_line("path", expected="name.npz", got=target.name, hint=hint))
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.stem}.{os.getpid()}.npz")
    try:
        np.savez(partial, mu=moments.mean, sigma=moments.covariance)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return target


def read_moments(path: str | os.PathLike[str]) -> Moments:
    """Moments from an ``.npz`` with ``mu`` (d,) and ``sigma`` (d, d), ours or another tool's.

    Raises ``InputError`` if the two are not in it or do not fit; never unpickles.
    """
    with np.load(path, allow_pickle=False) as file:
        missing = [name for name in ("mu", "sigma") if name not in file.files]
        if missing:
            got = ", ".join(file.files) or "nothing"
            hint = "write it with write_moments, pytorch-fid --save-stats or clean-fid"
            raise InputError(
                error_line(str(path), expected="arrays mu and sigma", got=got, hint=hint)
            )
        return Moments(mean=file["mu"], covariance=file["sigma"])


def check_moments(mean: ArrayLike, covariance: ArrayLike, *, name: str) -> tuple[Array, Array]:
    """Float64 mean (d,) and covariance (d, d), finite and symmetric.

    >>> check_moments([0], [[1]], name="real_")[1]
    array([[1.]])
    """
    first = np.asarray(mean, dtype=np.float64)
    if first.ndim != 1 or not np.isfinite(first).all():
        got = f"shape {first.shape}" if first.ndim != 1 else "NaN or infinity"
        hint = "give the mean of the features' rows"
        raise InputError(
            error_line(f"{name}mean", expected="finite numbers (d,)", got=got, hint=hint)
        )
    second = check_features(covariance, name=f"{name}covariance", width=len(first))
    if len(second) != len(first):
        hint = "use np.cov(features, rowvar=False)"
        expected = f"shape {(len(first), len(first))}"
        raise InputError(
            error_line(f"{name}covariance", expected=expected, got=f"{second.shape}", hint=hint)
        )
    apart = float(np.abs(second - second.T).max(initial=0.0))
    # Half precision is the coarsest that such a file is met in.
    if apart > 1e-3 * float(np.abs(second).max(initial=0.0)):
        got = f"entries that differ by {apart:.3g} from their mirror"
        hint = "use np.cov(features, rowvar=False)"
        raise InputError(
            error_line(f"{name}covariance", expected="a symmetric matrix", got=got, hint=hint)
        )
    return first, second
