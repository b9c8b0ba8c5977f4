"""Training in bfloat16: any family's two networks in the short format, everything else in float32.

While a network trains, its convolutions and products are computed in bfloat16 (torch's autocast); its weights, its
answers, the losses, the optimisers and what is sampled from it stay float32. A gradient penalty goes
through the discriminator's bfloat16 graph twice. What judges or guides (a label guide's classifier, ScoreGAN's evaluator)
is no part of the two networks and stays in float32: a score is a small difference of large logarithms.

A checkpoint is that of the same family in float32 and resumes bitwise; since the family's description
differs, neither is ever taken for the other.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from giqa_lib.gan.architecture import Architecture
from giqa_lib.gan.trainer import Variant

__all__ = ["InBFloat16", "computes_bfloat16"]


def computes_bfloat16(device: str | torch.device = "cpu") -> bool:
    """Whether the processor multiplies in bfloat16; where it does not, torch emulates it, slowly.

    >>> isinstance(computes_bfloat16(), bool)
    True
    """
    if torch.device(device).type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    able = torch.cpu.get_capabilities()
    return any(bool(able.get(name)) for name in ("amx_bf16", "avx512_bf16", "bf16", "sve_bf16"))


@dataclass(frozen=True, kw_only=True)
class InBFloat16:
    """A family whose networks compute in bfloat16 while they train; otherwise ``exact``, whose weights it starts with.

    >>> from giqa_lib.gan import DCGANSettings
    >>> InBFloat16(exact=DCGANSettings(image_size=16, channels=1)).family
    'dcgan in bfloat16'
    """

    exact: Architecture

    @property
    def family(self) -> str:
        """The family's name, set apart."""
        return f"{self.exact.family} in bfloat16"

    @property
    def image_size(self) -> int:
        """Pixels a side."""
        return self.exact.image_size

    @property
    def channels(self) -> int:
        """1 or 3."""
        return self.exact.channels

    @property
    def latent(self) -> int:
        """Width of the latents."""
        return self.exact.latent

    @property
    def average_decay(self) -> float | None:
        """Of the generator's moving average, or None."""
        return self.exact.average_decay

    def networks(self, random: torch.Generator) -> tuple[nn.Module, nn.Module]:
        """The exact family's players, with the same initial weights."""
        generator, discriminator = self.exact.networks(random)
        return _in_bfloat16(generator), _in_bfloat16(discriminator)

    def variant(self, discriminator: nn.Module) -> Variant:
        """The exact family's."""
        return self.exact.variant(discriminator)


def _in_bfloat16(network: nn.Module) -> nn.Module:
    """The network itself, of a class that computes otherwise in training mode: attributes, state and copies are kept."""
    own = type(network)

    class Mixed(own):  # type: ignore[misc, valid-type]
        def forward(self, *inputs: Tensor) -> Any:
            if not self.training:
                return super().forward(*inputs)
            # Entered and left in each call: autocast keeps cast weights until it is left, and the next step's differ.
            with torch.autocast(inputs[0].device.type, dtype=torch.bfloat16):
                return _exact(super().forward(*inputs))

    Mixed.__name__, Mixed.__qualname__ = own.__name__, own.__qualname__
    network.__class__ = Mixed
    return network


def _exact(answers: Any) -> Any:
    """Answers of one or several judges in float32."""
    if isinstance(answers, Tensor):
        return answers.float()
    return type(answers)(_exact(each) for each in answers)
