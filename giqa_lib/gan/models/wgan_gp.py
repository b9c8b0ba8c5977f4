"""WGAN-GP (Gulrajani et al. 2017): a Wasserstein critic held to slope 1 by a gradient penalty.

The generator is DCGAN's; the critic is DCGAN's discriminator without batch norm, which would make an
image's slope depend on its batch (Section 4 of the paper; of its architectures this is the DCGAN one).
"""

import itertools
from dataclasses import asdict, dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from giqa_lib.checks import check_positive
from giqa_lib.gan.feeds import Batch
from giqa_lib.gan.models.construction import built
from giqa_lib.gan.models.dcgan import LEAK, DCGANSettings, Generator
from giqa_lib.gan.objectives import WASSERSTEIN, gradient_penalty
from giqa_lib.gan.trainer import TrainSettings, Variant

__all__ = ["Critic", "WGANGPSettings"]


@dataclass(frozen=True, kw_only=True)
class WGANGPSettings:
    """Sizes as of :class:`DCGANSettings`; ``penalty`` weighs the gradient penalty (the paper's lambda)."""

    image_size: int = 32
    channels: int = 1
    width: int = 32
    latent: int = 128
    penalty: float = 10.0

    def __post_init__(self) -> None:
        check_positive(self.penalty, name="penalty")
        self._dcgan()

    @property
    def family(self) -> str:
        """Its name among the architectures."""
        return "wgan-gp"

    @property
    def average_decay(self) -> float | None:
        """None: the paper keeps no average of the generator."""
        return None

    def training(self, steps: int, *, batch_size: int = 64) -> TrainSettings:
        """The paper's Algorithm 1: five critic steps, Adam(1e-4; 0, 0.9)."""
        return TrainSettings(
            steps=steps,
            batch_size=batch_size,
            generator_rate=1e-4,
            discriminator_rate=1e-4,
            betas=(0.0, 0.9),
            discriminator_steps=5,
        )

    def networks(self, random: torch.Generator) -> tuple[nn.Module, nn.Module]:
        """Generator and critic.

        >>> made = WGANGPSettings(width=8).networks(torch.Generator().manual_seed(0))
        >>> made[1](made[0](torch.zeros(2, 128))).shape
        torch.Size([2])
        """
        return built(random, lambda: (Generator(self._dcgan()), Critic(self._dcgan())))

    def variant(self, discriminator: nn.Module) -> Variant:
        """Wasserstein losses, and the penalty on the critic."""

        def penalty(real: Batch, fake: Tensor, random: torch.Generator) -> Tensor:
            return self.penalty * gradient_penalty(discriminator, real.images, fake, random)

        return Variant(objective=WASSERSTEIN, discriminator_extra=penalty)

    def _dcgan(self) -> DCGANSettings:
        sizes = {key: value for key, value in asdict(self).items() if key != "penalty"}
        return DCGANSettings(**sizes)


class Critic(nn.Module):
    """Images (n, c, h, w) in [-1, 1] to values (n,), larger for real; no image sees another."""

    def __init__(self, settings: DCGANSettings) -> None:
        super().__init__()
        widths = [settings.width * 2**i for i in range(settings.doublings)]
        layers: list[nn.Module] = []
        for before, after in itertools.pairwise([settings.channels, *widths]):
            layers += [nn.Conv2d(before, after, 4, stride=2, padding=1), nn.LeakyReLU(LEAK)]
        layers.append(nn.Conv2d(widths[-1], 1, settings.first_side))
        self.layers = nn.Sequential(*layers)

    def forward(self, images: Float[Tensor, "n c h w"]) -> Float[Tensor, " n"]:
        """One value an image."""
        return self.layers(images).flatten()
