r"""How far scores agree with opinions: pairs, rank correlations, correlation after a logistic.

Pair accuracy: the share of pairs whose better image gets the higher score (GIQA, section 4).
SRCC, KRCC and PLCC: Spearman's, Kendall's (tau-b) and Pearson's correlation, as reported in
quality assessment (VQEG 2000; Sheikh et al. 2006). PLCC follows a fitted map from scores to
opinions, the five-parameter logistic in :mod:`giqa_lib.evaluation.logistic`, which need not rise everywhere. Departure: where
scores fall as opinions rise PLCC is negative, as SRCC is; the usual scripts lose the sign.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import binomtest, kendalltau, rankdata

from giqa_lib.checks import (
    InputError,
    check_choice,
    check_same_length,
    check_scores,
    error_line,
)
from giqa_lib.evaluation.estimate import Estimate, proportion
from giqa_lib.evaluation.logistic import fit_logistic

__all__ = ["PairAccuracy", "krcc", "mcnemar", "pair_accuracy", "plcc", "rmse", "srcc"]

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class PairAccuracy(Estimate):
    """Share of pairs in the right order; ``ties`` of the given pairs had equal scores."""

    ties: int


def pair_accuracy(
    better: ArrayLike, worse: ArrayLike, *, ties: str = "half", level: float = 0.95
) -> PairAccuracy:
    """Share of pairs whose better image scores higher, in [0, 1], with Wilson's interval.

    ``better`` and ``worse`` (n,) are the scores of the two images of each pair. Equal scores
    count ``"half"`` (a coin), ``"wrong"``, or are left out (``"drop"``, then ``n`` is less).
    Raises ``InputError`` if ``"drop"`` leaves no pair.

    >>> pair_accuracy([2.0, 3.0, 1.0, 1.0], [1.0, 1.0, 1.0, 2.0]).value
    0.625
    """
    check_choice(ties, ("half", "wrong", "drop"), name="ties")
    first, second = _pair("better", better, "worse", worse)
    right, equal = int((first > second).sum()), int((first == second).sum())
    count = len(first)
    if ties == "drop":
        count -= equal
        if count == 0:
            hint = "this score tells no pair apart; count ties half"
            got = f"{equal} ties"
            raise InputError(
                error_line("pairs", expected="a pair that differs", got=got, hint=hint)
            )
    share = proportion(right + (equal / 2 if ties == "half" else 0), count, level)
    return PairAccuracy(**vars(share), ties=equal)


def mcnemar(first_right: ArrayLike, second_right: ArrayLike) -> float:
    """Two-sided p-value that two scores are right equally often on the same pairs.

    The exact test (McNemar 1947): of the pairs on which only one is right, each is the first
    score's with chance 1/2. ``first_right`` and ``second_right`` (n,) are booleans.

    >>> mcnemar([True] * 6, [False] * 6)
    0.03125
    """
    first, second = _pair("first_right", first_right, "second_right", second_right)
    for name, values in (("first_right", first), ("second_right", second)):
        if not np.isin(values, (0.0, 1.0)).all():
            hint = "compare scores first; drop ties or count them wrong"
            got = f"value {values[~np.isin(values, (0.0, 1.0))][0]:g}"
            raise InputError(error_line(name, expected="booleans", got=got, hint=hint))
    only_first = int(((first == 1) & (second == 0)).sum())
    different = int((first != second).sum())
    return float(binomtest(only_first, different).pvalue) if different else 1.0


def srcc(predictions: ArrayLike, opinions: ArrayLike) -> float:
    """Spearman's rank correlation of two (n,), in [-1, 1]; ties get their mean rank.

    Raises ``InputError`` where all values of one side are equal: it is undefined there.

    >>> srcc([1.0, 2.0, 3.0, 4.0], [1.0, 3.0, 2.0, 4.0])
    0.8
    """
    first, second = _varied(predictions, opinions)
    return _pearson(rankdata(first), rankdata(second))


def krcc(predictions: ArrayLike, opinions: ArrayLike) -> float:
    """Kendall's tau-b of two (n,), in [-1, 1]. Errors as for :func:`srcc`.

    >>> round(krcc([1.0, 2.0, 3.0, 4.0], [1.0, 3.0, 2.0, 4.0]), 3)
    0.667
    """
    first, second = _varied(predictions, opinions)
    return float(kendalltau(first, second).statistic)


def plcc(predictions: ArrayLike, opinions: ArrayLike, *, logistic: bool = True) -> float:
    """Pearson's correlation, in [-1, 1]; of the fitted logistic of ``predictions`` by default.

    The logistic is fitted to the same images, so with few of them it flatters: state n. The
    sign is that of the fit's direction (rising or falling). Errors as for :func:`srcc`.

    >>> plcc([1.0, 2.0, 3.0], [2.0, 4.0, 6.0], logistic=False)
    1.0
    """
    first, second = _varied(predictions, opinions)
    if not logistic:
        return _pearson(first, second)
    fit = fit_logistic(first, second)
    fitted = fit(first)
    if np.ptp(fitted) == 0.0:  # nothing of the opinions is explained
        return 0.0
    return fit.direction * abs(_pearson(fitted, second))


def rmse(predictions: ArrayLike, opinions: ArrayLike) -> float:
    """Root mean squared difference of two (n,), in the opinions' unit.

    >>> rmse([1.0, 2.0], [1.0, 4.0])
    1.4142135623730951
    """
    first, second = _pair("predictions", predictions, "opinions", opinions)
    return float(np.sqrt(np.mean((first - second) ** 2)))


def _pair(name: str, first: ArrayLike, other: str, second: ArrayLike) -> tuple[Array, Array]:
    one, two = check_scores(first, name=name), check_scores(second, name=other)
    check_same_length(**{name: one, other: two})
    return one, two


def _varied(predictions: ArrayLike, opinions: ArrayLike) -> tuple[Array, Array]:
    first, second = _pair("predictions", predictions, "opinions", opinions)
    for name, values in (("predictions", first), ("opinions", second)):
        if (values == values[0]).all():
            hint = "a constant has no correlation"
            got = f"{len(values)} value(s) all equal to {values[0]:g}"
            expected = "two different values"
            raise InputError(error_line(name, expected=expected, got=got, hint=hint))
    return first, second


def _pearson(first: Array, second: Array) -> float:
    # Scaled by the largest part first, so that no square over- or underflows.
    one, two = (values - values.mean() for values in (first, second))
    one, two = one / np.abs(one).max(), two / np.abs(two).max()
    value = float(one @ two / np.sqrt((one @ one) * (two @ two)))
    return min(1.0, max(-1.0, value))
