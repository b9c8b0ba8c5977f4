r"""Inception score (Salimans et al. 2016), from class probabilities.

.. math:: IS = \exp\Bigl(\tfrac1n \sum_i \sum_c p_{ic} \log \frac{p_{ic}}{\bar p_c}\Bigr)

From 1 to the number of classes. The classifier is the caller's: the published numbers have
Inception-v3's 1000 (1008) classes. The mean over splits is biased down by their size.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import xlogy
from scipy.stats import t as student

from giqa_lib.checks import (
    InputError,
    check_features,
    check_probability,
    error_line,
)
from giqa_lib.evaluation.estimate import Estimate

__all__ = ["inception_score"]

Array = NDArray[np.float64]


def inception_score(probabilities: ArrayLike, *, splits: int = 10, level: float = 0.95) -> Estimate:
    """Mean score of ``splits`` equal parts of (n, k) class probabilities, in their order.

    ``standard_error`` is the parts' standard deviation (n - 1) over the root of their number;
    papers print the standard deviation itself. The interval is Student's. Shuffle images that
    come sorted. Raises ``InputError`` for rows that are no probabilities, for fewer than two
    splits (one part says nothing of the spread) and for more splits than images.

    >>> inception_score(np.tile(np.eye(4), (2, 1)), splits=2).value
    4.0
    """
    rows = check_features(probabilities, name="probabilities")
    check_probability(level, name="level", open_ends=True)
    sums = rows.sum(axis=1)
    bad = (rows < 0).any(axis=1) | (np.abs(sums - 1.0) > 1e-3)
    if bad.any():
        first = int(bad.argmax())
        got = f"row {first} with sum {sums[first]:.4g}, smallest {rows[first].min():.4g}"
        hint = "apply softmax to logits"
        expected = "rows >= 0 of sum 1"
        raise InputError(error_line("probabilities", expected=expected, got=got, hint=hint))
    if not 2 <= splits <= len(rows):
        expected, hint = f"2 to {len(rows)}", "a part has at least one image"
        raise InputError(error_line("splits", expected=expected, got=f"{splits}", hint=hint))
    values = np.array([_score(part) for part in np.array_split(rows / sums[:, None], splits)])
    value = float(values.mean())
    error = float(values.std(ddof=1) / np.sqrt(splits))
    reach = float(student.ppf((1.0 + level) / 2.0, splits - 1)) * error
    return Estimate(
        value=value,
        standard_error=error,
        low=max(1.0, value - reach),
        high=min(float(rows.shape[1]), value + reach),
        level=level,
        n=len(rows),
    )


def _score(rows: Array) -> float:
    mean = rows.mean(axis=0)
    information = xlogy(rows, rows).sum() / len(rows) - xlogy(mean, mean).sum()
    # Not below 1 by rounding.
    return float(np.exp(max(0.0, information)))
