r"""The generative adversarial metric (GAM), two other readings of it, and GMAM, from one encounter.

GAM (Im et al. 2016, Section 4.2), with :math:`\epsilon` the error rate at probability one half:

.. math:: r_\text{test} = \frac{\epsilon(D_1(x))}{\epsilon(D_2(x))}, \quad
    r_\text{sample} = \frac{\epsilon(D_1(G_2))}{\epsilon(D_2(G_1))}, \quad
    \text{winner} = \begin{cases} 1 & r_\text{sample} < 1 \\ 2 & r_\text{sample} > 1 \end{cases}
    \text{ if } r_\text{test} \simeq 1, \text{ else a tie}

The report Xu et al. 2018 prints :math:`\epsilon(D_1(G_1)) / \epsilon(D_2(G_2))` in place of r_sample (``printed``). Its
notebooks take ratios of :math:`\overline{D_1(x)} / \overline{D_2(x)}` and of mean losses
:math:`\overline{-\log D_1(G_2)} / \overline{-\log D_2(G_1)}`, and let the second win if that is above 1
(``notebooks``): a large loss is a discriminator that rejects, so this rule is the metric's turned round.

Departures: "about 1" is a stated tolerance t, :math:`1/(1+t) \le r_\text{test} \le 1+t`, which does not depend on the
players' order; ratios with nothing below the line are named, not dropped; both ratios have bootstrap
intervals, and a winner the share of resamples that agree.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from giqa_lib.checks import check_choice, check_positive, check_probability
from giqa_lib.evaluation.encounter import Encounter, errors

__all__ = ["FORMULAS", "GMAM", "Outcome", "Ratio", "decide", "gam", "gmam"]

Rows = NDArray[np.float64]
TIE, UNDEFINED = "tie", "undefined"
LEAST_LOG = -100.0  # of torch's binary cross-entropy, where a probability is nought

# The report calls 1.21 "about 1" (Figure 13): the smallest round tolerance that does.
TOLERANCE = 0.25


@dataclass(frozen=True, kw_only=True)
class Ratio:
    """A ratio with its bootstrap interval; NaN where it is nought by nought, infinity where only the divisor is."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Who wins by a formula: a player's name, ``tie`` or ``undefined``; why; and how surely.

    ``support`` is the share of bootstrap resamples with the same outcome.
    """

    formula: str
    r_test: Ratio
    r_sample: Ratio
    winner: str
    reason: str
    support: float


@dataclass(frozen=True, kw_only=True)
class _Formula:
    """Rows of an encounter, by discriminator, whose means are divided."""

    test: Callable[[Encounter, int], Rows]
    sample: Callable[[Encounter, int], Rows]


def _test_errors(found: Encounter, place: int) -> Rows:
    return errors(found.test[place], real=True)


def _rejections(found: Encounter, place: int) -> Rows:
    """-log D of the opponent's images."""
    return -_log(found.other[place])


FORMULAS = {
    "gam": _Formula(
        test=_test_errors, sample=lambda found, place: errors(found.other[place], real=False)
    ),
    "printed": _Formula(
        test=_test_errors, sample=lambda found, place: errors(found.own[place], real=False)
    ),
    # Its authors' reading: above 1 the second wins, as in the metric.
    "notebooks": _Formula(test=lambda found, place: found.test[place], sample=_rejections),
}


def gam(
    encounter: Encounter,
    *,
    formula: str = "gam",
    tolerance: float = TOLERANCE,
    resamples: int = 1000,
    random_state: int | np.random.Generator,
    level: float = 0.95,
) -> Outcome:
    """The winner of an encounter by one of ``FORMULAS``.

    Swapping the players inverts both ratios; a player against itself ties.

    >>> from giqa_lib.evaluation import Encounter
    >>> good, bad = np.array([0.1, 0.2, 0.9, 0.3]), np.array([0.1, 0.9, 0.8, 0.7])
    >>> met = Encounter(names=("a", "b"), own=(good, good), other=(good, bad), test=(bad, bad))
    >>> gam(met, random_state=0).winner
    'a'
    """
    check_choice(formula, FORMULAS, name="formula")
    check_positive(tolerance, name="tolerance", zero=True)
    check_positive(resamples - 1, name="resamples - 1")
    check_probability(level, name="level", open_ends=True)
    rule, random = FORMULAS[formula], np.random.default_rng(random_state)
    tests = rule.test(encounter, 0), rule.test(encounter, 1)
    samples = rule.sample(encounter, 0), rule.sample(encounter, 1)
    values = _divide(*(each.mean() for each in tests)), _divide(*(s.mean() for s in samples))
    drawn = (
        _resampled(*tests, resamples, random, paired=True),
        _resampled(*samples, resamples, random, paired=False),
    )
    winner, reason = decide(*values, names=encounter.names, tolerance=tolerance)
    agreeing = [
        decide(*both, names=encounter.names, tolerance=tolerance)[0] == winner
        for both in zip(*drawn, strict=True)
    ]
    ratios = [
        Ratio(value=value, low=_end(each, (1 - level) / 2), high=_end(each, (1 + level) / 2))
        for value, each in zip(values, drawn, strict=True)
    ]
    return Outcome(
        formula=formula,
        r_test=ratios[0],
        r_sample=ratios[1],
        winner=winner,
        reason=reason,
        support=float(np.mean(agreeing)),
    )


