"""How far a table of scores agrees with people: opinions of single images, or pairs of them.

Opinions (one number an image, higher is better) give SRCC, KRCC and PLCC, each with a bootstrap
interval over images. Pairs (the better image and the worse one) give the share that the scores
put in the same order, with Wilson's interval; a tie counts half.
"""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from giqa_lib.checks import check_same_length, check_scores
from giqa_lib.evaluation import Estimate, bootstrap, krcc, pair_accuracy, plcc, srcc

__all__ = ["opinion_agreement", "order_agreement"]

MEASURES: Mapping[str, Callable[..., float]] = {
    "SRCC": srcc,
    "KRCC": krcc,
    "PLCC": lambda scores, opinions: plcc(scores, opinions, logistic=False),
}


def opinion_agreement(
    scores: ArrayLike, opinions: ArrayLike, *, resamples: int = 500, seed: int = 0
) -> pd.DataFrame:
    """SRCC, KRCC, PLCC and PLCC after a logistic of ``scores`` (n,) with ``opinions`` (n,).

    Columns ``measure``, ``value``, ``standard_error``, ``low``, ``high`` (95 %), ``n``. The last
    has no interval: fitting the logistic again to each resample would take minutes. Raises
    ``InputError`` for fewer than three images or constant values.

    >>> opinion_agreement([0.1, 0.2, 0.3, 0.4], [1, 2, 4, 3], resamples=50)["value"].round(1).tolist()
    [0.8, 0.7, 0.8, 0.8]
    """
    first = check_scores(scores, at_least=3)
    second = check_scores(opinions, name="opinions", at_least=3)
    check_same_length(scores=first, opinions=second)
    rows: list[dict[str, object]] = []
    for name, measure in MEASURES.items():
        measure(first, second)  # refuses constant scores or opinions, which a resample may have
        found = bootstrap(_or_zero(measure), first, second, resamples=resamples, random_state=seed)
        rows.append(_row(name, found))
    rows.append({"measure": "PLCC after a logistic", "value": plcc(first, second), "n": len(first)})
    return pd.DataFrame(rows)


def order_agreement(better: ArrayLike, worse: ArrayLike) -> pd.DataFrame:
    """The share of pairs whose ``better`` image (n,) scores higher than the ``worse`` (n,).

    Columns as of :func:`opinion_agreement`, and ``ties``.

    >>> order_agreement([2.0, 3.0, 1.0], [1.0, 1.0, 1.0])["value"].round(2).tolist()
    [0.83]
    """
    found = pair_accuracy(better, worse)
    return pd.DataFrame([{**_row("pair accuracy", found), "ties": found.ties}])


def _or_zero(measure: Callable[..., float]) -> Callable[..., float]:
    """The measure, or 0 where a resample has one value only, which tells nothing."""

    def statistic(scores: np.ndarray, opinions: np.ndarray) -> float:
        constant = np.ptp(scores) == 0 or np.ptp(opinions) == 0
        return 0.0 if constant else measure(scores, opinions)

    return statistic


def _row(name: str, found: Estimate) -> dict[str, object]:
    return {
        "measure": name,
        "value": found.value,
        "standard_error": found.standard_error,
        "low": found.low,
        "high": found.high,
        "n": found.n,
    }
