r"""GAN objectives as functions of logits, one loss an image, so that images can be weighted.

An objective is three functions: what the discriminator pays on real images and on generated
ones, and what the generator pays. All fall as the player gets better. Computed from logits
:math:`a` with softplus, which neither overflows nor loses its gradient where a probability
would round to 0 or 1.

- non-saturating (Goodfellow et al. 2014): :math:`-\log\sigma(a)`, :math:`-\log(1-\sigma(a))`, :math:`-\log\sigma(a)`
- hinge (Lim and Ye 2017): :math:`\max(0, 1-a)`, :math:`\max(0, 1+a)`, :math:`-a`
- Wasserstein (Arjovsky et al. 2017): :math:`-a`, :math:`a`, :math:`-a`
- least squares (Mao et al. 2017, labels 0 and 1): :math:`(a-1)^2`, :math:`a^2`, :math:`(a-1)^2`
- soft labels (Xu et al. 2018, their code): cross-entropy to labels near 1 and in [0, 1/3]
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

__all__ = [
    "HINGE",
    "LEAST_SQUARES",
    "NON_SATURATING",
    "SOFT_LABELS",
    "WASSERSTEIN",
    "Loss",
    "Objective",
    "gradient_penalty",
    "loss_per_image",
    "losses_per_judge",
    "real_gradient_penalty",
    "summed",
    "weighted",
]

Loss = Callable[[Tensor], Tensor]


@dataclass(frozen=True, kw_only=True)
class Objective:
    """Losses of logits, elementwise: the discriminator's on real and generated images, the generator's."""

    name: str
    real_loss: Loss
    fake_loss: Loss
    generator_loss: Loss


def _softplus_negative(logits: Tensor) -> Tensor:
    return functional.softplus(-logits)


def _hinge_real(logits: Tensor) -> Tensor:
    return functional.relu(1 - logits)


def _hinge_fake(logits: Tensor) -> Tensor:
    return functional.relu(1 + logits)


def _square(logits: Tensor) -> Tensor:
    return logits.square()


def _square_below_one(logits: Tensor) -> Tensor:
    return (logits - 1).square()


def _identity(logits: Tensor) -> Tensor:
    return logits


NON_SATURATING = Objective(
    name="non-saturating",
    real_loss=_softplus_negative,
    fake_loss=functional.softplus,
    generator_loss=_softplus_negative,
)
HINGE = Objective(
    name="hinge", real_loss=_hinge_real, fake_loss=_hinge_fake, generator_loss=torch.neg
)
WASSERSTEIN = Objective(
    name="wasserstein", real_loss=torch.neg, fake_loss=_identity, generator_loss=torch.neg
)

LEAST_SQUARES = Objective(
    name="least-squares",
    real_loss=_square_below_one,
    fake_loss=_square,
    generator_loss=_square_below_one,
)


def _softened_real(logits: Tensor) -> Tensor:
    """Cross-entropy to labels 1 + N(0, 1) / 15, at most 1."""
    label = (1 + torch.randn_like(logits) / 15).clamp(max=1)
    return label * functional.softplus(-logits) + (1 - label) * functional.softplus(logits)


def _softened_fake(logits: Tensor) -> Tensor:
    """Cross-entropy to labels of U(0, 1/3)."""
    label = torch.rand_like(logits) / 3
    return label * functional.softplus(-logits) + (1 - label) * functional.softplus(logits)


# The labels of the GMAN report's code, drawn anew for each logit; there a real label may exceed 1, for which
# a cross-entropy has no lower bound.
SOFT_LABELS = Objective(
    name="soft labels",
    real_loss=_softened_real,
    fake_loss=_softened_fake,
    generator_loss=_softened_real,
)


def losses_per_judge(loss: Loss, logits: Tensor | Sequence[Tensor]) -> list[Float[Tensor, " n"]]:
    """For each judge one loss an image, the mean over its patches.

    A discriminator gives logits (n,), or (n, ...) with one for each patch, or a sequence of these, one
    for each judge (scale, or member of an ensemble).

    >>> losses_per_judge(torch.neg, [torch.ones(2), torch.ones(2, 1, 3, 3)])
    [tensor([-1., -1.]), tensor([-1., -1.])]
    """
    judges = (logits,) if isinstance(logits, Tensor) else tuple(logits)
    losses = [loss(each) for each in judges]
    return [each if each.ndim == 1 else each.flatten(1).mean(1) for each in losses]


def summed(losses: Sequence[Float[Tensor, " n"]]) -> Float[Tensor, " n"]:
    """Each judge's losses (n,) as one sum; those of one judge as they are.

    >>> summed([torch.ones(2), torch.ones(2)])
    tensor([2., 2.])
    """
    return losses[0] if len(losses) == 1 else torch.stack(list(losses)).sum(0)


def loss_per_image(loss: Loss, logits: Tensor | Sequence[Tensor]) -> Float[Tensor, " n"]:
    """One loss an image: the mean over its patches, summed over the judges.

    >>> loss_per_image(torch.neg, [torch.ones(2), torch.ones(2, 1, 3, 3)])
    tensor([-2., -2.])
    """
    return summed(losses_per_judge(loss, logits))


def weighted(
    losses: Sequence[Float[Tensor, " n"]], weights: Float[Tensor, " images"]
) -> list[Float[Tensor, " n"]]:
    """Each judge's losses times the weights of the images that it judges.

    Either every judge sees all images, or each its own part of them, in order.

    >>> weighted([torch.ones(1), torch.ones(1)], torch.tensor([2.0, 3.0]))
    [tensor([2.]), tensor([3.])]
    """
    if len(losses[0]) == len(weights):
        return [weights * own for own in losses]
    parts = weights.split([len(own) for own in losses])
    return [part * own for part, own in zip(parts, losses, strict=True)]


def gradient_penalty(
    discriminator: Callable[[Tensor], Tensor],
    real: Float[Tensor, "n c h w"],
    fake: Float[Tensor, "n c h w"],
    random: torch.Generator,
) -> Float[Tensor, ""]:
    r""":math:`\mathrm{mean}\,(\lVert\nabla D(\hat x)\rVert_2 - 1)^2` on lines from real to generated images.

    Gulrajani et al. 2017, Eq. 3, without its weight. ``random`` draws the places on the lines.

    >>> images = torch.zeros(2, 1, 4, 4)
    >>> float(gradient_penalty(lambda x: x.flatten(1).sum(1) / 4, images, images, torch.Generator()))
    0.0
    """
    place = torch.rand(len(real), 1, 1, 1, generator=random).to(real)
    between = (real.detach() + place * (fake.detach() - real.detach())).requires_grad_()
    (gradient,) = torch.autograd.grad(discriminator(between).sum(), between, create_graph=True)
    return (gradient.flatten(1).norm(dim=1) - 1).square().mean()


def real_gradient_penalty(
    discriminator: Callable[[Tensor], Tensor], real: Float[Tensor, "n c h w"]
) -> Float[Tensor, ""]:
    r"""R1: :math:`\tfrac12 \mathrm{mean}\, \lVert\nabla D(x)\rVert_2^2` on real images.

    Mescheder et al. 2018, Eq. 9, without its weight gamma.

    >>> images = torch.zeros(2, 1, 4, 4)
    >>> float(real_gradient_penalty(lambda x: x.flatten(1).sum(1), images))
    8.0
    """
    images = real.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(discriminator(images).sum(), images, create_graph=True)
    return gradient.flatten(1).square().sum(1).mean() / 2
