r"""Kernel distance: squared maximum mean discrepancy with a cubic kernel (Binkowski et al. 2018).

.. math:: \text{KID} = \frac{\sum_{i \ne j} k(x_i, x_j)}{n (n-1)}
    + \frac{\sum_{i \ne j} k(y_i, y_j)}{m (m-1)} - \frac{2 \sum_{ij} k(x_i, y_j)}{n m},
    \qquad k(x, y) = \Bigl(\frac{x^T y}{d} + 1\Bigr)^3

Unbiased at any n, and therefore below 0 now and then. The usual tools report the mean over
random subsets (:func:`kernel_estimate`).
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from giqa_lib.checks import (
    InputError,
    check_features,
    check_positive,
    check_probability,
    error_line,
)
from giqa_lib.evaluation.estimate import Estimate

__all__ = ["kernel_distance", "kernel_estimate"]

Array = NDArray[np.float64]
_BLOCK = 2048


def kernel_distance(*, real: ArrayLike, generated: ArrayLike) -> float:
    """Unbiased kernel distance of all rows of (n, d) and (m, d), n and m >= 2.

    Memory: one block of 2048 x 2048 kernel values.

    >>> kernel_distance(real=[[0.0], [0.0]], generated=[[1.0], [1.0]])
    7.0
    """
    first, second = _check(real, generated, at_least=2)
    within = [
        (_kernel_sum(rows, rows) - _diagonal(rows)) / (len(rows) * (len(rows) - 1))
        for rows in (first, second)
    ]
    across = _kernel_sum(first, second) / (len(first) * len(second))
    return within[0] + within[1] - 2.0 * across


def kernel_estimate(
    *,
    real: ArrayLike,
    generated: ArrayLike,
    subsets: int = 100,
    subset_size: int | None = None,
    random_state: int | np.random.Generator,
    level: float = 0.95,
) -> Estimate:
    r"""Mean kernel distance of random subsets, with the standard error that n images leave.

    A subset has k images of each set, drawn without replacement: 1000, or half the smaller
    set (n images) if that is less. From the spread s of the subsets' distances

    .. math:: SE = s \sqrt{\frac{k}{n - k}},

    as the variance falls like 1/n where the distributions differ. Tools print s, or s over
    the root of the number of subsets, which falls without bound on the same images. The
    interval is normal; ``Estimate.n`` counts both sets. Raises ``InputError`` for subsets
    larger than half the smaller set, which are nearly the same images each time.

    >>> rows = np.random.default_rng(0).standard_normal((60, 3))
    >>> found = kernel_estimate(real=rows[:30], generated=rows[30:] + 2, random_state=0)
    >>> found.low > 0
    True
    """
    first, second = _check(real, generated, at_least=4)
    check_positive(subsets - 1, name="subsets - 1")
    check_probability(level, name="level", open_ends=True)
    fewest = min(len(first), len(second))
    size = min(1000, fewest // 2) if subset_size is None else subset_size
    if not 2 <= size <= fewest // 2:
        expected = f"2 to {fewest // 2}, half the smaller set"
        hint = "give more images or smaller subsets"
        raise InputError(error_line("subset_size", expected=expected, got=f"{size}", hint=hint))
    generator = np.random.default_rng(random_state)
    values = np.array(
        [
            kernel_distance(
                real=first[generator.choice(len(first), size, replace=False)],
                generated=second[generator.choice(len(second), size, replace=False)],
            )
            for _ in range(subsets)
        ]
    )
    value = float(values.mean())
    error = float(values.std(ddof=1)) * float(np.sqrt(size / (fewest - size)))
    reach = -float(ndtri((1.0 - level) / 2.0)) * error
    return Estimate(
        value=value,
        standard_error=error,
        low=value - reach,
        high=value + reach,
        level=level,
        n=len(first) + len(second),
    )


def _kernel_sum(first: Array, second: Array) -> float:
    total = 0.0
    for start in range(0, len(first), _BLOCK):
        for other in range(0, len(second), _BLOCK):
            block = first[start : start + _BLOCK] @ second[other : other + _BLOCK].T
            total += float(_cubic(block, first.shape[1]).sum())
    return total


def _diagonal(rows: Array) -> float:
    return float(_cubic(np.einsum("ij,ij->i", rows, rows), rows.shape[1]).sum())


def _cubic(products: Array, width: int) -> Array:
    base = products / width + 1.0
    return np.asarray(base * base * base)


def _check(real: ArrayLike, generated: ArrayLike, *, at_least: int) -> tuple[Array, Array]:
    first = check_features(real, name="real", at_least=at_least)
    width = first.shape[1]
    return first, check_features(generated, name="generated", width=width, at_least=at_least)
