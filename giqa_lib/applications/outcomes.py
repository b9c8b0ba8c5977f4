r"""Pair accuracy of several scores on the same pairs, their differences, and the spread over seeds.

The outcome of a score on a pair is 1 if it prefers the better image, 0 if the worse one,
1/2 if it gives both the same. Accuracy is the mean outcome; the difference of two scores is
the mean of the pairwise differences of outcomes, whose standard error is much smaller than
that of two independent accuracies, since both scores saw the same pairs.

With S seeds, each with its own training runs, an estimate is the mean of the S estimates and

.. math:: SE^2 = \frac{1}{S}\max\Big(\frac{1}{S-1}\sum_s (a_s - \bar a)^2,\ \frac{1}{S}\sum_s SE_s^2\Big),

the larger of the spread between seeds and the sampling error within them: the spread of
three seeds can be small by chance.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from giqa_lib.applications.pairs import Pairs
from giqa_lib.checks import check_same_length, check_scores

__all__ = ["accuracies", "combine_on_same_images", "combine_seeds", "differences", "outcomes"]

Outcomes = NDArray[np.float64]


def outcomes(scores: NDArray[np.float64], pairs: Pairs) -> Outcomes:
    """1, 1/2 or 0 for each pair: did the score prefer the better image?

    >>> outcomes(np.array([0.0, 1.0, 1.0]), Pairs(name="p", better=np.array([1, 1]), worse=np.array([0, 2])))
    array([1. , 0.5])
    """
    pool = check_scores(scores)
    better, worse = pool[pairs.better], pool[pairs.worse]
    return (better > worse) + 0.5 * (better == worse)


def _mean(values: Outcomes) -> dict[str, float | int]:
    # One value leaves the error unknown rather than zero.
    error = float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else float("nan")
    return {"value": float(values.mean()), "standard_error": error, "n": len(values)}


def accuracies(found: Mapping[str, Outcomes]) -> pd.DataFrame:
    """One row a score: ``name``, ``value`` in [0, 1], ``standard_error``, ``n`` pairs."""
    return pd.DataFrame([{"name": name, **_mean(values)} for name, values in found.items()])


def differences(
    found: Mapping[str, Outcomes], contrasts: Sequence[tuple[str, str]]
) -> pd.DataFrame:
    """One row a contrast (a, b): accuracy of a minus accuracy of b on the same pairs, with its error.

    >>> found = {"a": np.array([1.0, 1.0, 0.0]), "b": np.array([1.0, 0.0, 0.0])}
    >>> differences(found, [("a", "b")])["name"].tolist()
    ['a minus b']
    """
    rows = []
    for first, second in contrasts:
        check_same_length(**{first: found[first], second: found[second]})
        rows.append({"name": f"{first} minus {second}", **_mean(found[first] - found[second])})
    return pd.DataFrame(rows, columns=["name", "value", "standard_error", "n"])


def combine_seeds(frame: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Estimates of several seeds (columns ``seed``, ``value``, ``standard_error``, ``n``) as one a group.

    ``n`` adds up; ``seeds`` lists the seeds.

    >>> one = pd.DataFrame({"m": [5, 5], "seed": [0, 1], "value": [0.4, 0.6], "standard_error": [0.01, 0.01], "n": [9, 9]})
    >>> combine_seeds(one, by=["m"]).round(3).to_dict("records")
    [{'m': 5, 'value': 0.5, 'standard_error': 0.1, 'n': 18, 'seeds': (0, 1)}]
    """
    rows = []
    for key, group in frame.groupby(list(by), sort=False, dropna=False):
        within, between = _spreads(group)
        error = float(np.sqrt(max(within, between) / len(group)))
        rows.append(_combined(by, key, group, error, int(group["n"].sum())))
    return pd.DataFrame(rows)


def combine_on_same_images(frame: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    r"""As :func:`combine_seeds` where all seeds judge the very same images: more seeds do not make them more.

    The error of the images stays whole,

    .. math:: SE^2 = \frac{1}{S}\sum_s SE_s^2 + \frac{1}{S(S-1)}\sum_s (a_s - \bar a)^2,

    on the safe side where seeds err on different images. ``n`` is that of one seed.

    >>> one = pd.DataFrame({"m": [5, 5], "seed": [0, 1], "value": [0.5, 0.5], "standard_error": [0.1, 0.1], "n": [9, 9]})
    >>> combine_on_same_images(one, by=["m"]).round(3).to_dict("records")
    [{'m': 5, 'value': 0.5, 'standard_error': 0.1, 'n': 9, 'seeds': (0, 1)}]
    """
    rows = []
    for key, group in frame.groupby(list(by), sort=False, dropna=False):
        within, between = _spreads(group)
        error = float(np.sqrt(within + between / len(group)))
        rows.append(_combined(by, key, group, error, int(group["n"].max())))
    return pd.DataFrame(rows)


def _spreads(group: pd.DataFrame) -> tuple[float, float]:
    """The mean squared error within seeds, and the variance between them (0 of one seed)."""
    values, errors = group["value"].to_numpy(float), group["standard_error"].to_numpy(float)
    return float((errors**2).mean()), float(values.var(ddof=1)) if len(values) > 1 else 0.0


def _combined(
    by: Sequence[str], key: tuple[Any, ...], group: pd.DataFrame, error: float, n: int
) -> dict[str, Any]:
    return {
        **dict(zip(by, key, strict=True)),
        "value": float(group["value"].mean()),
        "standard_error": error,
        "n": n,
        "seeds": tuple(int(seed) for seed in group["seed"]),
    }
