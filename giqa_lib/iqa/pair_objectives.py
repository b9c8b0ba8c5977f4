r"""AttGF-IQA's losses on pairs of one domain (Tian et al. 2022, Eq. 13 to 17)."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import logsigmoid

from giqa_lib.checks import check_positive

__all__ = ["centre_loss", "focal_rank_loss", "score_regression_loss"]


def focal_rank_loss(
    first: Float[Tensor, " n"],
    second: Float[Tensor, " n"],
    first_is_better: Bool[Tensor, " n"],
    *,
    focus: float = 2.0,
) -> Float[Tensor, ""]:
    r"""Eq. 13 and 14: :math:`-(1-p)^\gamma \log p`, averaged; p is the chance given to the true order. At least 0.

    ``focus`` is gamma, which the paper does not say; 0 gives the logistic loss of the difference. Computed from
    logits, so that no difference is too large.

    >>> zero, yes = torch.zeros(1), torch.tensor([True])
    >>> round(float(focal_rank_loss(zero, zero, yes, focus=1.0)), 4)  # log(2) / 2
    0.3466
    """
    check_positive(focus, name="focus", zero=True)
    difference = torch.where(first_is_better, first - second, second - first)
    return (-(torch.sigmoid(-difference) ** focus) * logsigmoid(difference)).mean()


def centre_loss(
    first: Float[Tensor, "n d"],
    second: Float[Tensor, "n d"],
    first_is_better: Bool[Tensor, " n"],
    centres: Float[Tensor, "2 d"],
) -> Float[Tensor, ""]:
    r"""Eq. 15 and 16: mean squared distance of :math:`Q_i - Q_j` to the learned centre of its order. At least 0.

    ``centres[1]`` is for pairs whose first image is the better one, or as good.

    >>> q = torch.tensor([[1.0, 2.0]])
    >>> float(centre_loss(q, torch.zeros(1, 2), torch.tensor([True]), torch.zeros(2, 2)))
    5.0
    """
    chosen = centres[first_is_better.long()]
    return (first - second - chosen).square().sum(dim=1).mean()


def score_regression_loss(
    scores: Float[Tensor, " n"], targets: Float[Tensor, " n"]
) -> Float[Tensor, ""]:
    r"""Eq. 17 with the absolute value it needs: :math:`\frac1M \sum \lvert \hat y - y \rvert`. At least 0.

    As printed it has no lower bound: the larger the scores, the smaller it is.

    >>> float(score_regression_loss(torch.tensor([0.0, 3.0]), torch.tensor([1.0, 1.0])))
    1.5
    """
    return (targets - scores).abs().mean()