def decide(
    r_test: float, r_sample: float, *, names: tuple[str, str], tolerance: float = TOLERANCE
) -> tuple[str, str]:
    """The winner by two ratios, and why: ``undefined`` if one is NaN, ``tie`` if r_test is not about 1.

    >>> decide(1.1, 0.5, names=("a", "b"))
    ('a', 'r_sample below 1')
    >>> decide(2.0, 0.5, names=("a", "b"))
    ('tie', 'r_test is not about 1: one discriminator is the better')
    """
    if np.isnan(r_test):
        return UNDEFINED, "neither discriminator errs on the test images"
    if not 1 / (1 + tolerance) <= r_test <= 1 + tolerance:
        return TIE, "r_test is not about 1: one discriminator is the better"
    if np.isnan(r_sample):
        return UNDEFINED, "no generated image fools either discriminator"
    if r_sample == 1:
        return TIE, "r_sample is 1"
    return (names[0], "r_sample below 1") if r_sample < 1 else (names[1], "r_sample above 1")


@dataclass(frozen=True, kw_only=True)
class GMAM:
    """The value of :func:`gmam` with its interval, its two parts, and the winner, or ``tie`` if they disagree."""

    value: float
    low: float
    high: float
    by_first: float
    by_second: float
    winner: str


def gmam(
    encounter: Encounter,
    *,
    resamples: int = 1000,
    random_state: int | np.random.Generator,
    level: float = 0.95,
) -> GMAM:
    r"""The generative multi-adversarial metric (Durugkar et al. 2017, Section 5).

    .. math:: \log \frac{V(D_1, G_2)}{V(D_1, G_1)} - \log \frac{V(D_2, G_1)}{V(D_2, G_2)}, \qquad
        V(D, G) = \overline{\log D(x)} + \overline{\log(1 - D(G(z)))} \le 0

    The first part is positive where D_1 finds the second generator's images the more real, the second where
    D_2 does: if both are, the second wins, if neither, the first; else it is a tie ("indeterminate"). An
    ensemble's probability is to be its judges' mean. Swapping the players turns the sign.

    >>> from giqa_lib.evaluation import Encounter
    >>> real, fake, good = (np.full(9, p) for p in (0.8, 0.1, 0.4))
    >>> met = Encounter(names=("a", "b"), own=(fake, good), other=(good, fake), test=(real, real))
    >>> gmam(met, random_state=0).winner
    'b'
    """
    check_positive(resamples - 1, name="resamples - 1")
    check_probability(level, name="level", open_ends=True)
    random = np.random.default_rng(random_state)
    parts = _gmam_parts(encounter, [slice(None)] * 3)
    drawn = []
    counts = [len(encounter.test[0]), len(encounter.own[0]), len(encounter.other[0])]
    for _ in range(resamples):
        rows = [random.integers(count, size=count) for count in counts]
        drawn.append(sum(_gmam_parts(encounter, rows)))
    ends = [_end(np.asarray(drawn), (1 + sign * level) / 2) for sign in (-1, 1)]
    signs = {np.sign(part) for part in parts}
    winners = {1.0: encounter.names[1], -1.0: encounter.names[0]}
    winner = winners.get(float(signs.pop()), TIE) if len(signs) == 1 else TIE
    return GMAM(
        value=sum(parts),
        low=ends[0],
        high=ends[1],
        by_first=parts[0],
        by_second=parts[1],
        winner=winner,
    )


def _gmam_parts(found: Encounter, rows: Sequence[Any]) -> tuple[float, float]:
    """What each discriminator says of the second generator against the first, on these rows."""
    test, own, other = rows
    values = []
    for place in (0, 1):
        real = _log(found.test[place][test]).mean()
        values.append(real + _log(1 - found.own[place][own]).mean())
        values.append(real + _log(1 - found.other[place][other]).mean())
    first_own, first_other, second_own, second_other = (-float(value) for value in values)
    by_first = _log_ratio(first_other, first_own)
    by_second = -_log_ratio(second_other, second_own)
    return by_first, by_second


def _log_ratio(above: float, below: float) -> float:
    ratio = _divide(above, below)
    with np.errstate(divide="ignore"):
        return float(np.log(ratio))


def _log(probabilities: Rows) -> Rows:
    with np.errstate(divide="ignore"):
        return np.maximum(np.log(probabilities), LEAST_LOG)


def _divide(above: float, below: float) -> float:
    if below == 0:
        return float("nan") if above == 0 else float("inf")
    return float(above / below)


def _resampled(
    above: Rows, below: Rows, resamples: int, random: np.random.Generator, *, paired: bool
) -> list[float]:
    """Ratios of means of rows drawn again; paired rows are of the same images."""
    found = []
    for _ in range(resamples):
        rows = random.integers(len(above), size=len(above))
        others = rows if paired else random.integers(len(below), size=len(below))
        found.append(_divide(above[rows].mean(), below[others].mean()))
    return found


def _end(drawn: object, share: float) -> float:
    """A quantile among those that are defined, without arithmetic between infinities."""
    values = np.asarray(drawn, dtype=np.float64)
    values = values[~np.isnan(values)]
    if not len(values):
        return float("nan")
    return float(np.quantile(values, share, method="inverted_cdf"))
