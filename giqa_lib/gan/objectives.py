r"""GAN objectives as functions of logits, one loss an image, so that images can be weighted.

An objective is three functions: what the discriminator pays on real images and on generated
ones, and what the generator pays. All fall as the player gets better. Computed from logits
:math:`a` with softplus, which neither overflows nor loses its gradient where a probability
would round to 0 or 1.

- non-saturating (Goodfellow et al. 2014): :math:`-\log\sigma(a)`, :math:`-\log(1-\sigma(a))`, :math:`-\log\sigma(a)`
- hinge (Lim and Ye 2017): :math:`\max(0, 1-a)`, :math:`\max(0, 1+a)`, :math:`-a`
- Wasserstein (Arjovsky et al. 2017): :math:`-a`, :math:`a`, :math:`-a`
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

__all__ = ["HINGE", "NON_SATURATING", "WASSERSTEIN", "Objective", "gradient_penalty"]

Loss = Callable[[Tensor], Tensor]


@dataclass(frozen=True, kw_only=True)
class Objective:
    """Losses (n,) of logits (n,): the discriminator's on real and generated images, the generator's."""

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
