r"""A number with its uncertainty: the bootstrap (Efron 1979) and Wilson's interval (1927).

.. math:: \hat\theta = T(x), \qquad SE = \operatorname{std}_b T(x^{*b}), \qquad
    [\text{low}, \text{high}] = \text{quantiles of } T(x^{*b})

Percentile intervals: they keep to the statistic's own range, but do not correct its bias. A
statistic that a duplicated row biases (FID, recall, a nearest neighbour) needs another way:
see :mod:`giqa_lib.evaluation.neighbourhood`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from giqa_lib.checks import (
    InputError,
    check_positive,
    check_probability,
    check_same_length,
    error_line,
)

__all__ = ["Estimate", "bootstrap", "proportion"]


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A value, its standard error, its interval [low, high] of confidence ``level``, and n.

    >>> print(Estimate(value=0.5, standard_error=0.05, low=0.4, high=0.6, level=0.95, n=100))
    0.5 ± 0.05 (95 % interval 0.4 to 0.6, n = 100)
    """

    value: float
    standard_error: float
    low: float
    high: float
    level: float
    n: int

    def __post_init__(self) -> None:
        check_positive(self.standard_error, name="standard_error", zero=True)
        check_probability(self.level, name="level", open_ends=True)
        check_positive(self.n, name="n")
        if not self.low <= self.high:
            got = f"low {self.low:g}, high {self.high:g}"
            hint = "give the lower end first"
            raise InputError(error_line("interval", expected="low <= high", got=got, hint=hint))

    def __float__(self) -> float:
        return self.value

    def __str__(self) -> str:
        return (
            f"{self.value:.4g} ± {self.standard_error:.2g} ({100 * self.level:.4g} % interval "
            f"{self.low:.4g} to {self.high:.4g}, n = {self.n})"
        )


def bootstrap(
    statistic: Callable[..., float],
    *arrays: ArrayLike,
    resamples: int = 1000,
    random_state: int | np.random.Generator,
    level: float = 0.95,
    paired: bool = True,
    groups: ArrayLike | None = None,
) -> Estimate:
    """``statistic(*arrays)`` with its bootstrap standard error and percentile interval.

    ``paired`` draws one set of rows for all arrays (row i of each is one image); otherwise
    each array is drawn from by itself (real and generated images). ``groups`` (n,), with
    paired arrays only, draws whole groups: votes of one person, images of one latent.

    ``n`` is the number of rows (not of groups); of all arrays together if not paired. Raises
    ``InputError`` if there are fewer than two rows or groups to draw from, or if the
    statistic is not finite on the data or on a resample.

    >>> bootstrap(np.mean, np.arange(100.0), random_state=0).value
    49.5
    """
    columns = _check_arrays(arrays, paired)
    check_positive(resamples - 1, name="resamples - 1")
    check_probability(level, name="level", open_ends=True)
    generator = np.random.default_rng(random_state)
    if groups is not None and not paired:
        hint = "resample each array's groups by themselves, or pair the arrays"
        got = "paired=False with groups"
        raise InputError(error_line("groups", expected="paired arrays", got=got, hint=hint))
    value = float(statistic(*columns))
    if groups is not None:
        draws = _draw_groups(groups, columns, generator)
    elif paired:
        draws = _draw_rows(columns, generator)
    else:
        draws = _draw_each(columns, generator)
    drawn = np.array([float(statistic(*next(draws))) for _ in range(resamples)])
    bad = int((~np.isfinite(drawn)).sum())
    if bad or not np.isfinite(value):
        got = f"{value:g} on the data, {bad} of {resamples} resamples not finite"
        hint = "give more rows, or a statistic that few rows define"
        raise InputError(error_line("statistic", expected="finite values", got=got, hint=hint))
    tail = (1.0 - level) / 2.0
    low, high = np.quantile(drawn, [tail, 1.0 - tail])
    rows = [len(column) for column in columns]
    return Estimate(
        value=value,
        standard_error=float(drawn.std(ddof=1)),
        low=float(low),
        high=float(high),
        level=level,
        n=rows[0] if paired else sum(rows),
    )


def proportion(successes: float, n: int, level: float = 0.95) -> Estimate:
    r"""A share with Wilson's interval, which is never empty and stays in [0, 1].

    .. math:: \frac{p + z^2/2n}{1 + z^2/n} \pm
        \frac{z}{1 + z^2/n} \sqrt{\frac{p(1-p)}n + \frac{z^2}{4n^2}}, \quad p = \frac{s}{n}

    ``standard_error`` is the interval's half width over z, so that 0 or n successes are not
    called certain. ``successes`` in [0, n]; half ones (ties) are allowed, and the interval is
    then a little too wide.

    >>> round(proportion(9, 10).low, 3)
    0.596
    """
    check_positive(n, name="n")
    check_probability(level, name="level", open_ends=True)
    if not 0 <= successes <= n:
        hint = "count each trial once"
        expected = f"a number in 0..{n}"
        raise InputError(error_line("successes", expected=expected, got=repr(successes), hint=hint))
    share = successes / n
    z = -float(ndtri((1.0 - level) / 2.0))
    shrink = 1.0 + z * z / n
    centre = (share + z * z / (2.0 * n)) / shrink
    error = float(np.sqrt(share * (1.0 - share) / n + (z / (2.0 * n)) ** 2)) / shrink
    # At 0 and n successes an end is exactly the share; rounding must not put it beside.
    return Estimate(
        value=share,
        standard_error=error,
        low=min(share, max(0.0, centre - z * error)),
        high=max(share, min(1.0, centre + z * error)),
        level=level,
        n=n,
    )


def _check_arrays(arrays: tuple[ArrayLike, ...], paired: bool) -> list[NDArray[Any]]:
    columns = [np.asarray(array) for array in arrays]
    few = [len(column) if column.ndim else 0 for column in columns]
    if not columns or min(few) < 2:
        got = f"{len(columns)} array(s) of {few} rows"
        hint = "one row says nothing of its spread"
        expected = "arrays of at least 2 rows"
        raise InputError(error_line("arrays", expected=expected, got=got, hint=hint))
    if paired:
        check_same_length(**{f"array {place}": column for place, column in enumerate(columns)})
    return columns


def _draw_rows(
    columns: list[NDArray[Any]], generator: np.random.Generator
) -> Iterator[list[NDArray[Any]]]:
    count = len(columns[0])
    while True:
        rows = generator.integers(count, size=count)
        yield [column[rows] for column in columns]


def _draw_each(
    columns: list[NDArray[Any]], generator: np.random.Generator
) -> Iterator[list[NDArray[Any]]]:
    while True:
        yield [column[generator.integers(len(column), size=len(column))] for column in columns]


def _draw_groups(
    groups: ArrayLike, columns: list[NDArray[Any]], generator: np.random.Generator
) -> Iterator[list[NDArray[Any]]]:
    labels = np.asarray(groups)
    check_same_length(groups=labels, arrays=columns[0])
    _, places = np.unique(labels, return_inverse=True)
    members = np.split(np.argsort(places, kind="stable"), np.cumsum(np.bincount(places))[:-1])
    if len(members) < 2:
        hint = "one group says nothing of the spread between groups"
        got = f"{len(members)} group(s)"
        raise InputError(error_line("groups", expected="at least 2 groups", got=got, hint=hint))
    while True:
        chosen = generator.integers(len(members), size=len(members))
        rows = np.concatenate([members[place] for place in chosen])
        yield [column[rows] for column in columns]
