"""Pair accuracy of several scores on the same pairs, and their differences.

The outcome of a score on a pair is 1 if it prefers the better image, 0 if the worse one,
1/2 if it gives both the same. Accuracy is the mean outcome; the difference of two scores is
the mean of the pairwise differences of outcomes, whose standard error is much smaller than
that of two independent accuracies, since both scores saw the same pairs.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from giqa_lib.applications.pairs.image_pairs import Pairs
from giqa_lib.checks import check_same_length, check_scores

__all__ = ["Outcomes", "accuracies", "differences", "outcomes"]

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
