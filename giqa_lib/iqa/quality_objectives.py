r"""The objectives of AttGF-IQA (Tian et al. 2022, Eq. 13 to 19): ranking, centres, regression, and their sums.

Images come in pairs (i, j); ``higher`` says whether the first has the higher pseudo-label. The focusing parameter
is not printed in the paper; 2 is that of the focal loss (Lin et al. 2017). Eq. 17 lacks the absolute value, without which it has
no lower bound: it is there here.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import logsigmoid

from giqa_lib.checks import check_positive

__all__ = [
    "ObjectiveWeights",
    "centre_loss",
    "focal_rank_loss",
    "pair_probability",
    "score_regression_loss",
]


@dataclass(frozen=True, kw_only=True)
class ObjectiveWeights:
    """Section V-A: rank, centre and regression loss on the domains that teach, rank and centre loss on the one that tests.

    They are lambda 0 to 4 in the paper's order; both regression losses have lambda 2.
    """

    rank: float = 10.0
    centre: float = 0.01
    regression: float = 1.0
    test_rank: float = 10.0
    test_centre: float = 0.01

    def __post_init__(self) -> None:
        for name in ("rank", "centre", "regression", "test_rank", "test_centre"):
            check_positive(getattr(self, name), name=name, zero=True)


def pair_probability(
    first: Float[Tensor, " m"], second: Float[Tensor, " m"], higher: Bool[Tensor, " m"]
) -> Float[Tensor, " m"]:
    r"""Eq. 13: the predicted chance of the true order, :math:`\sigma(y_i - y_j)` where i is ``higher``, else 1 minus it.

    >>> zero, one = torch.zeros(1), torch.ones(1)
    >>> round(float(pair_probability(one, zero, torch.tensor([True]))), 4), round(float(pair_probability(one, zero, torch.tensor([False]))), 4)
    (0.7311, 0.2689)
    """
    return torch.sigmoid(_ahead(first, second, higher))


def focal_rank_loss(
    first: Float[Tensor, " m"],
    second: Float[Tensor, " m"],
    higher: Bool[Tensor, " m"],
    *,
    focus: float = 2.0,
) -> Float[Tensor, ""]:
    r"""Eq. 14, the mean of :math:`-(1 - p)^\gamma \log p` with ``focus`` :math:`\gamma`; 0 is RankNet's logistic loss.

    >>> zero = torch.zeros(1)
    >>> round(float(focal_rank_loss(zero, zero, torch.tensor([True]))), 4)
    0.1733
    """
    check_positive(focus, name="focus", zero=True)
    ahead = _ahead(first, second, higher)
    return (-torch.sigmoid(-ahead).pow(focus) * logsigmoid(ahead)).mean()


def centre_loss(
    first: Float[Tensor, "m d"],
    second: Float[Tensor, "m d"],
    higher: Bool[Tensor, " m"],
    centres: Float[Tensor, "2 d"],
) -> Float[Tensor, ""]:
    r"""Eq. 15 and 16: the mean of :math:`\lVert Q_i - Q_j - c \rVert^2`, c the second centre where i is ``higher``, else the first.

    >>> float(centre_loss(torch.ones(1, 2), torch.zeros(1, 2), torch.tensor([True]), torch.zeros(2, 2)))
    2.0
    """
    gap = first - second - centres[higher.long()]
    return gap.square().sum(1).mean()


def score_regression_loss(
    scores: Float[Tensor, " n"], pseudo: Float[Tensor, " n"]
) -> Float[Tensor, ""]:
    """Eq. 17 with its absolute value: the mean absolute difference of score and pseudo-label.

    >>> float(score_regression_loss(torch.tensor([0.0, 1.0]), torch.tensor([0.5, 0.5])))
    0.5
    """
    return (pseudo - scores).abs().mean()


def _ahead(first: Tensor, second: Tensor, higher: Tensor) -> Tensor:
    """How far the image that should be ahead is ahead."""
    return torch.where(higher, first - second, second - first)
