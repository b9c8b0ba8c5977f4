r"""How reliable mean opinions are: the share of their variance that another panel of the same kind would find again.

With :math:`\bar x_i` the mean opinion of image i and :math:`v_i` an unbiased estimate of its variance over panels,

.. math:: \rho = 1 - \frac{\frac1n \sum_i v_i}{\operatorname{var}(\bar x)}, \qquad
    v_i = \frac{s_i^2}{k_i} \text{ for ratings}, \qquad v_i = \frac{p_i (1 - p_i)}{k_i - 1} \text{ for } k_i \text{ votes of two kinds},

s the deviation over raters and p the share of votes. Spearman and Brown's formula steps it to panels of another size,
:math:`\rho_m = m \rho_1 / (1 + (m - 1) \rho_1)`. What observers have in common but is not the image's quality counts as reliable; a
bias of one observer on all images counts as noise unless votes were centred.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from giqa_lib.checks import (
    InputError,
    check_positive,
    check_same_length,
    check_scores,
    error_line,
)
from giqa_lib.evaluation.estimate import Estimate, bootstrap

__all__ = [
    "mean_reliability",
    "rating_variances",
    "stepped_reliability",
    "vote_variances",
]


def rating_variances(deviations: ArrayLike, raters: ArrayLike) -> NDArray[np.float64]:
    """Variance (n,) of each mean opinion over panels, from the deviation over its ``raters`` (n - 1 in its divisor).

    >>> rating_variances([1.0, 2.0], 4).tolist()
    [0.25, 1.0]
    """
    spread = check_scores(deviations, name="deviations")
    count = np.broadcast_to(np.asarray(raters, dtype=float), spread.shape)
    if (spread < 0).any() or (count < 2).any():
        expected, hint = "deviations of 0 or more over at least 2 raters", "look at the table"
        got = f"{spread.min():g} over {count.min():g}"
        raise InputError(error_line("deviations", expected=expected, got=got, hint=hint))
    return spread**2 / count


def vote_variances(successes: ArrayLike, totals: ArrayLike) -> NDArray[np.float64]:
    """Variance (n,) of each share of votes, ``successes`` of ``totals``, over voters; each image needs two votes.

    >>> vote_variances([1, 4], [2, 4]).tolist()
    [0.25, 0.0]
    """
    count = check_scores(totals, name="totals")
    won = check_scores(successes, name="successes")
    check_same_length(successes=won, totals=count)
    if (count < 2).any() or (won < 0).any() or (won > count).any():
        expected, hint = "0 to all of at least 2 votes", "leave out images with fewer votes"
        worst = int(np.argmax((count < 2) | (won < 0) | (won > count)))
        got = f"{won[worst]:g} of {count[worst]:g} in row {worst}"
        raise InputError(error_line("votes", expected=expected, got=got, hint=hint))
    share = won / count
    return share * (1 - share) / (count - 1)


def mean_reliability(
    means: ArrayLike,
    variances: ArrayLike,
    *,
    resamples: int = 500,
    random_state: int | np.random.Generator,
) -> Estimate:
    """Reliability of the mean opinions ``means`` (n,) with ``variances`` (n,) over panels; bootstrap over images.

    At most 1; below 0 where means differ less than chance would make them. Raises ``InputError`` for equal means.

    >>> found = mean_reliability([1.0, 2.0, 3.0], [0.5, 0.5, 0.5], resamples=20, random_state=0)
    >>> found.value
    0.5
    """
    values = check_scores(means, name="means", at_least=3)
    errors = check_scores(variances, name="variances", at_least=3)
    check_same_length(means=values, variances=errors)
    if np.ptp(values) == 0:
        hint = "equal opinions have no order that could be found again"
        raise InputError(
            error_line("means", expected="different ones", got=f"all {values[0]:g}", hint=hint)
        )

    def reliability(rows: NDArray[np.float64], noise: NDArray[np.float64]) -> float:
        spread = rows.var(ddof=1)
        return float(1 - noise.mean() / spread) if spread > 0 else 0.0

    return bootstrap(reliability, values, errors, resamples=resamples, random_state=random_state)


def stepped_reliability(reliability: float, *, size: float, wanted: float) -> float:
    """The reliability of a panel of ``wanted`` observers, where one of ``size`` has ``reliability`` (Spearman-Brown).

    >>> round(stepped_reliability(0.5, size=1, wanted=3), 6)
    0.75
    """
    for name, value in (("size", size), ("wanted", wanted)):
        check_positive(value, name=name)
    factor = wanted / size
    return factor * reliability / (1 + (factor - 1) * reliability)
