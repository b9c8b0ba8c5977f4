r"""dipIQ, UNIQUE and MEON on known damage: their losses, batches and scores, for the harness of the baselines.

dipIQ (Ma et al., IEEE TIP 2017): RankNet's loss on pairs whose qualities are apart by more than a threshold,
:math:`-\log \sigma(f_i - f_j)`. UNIQUE (Zhang et al., IEEE TIP 2021): the fidelity loss of Thurstone's model with an uncertainty
an image, :math:`1 - \sqrt{p \hat p} - \sqrt{(1 - p)(1 - \hat p)}`, :math:`\hat p = \Phi((f_i - f_j) / \sqrt{s_i^2 + s_j^2})`; its hinge
on the uncertainties needs deviations of opinions, which damage does not have. MEON (Ma et al., IEEE TIP 2018): first learn which damage it is,
then a quality for each, weighed by how likely it is. Batches: the first half against the second.
"""

import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.nn.functional import cross_entropy, logsigmoid, softplus

__all__ = [
    "damage_loss",
    "discriminable_rank_loss",
    "fidelity_loss",
    "identified_quality",
    "identified_quality_loss",
]

APART = (
    0.1  # of the range of quality: dipIQ's threshold, 20 of 100 there, on means of three measures
)
EPSILON = 1e-6


def discriminable_rank_loss(
    outputs: Float[Tensor, "n 1"], quality: Float[Tensor, " n"], *, apart: float = APART
) -> Float[Tensor, ""]:
    """dipIQ's: the mean over discriminable pairs (first half, second half); 0 where there are none.

    >>> round(float(discriminable_rank_loss(torch.tensor([[1.0], [0.0]]), torch.tensor([0.9, 0.1]))), 4)
    0.3133
    """
    first, second = _halves(outputs[:, 0])
    gap = torch.sub(*_halves(quality))
    kept = gap.abs() > apart
    losses = -logsigmoid(gap.sign() * (first - second))
    return (losses * kept).sum() / kept.sum().clamp(min=1)


def fidelity_loss(outputs: Float[Tensor, "n 2"], quality: Float[Tensor, " n"]) -> Float[Tensor, ""]:
    """UNIQUE's: ``outputs`` are f and what softplus makes the deviation s; in [0, 1], 0 for certain and right.

    >>> certain = torch.tensor([[9.0, -9.0], [0.0, -9.0]])
    >>> round(float(fidelity_loss(certain, torch.tensor([0.9, 0.1]))), 2)
    0.0
    """
    first, second = _halves(outputs[:, 0])
    one, other = _halves(softplus(outputs[:, 1]))
    spread = (one.square() + other.square() + EPSILON).sqrt()
    predicted = torch.special.ndtr((first - second) / spread)
    gap = torch.sub(*_halves(quality))
    wanted = 0.5 * (1 + gap.sign())  # one half where both are equal
    # a root has no slope at 0
    right = (predicted * wanted + EPSILON).sqrt() + (
        (1 - predicted) * (1 - wanted) + EPSILON
    ).sqrt()
    return (1 + 2 * EPSILON**0.5 - right).clamp(min=0).mean()


def damage_loss(
    outputs: Float[Tensor, "n twice_k"], targets: Float[Tensor, "n 2"]
) -> Float[Tensor, ""]:
    """MEON's first stage: cross-entropy of which damage it is. ``targets`` are quality and the damage's number.

    >>> round(float(damage_loss(torch.zeros(1, 4), torch.tensor([[0.5, 1.0]]))), 4)
    0.6931
    """
    logits, _ = outputs.chunk(2, dim=1)
    return cross_entropy(logits, _numbers(targets))


def identified_quality(outputs: Float[Tensor, "n twice_k"]) -> Float[Tensor, " n"]:
    """MEON's score: the quality for each damage, weighed by its probability.

    >>> float(identified_quality(torch.tensor([[0.0, 0.0, 1.0, 3.0]])))
    2.0
    """
    logits, qualities = outputs.chunk(2, dim=1)
    return (logits.softmax(1) * qualities).sum(1)


def identified_quality_loss(
    outputs: Float[Tensor, "n twice_k"], targets: Float[Tensor, "n 2"]
) -> Float[Tensor, ""]:
    """MEON's second stage: the absolute error of quality beside the first stage's loss.

    >>> round(float(identified_quality_loss(torch.zeros(1, 4), torch.tensor([[0.5, 1.0]]))), 4)
    1.1931
    """
    error = (identified_quality(outputs) - targets[:, 0]).abs().mean()
    return error + damage_loss(outputs, targets)


def _halves(values: Tensor) -> tuple[Tensor, Tensor]:
    half = len(values) // 2
    return values[:half], values[half : 2 * half]


def _numbers(targets: Tensor) -> Int64[Tensor, " n"]:
    return targets[:, 1].long()
