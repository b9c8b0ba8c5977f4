r"""Losses of the natural-image measures, and what they are taken to.

NIMA (Talebi and Milanfar, IEEE TIP 2018, Eq. 1) compares distributions of opinions by their cumulative sums,
DeepIQA (Bosse et al., IEEE TIP 2018) takes the absolute error, RankIQA (Liu et al., ICCV 2017, Eq. 4)
a hinge on every pair of known order.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from giqa_lib.checks import check_positive

__all__ = [
    "OPINIONS",
    "absolute_error_loss",
    "earth_mover_loss",
    "mean_opinion",
    "opinion_distribution",
    "ranking_loss",
    "squared_error_loss",
]

OPINIONS = 10  # NIMA's buckets, opinions 1 to 10
SPREAD = 1.5  # opinions: the standard deviation of AVA's ratings of one image is about that


def opinion_distribution(quality: Float[Tensor, " n"]) -> Float[Tensor, "n 10"]:
    """Opinions 1 to 10 of an image of this quality in [0, 1]: a Gaussian around 1 + 9 quality, cut off and rescaled.

    A **stand-in** for real opinions, which differ between people in ways that no formula knows.

    >>> opinion_distribution(torch.tensor([0.0, 1.0])).argmax(1).tolist()
    [0, 9]
    """
    places = torch.arange(1, OPINIONS + 1, dtype=quality.dtype, device=quality.device)
    centre = 1 + (OPINIONS - 1) * quality[:, None]
    return torch.softmax(-((places - centre) ** 2) / (2 * SPREAD**2), dim=1)


def mean_opinion(logits: Float[Tensor, "n k"]) -> Float[Tensor, " n"]:
    r"""NIMA's score :math:`\sum_i i\,p_i`, from 1 to k.

    >>> float(mean_opinion(torch.zeros(1, 10)))
    5.5
    """
    places = torch.arange(1, logits.shape[1] + 1, dtype=logits.dtype, device=logits.device)
    return logits.softmax(1) @ places


def earth_mover_loss(
    logits: Float[Tensor, "n k"], distribution: Float[Tensor, "n k"], *, power: float = 2.0
) -> Float[Tensor, ""]:
    r"""Eq. 1 of NIMA, averaged over the batch; 0 to 1, 0 for equal distributions.

    .. math:: \Bigl( \frac1k \sum_{j=1}^k \lvert F_p(j) - F_q(j) \rvert^r \Bigr)^{1/r}

    >>> far = torch.tensor([[50.0, 0.0, 0.0, 0.0]])
    >>> round(float(earth_mover_loss(far, torch.tensor([[0.0, 0.0, 0.0, 1.0]]))), 4)
    0.866
    """
    check_positive(power, name="power")
    gap = (logits.softmax(1) - distribution).cumsum(1).abs()
    # the root has no slope at 0, where a perfect prediction would give NaN
    return (gap.pow(power).mean(1) + 1e-12).pow(1 / power).mean()


def absolute_error_loss(
    outputs: Float[Tensor, "n 1"], quality: Float[Tensor, " n"]
) -> Float[Tensor, ""]:
    """Mean absolute error, as DeepIQA is trained.

    >>> float(absolute_error_loss(torch.zeros(2, 1), torch.tensor([0.5, 1.0])))
    0.75
    """
    return (outputs[:, 0] - quality).abs().mean()


def squared_error_loss(
    outputs: Float[Tensor, "n 1"], quality: Float[Tensor, " n"]
) -> Float[Tensor, ""]:
    """Mean squared error: RankIQA's second stage.

    >>> float(squared_error_loss(torch.zeros(1, 1), torch.tensor([0.5])))
    0.25
    """
    return (outputs[:, 0] - quality).square().mean()


def ranking_loss(
    outputs: Float[Tensor, "b 1"], quality: Float[Tensor, "levels size"], *, margin: float = 0.2
) -> Float[Tensor, ""]:
    """RankIQA's hinge over all pairs of levels of the same image; 0 when each is ahead by the margin.

    ``outputs`` come level by level, the best first, as :meth:`DegradedExamples.ladder` gives images. One forward
    pass of the batch serves all pairs (their efficient back-propagation). The margin is 6 on their scale.

    >>> float(ranking_loss(torch.tensor([[1.0], [0.0]]), torch.tensor([[0.9], [0.1]])))
    0.0
    """
    check_positive(margin, name="margin")
    levels, size = quality.shape
    scores = outputs.reshape(levels, size)
    better, worse = torch.triu_indices(levels, levels, offset=1, device=outputs.device)
    return torch.relu(scores[worse] - scores[better] + margin).mean()
