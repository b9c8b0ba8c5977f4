r"""F: what a generator pays that several discriminators judge, in place of one loss.

Durugkar, Gemp and Mahadevan (ICLR 2017, Section 3) train the generator on :math:`F(V_1, \dots, V_N)`, where
:math:`V_i` is what it pays against discriminator i, a mean over the images that this one judges. Here

===============================  ====================================================================
:class:`MeanOfProbabilities`     one loss of the mean probability (the code of Xu et al. 2018)
:class:`MeanOfValues`            the mean of the V_i (what that report's text says)
:class:`MaxOfValues`             the strongest discriminator alone (GMAN-max)
:class:`SoftMean`                weights softmax(lambda V_i); arithmetic, geometric or harmonic mean
:class:`LearnedSoftMean`         the same with lambda learned by the generator (GMAN*)
===============================  ====================================================================

A large V_i is a discriminator that is not fooled. With one discriminator each gives its V to the last bit.
Departure: the paper's V_i is negative (a log-probability that the generator makes smaller), ours are the
positive losses of an objective; its means are :math:`-M(-V)`, ours :math:`M(V)`. In its code
:math:`\lambda` is no variable of the generator's optimiser and the term :math:`-f(\lambda)` is missing, so
that it cannot be learned.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from giqa_lib.checks import InputError, check_choice, check_positive, error_line
from giqa_lib.gan.objectives import Loss, losses_per_judge, summed, weighted

__all__ = [
    "Aggregate",
    "Aggregation",
    "LearnedSoftMean",
    "LearnedSoftness",
    "MaxOfValues",
    "MeanOfProbabilities",
    "MeanOfValues",
    "SoftMean",
    "soft_mean",
    "sum_of_losses",
]

MEANS = ("arithmetic", "geometric", "harmonic")
Logits = Tensor | Sequence[Tensor]

#: (loss of one logit, logits of one or several judges, weights of the images) to what the generator pays.
Aggregate = Callable[[Loss, Logits, Tensor], Tensor]


@runtime_checkable
class Aggregation(Protocol):
    """Settings of an F: a frozen dataclass with a ``name``, which decides what artefacts are kept under."""

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    def fresh(self) -> Aggregate:
        """The function itself; a module where something in it is learned."""
        ...


def sum_of_losses(loss: Loss, logits: Logits, weights: Float[Tensor, " n"]) -> Float[Tensor, ""]:
    """What a generator pays by default: its losses summed over the judges, mean over the images.

    >>> float(sum_of_losses(torch.neg, (torch.ones(2), 3 * torch.ones(2)), torch.ones(2)))
    -4.0
    """
    return summed(weighted(losses_per_judge(loss, logits), weights)).mean()


@dataclass(frozen=True, kw_only=True)
class MeanOfProbabilities:
    r""":math:`\ell(\operatorname{logit} \frac1N \sum_i \sigma(a_i))` for each image, then the mean.

    For the non-saturating loss it is :math:`-\log \frac1N \sum_i D_i(G(z)) \le \frac1N \sum_i -\log D_i(G(z))`: it
    favours the discriminator that is fooled most, image by image.
    """

    name: str = field(default="mean of probabilities", init=False)

    def fresh(self) -> Aggregate:
        """The function."""
        return _of_mean_probability


@dataclass(frozen=True, kw_only=True)
class MeanOfValues:
    r""":math:`\frac1N \sum_i V_i`."""

    name: str = field(default="mean of values", init=False)

    def fresh(self) -> Aggregate:
        """The function."""
        return lambda loss, logits, weights: _values(loss, logits, weights).mean()


@dataclass(frozen=True, kw_only=True)
class MaxOfValues:
    r""":math:`\max_i V_i`: only the discriminator that is fooled least has a gradient."""

    name: str = field(default="max of values", init=False)

    def fresh(self) -> Aggregate:
        """The function."""
        return lambda loss, logits, weights: _values(loss, logits, weights).max()


@dataclass(frozen=True, kw_only=True)
class SoftMean:
    """:func:`soft_mean` with a fixed ``softness`` (lambda): 0 is the plain mean, a large one the max."""

    mean: str = "arithmetic"
    softness: float = 1.0
    name: str = field(default="soft mean", init=False)

    def __post_init__(self) -> None:
        check_choice(self.mean, MEANS, name="mean")
        check_positive(self.softness, name="softness", zero=True)

    def fresh(self) -> Aggregate:
        """The function."""
        mean, softness = self.mean, torch.tensor(self.softness)
        return lambda loss, logits, weights: soft_mean(
            _values(loss, logits, weights), softness, mean=mean
        )


@dataclass(frozen=True, kw_only=True)
class LearnedSoftMean:
    r""":func:`soft_mean` minus :math:`c \lambda`, with lambda learned by the generator from ``start`` (GMAN*).

    Left alone the generator would lower lambda and listen to the weakest discriminators; c (``reward``) pays
    it for harder ones (Section 4.2, with their :math:`f(\lambda) = c\lambda`). For the arithmetic mean the
    derivative by lambda is the weighted variance of the V_i minus c. So lambda falls towards 0 where the
    discriminators differ by more than about :math:`\sqrt c`, rises where they agree, and has no stable place
    between. Adam moves the stored number by about the generator's rate a step, lambda by at most ``speed``
    times that.
    """

    mean: str = "arithmetic"
    start: float = 1.0
    reward: float = 1e-3
    speed: float = 10.0
    name: str = field(default="learned soft mean", init=False)

    def __post_init__(self) -> None:
        check_choice(self.mean, MEANS, name="mean")
        for each in ("start", "speed"):
            check_positive(getattr(self, each), name=each)
        check_positive(self.reward, name="reward", zero=True)

    def fresh(self) -> "LearnedSoftness":
        """The module that holds lambda."""
        return LearnedSoftness(self)


class LearnedSoftness(nn.Module):
    """Lambda as a parameter, and the F that it belongs to; lambda = softplus(speed x parameter) > 0.

    It is the generator's to learn: register it there, so that its optimiser, checkpoints and files have it.

    >>> round(float(LearnedSoftMean(start=2.0).fresh().softness.detach()), 6)
    2.0
    """

    def __init__(self, settings: LearnedSoftMean) -> None:
        super().__init__()
        self.settings = settings
        start = math.log(math.expm1(settings.start)) / settings.speed
        self.raw = nn.Parameter(torch.tensor(start))

    @property
    def softness(self) -> Float[Tensor, ""]:
        """Lambda."""
        return functional.softplus(self.settings.speed * self.raw)

    def forward(
        self, loss: Loss, logits: Logits, weights: Float[Tensor, " n"]
    ) -> Float[Tensor, ""]:
        """What the generator pays, the reward for lambda taken off."""
        values = _values(loss, logits, weights)
        softness = self.softness
        paid = soft_mean(values, softness, mean=self.settings.mean)
        # With one judge lambda has no meaning, and the plain GAN's loss no reward in it.
        return paid if len(values) == 1 else paid - self.settings.reward * softness


def soft_mean(
    values: Float[Tensor, " judges"],
    softness: Float[Tensor, ""],
    *,
    mean: str = "arithmetic",
    smallest: float = 1e-12,
) -> Float[Tensor, ""]:
    r"""Weighted mean of what the generator pays against each judge; the harder ones weigh more.

    .. math:: w_i = \frac{e^{\lambda V_i}}{\sum_j e^{\lambda V_j}}, \qquad
        \sum_i w_i V_i, \quad \exp \sum_i w_i \log V_i, \quad \Big(\sum_i w_i V_i^{-1}\Big)^{-1}

    (Durugkar et al. 2017, Section 3.1; the weights have a gradient, as in their code.) The geometric and the
    harmonic mean need values > 0: below ``smallest`` they are taken for it.

    >>> values = torch.tensor([1.0, 4.0])
    >>> [float(soft_mean(values, torch.tensor(0.0), mean=m)) for m in ("arithmetic", "geometric", "harmonic")]
    [2.5, 2.0, 1.600000023841858]
    """
    if len(values) == 1:
        return values[0]  # exp(log V) need not be V to the last bit
    shares = (softness.to(values) * values).softmax(0)
    if mean == "arithmetic":
        return (shares * values).sum()
    positive = _positive(values, smallest)
    if mean == "geometric":
        return (shares * positive.log()).sum().exp()
    return 1 / (shares / positive).sum()


def _values(loss: Loss, logits: Logits, weights: Tensor) -> Tensor:
    """V (judges,): what is paid against each judge, a mean over the images that it sees."""
    paid = weighted(losses_per_judge(loss, logits), weights)
    return torch.stack([own.mean() for own in paid])


def _positive(values: Tensor, smallest: float) -> Tensor:
    if bool((values < 0).any()):
        got, hint = f"{float(values.min()):g}", "take the arithmetic mean, or another objective"
        raise InputError(error_line("values", expected="losses >= 0", got=got, hint=hint))
    return values.clamp(min=smallest)


def _of_mean_probability(loss: Loss, logits: Logits, weights: Tensor) -> Tensor:
    return (weights * loss(_logit_of_mean(logits))).mean()


def _logit_of_mean(logits: Logits) -> Tensor:
    """The logit (n,) of the judges' mean probability, from logits (n,) each; one judge's as it is."""
    judges = (logits,) if isinstance(logits, Tensor) else tuple(logits)
    if len(judges) == 1:
        return judges[0]
    shapes = {tuple(each.shape) for each in judges}
    if len(shapes) > 1 or judges[0].ndim != 1:
        got = ", ".join(map(str, sorted(shapes)))
        hint = "judges that see other images or give patches need an F of values"
        expected = "one logit (n,) of each judge for each image"
        raise InputError(error_line("logits", expected=expected, got=got, hint=hint))
    stacked = torch.stack(judges)
    real, fake = functional.logsigmoid(stacked), functional.logsigmoid(-stacked)
    return real.logsumexp(0) - fake.logsumexp(0)
