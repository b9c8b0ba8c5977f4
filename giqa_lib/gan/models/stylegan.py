r"""StyleGAN (Karras et al. 2019): a mapped latent sets the style of every layer, noise its detail.

A mapping network takes z to w; each convolution's output gets noise and is normalised and restyled,

.. math:: \text{AdaIN}(x, w) = (1 + s(w))\, \frac{x - \mu(x)}{\sigma(x)} + b(w).

In training a part of the images takes the styles of a second latent from a random layer on (mixing),
and the average :math:`\bar w` is followed; truncation draws styles towards it,
:math:`w' = \bar w + \psi (w - \bar w)`. Non-saturating loss with R1, moving average of the generator.
Departures: trained at full resolution from the start; no blur after enlarging.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from giqa_lib.checks import check_positive, check_probability
from giqa_lib.gan.feeds import Batch
from giqa_lib.gan.models.construction import built
from giqa_lib.gan.models.equalised import EqualisedConv2d, EqualisedLinear, pixel_norm
from giqa_lib.gan.models.pggan import (
    FIRST_SIDE,
    LEAK,
    GrowingDiscriminator,
    check_growing_sizes,
    growing_training,
    stage_widths,
)
from giqa_lib.gan.objectives import NON_SATURATING, real_gradient_penalty
from giqa_lib.gan.trainer import TrainSettings, Variant

__all__ = ["StyleGANSettings", "StyleGenerator"]

MAPPING_RATE = 0.01  # Appendix C: the mapping learns a hundred times slower
FOLLOW = 0.995  # of the average latent, Appendix B


@dataclass(frozen=True, kw_only=True)
class StyleGANSettings:
    """``width`` channels at the image's resolution, doubled below it up to ``most_width``.

    ``mapping`` dense layers; ``mixing`` the share of images with two latents; ``gamma`` weighs R1.
    """

    image_size: int = 32
    channels: int = 1
    width: int = 16
    most_width: int = 64
    latent: int = 64
    mapping: int = 4
    mixing: float = 0.9
    gamma: float = 10.0
    average_decay: float = 0.999

    def __post_init__(self) -> None:
        check_growing_sizes(
            self.image_size, self.channels, self.width, self.most_width, self.latent
        )
        check_positive(self.mapping, name="mapping")
        check_positive(self.gamma, name="gamma", zero=True)
        check_probability(self.mixing, name="mixing")
        check_probability(self.average_decay, name="average_decay")

    @classmethod
    def paper(cls, image_size: int = 1024) -> "StyleGANSettings":
        """The paper's sizes: 512 channels up to 32 pixels, 16 at 1024; eight mapping layers."""
        width = min(512, 16 * 1024 // image_size)
        return cls(
            image_size=image_size,
            channels=3,
            width=width,
            most_width=512,
            latent=512,
            mapping=8,
        )

    @property
    def family(self) -> str:
        """Its name among the architectures."""
        return "stylegan"

    def training(self, steps: int, *, batch_size: int = 64) -> TrainSettings:
        """Appendix C; as PGGAN's."""
        return growing_training(steps, batch_size)

    def networks(self, random: torch.Generator) -> tuple[nn.Module, nn.Module]:
        """Generator and discriminator.

        >>> made = StyleGANSettings(width=4).networks(torch.Generator().manual_seed(0))
        >>> made[1](made[0](torch.zeros(2, 64))).shape
        torch.Size([2])
        """
        widths = stage_widths(self.image_size, self.width, self.most_width)
        whole = float(len(widths) - 1)
        return built(
            random,
            lambda: (
                StyleGenerator(
                    widths, self.channels, self.latent, mapping=self.mapping, mixing=self.mixing
                ),
                GrowingDiscriminator(widths, self.channels, growth=whole),
            ),
        )

    def variant(self, discriminator: nn.Module) -> Variant:
        """Non-saturating losses, R1 on the discriminator."""

        def penalty(real: Batch, fake: Tensor, random: torch.Generator) -> Tensor:
            return self.gamma * real_gradient_penalty(discriminator, real.images)

        return Variant(objective=NON_SATURATING, discriminator_extra=penalty)


class StyleLayer(nn.Module):
    """Noise, leaky ReLU and a style on features that came out of a convolution."""

    noise: Tensor

    def __init__(self, width: int, side: int, latent: int) -> None:
        super().__init__()
        self.strength = nn.Parameter(torch.zeros(width))
        self.style = EqualisedLinear(latent, 2 * width, gain=1.0)
        self.register_buffer("noise", torch.randn(1, 1, side, side))

    def forward(
        self, features: Float[Tensor, "n c h w"], styles: Float[Tensor, "n z"]
    ) -> Float[Tensor, "n c h w"]:
        """AdaIN; in evaluation mode the noise is the same for every image."""
        noise = self.noise
        if self.training:
            noise = torch.randn(
                len(features), *noise.shape[1:], dtype=features.dtype, device=features.device
            )
        features = features + self.strength[:, None, None] * noise
        features = functional.instance_norm(functional.leaky_relu(features, LEAK))
        scale, shift = self.style(styles)[:, :, None, None].chunk(2, dim=1)
        return features * (1 + scale) + shift


class StyleGenerator(nn.Module):
    """Latents (n, z) to images (n, c, h, w), linear output; styles by layer, noise fixed in evaluation mode."""

    average: Tensor

    def __init__(
        self, widths: list[int], channels: int, latent: int, *, mapping: int, mixing: float
    ) -> None:
        super().__init__()
        self.mixing = mixing
        self.mapping = nn.ModuleList(
            EqualisedLinear(latent, latent, rate=MAPPING_RATE) for _ in range(mapping)
        )
        self.constant = nn.Parameter(torch.ones(1, widths[0], FIRST_SIDE, FIRST_SIDE))
        befores = [widths[0], *[w for w in widths for _ in (0, 1)]]
        afters = [w for w in widths for _ in (0, 1)]
        sides = [FIRST_SIDE * 2**k for k in range(len(widths)) for _ in (0, 1)]
        self.layers = nn.ModuleList(
            StyleLayer(after, side, latent) for after, side in zip(afters, sides, strict=True)
        )
        # The first layer styles the constant itself.
        self.convolutions = nn.ModuleList(
            EqualisedConv2d(before, after, 3)
            for before, after in zip(befores[1:], afters[1:], strict=False)
        )
        self.to_image = EqualisedConv2d(widths[-1], channels, 1, gain=1.0)
        self.register_buffer("average", torch.zeros(latent))

    def forward(self, latents: Float[Tensor, "n z"]) -> Float[Tensor, "n c h w"]:
        """Generate; in training mode styles are mixed and their average followed."""
        styles = self.styles(latents)
        if not self.training:
            return self.synthesise([styles] * len(self.layers))
        with torch.no_grad():
            self.average.lerp_(styles.mean(0), 1 - FOLLOW)
        other = self.styles(torch.randn_like(latents))
        crossover = torch.randint(1, len(self.layers), (len(latents), 1), device=latents.device)
        never = torch.rand(len(latents), 1, device=latents.device) >= self.mixing
        crossover = crossover.masked_fill(never, len(self.layers))
        return self.synthesise(
            [torch.where(place < crossover, styles, other) for place in range(len(self.layers))]
        )

    def styles(self, latents: Float[Tensor, "n z"]) -> Float[Tensor, "n z"]:
        """The mapping network: z to w."""
        mapped = pixel_norm(latents)
        for layer in self.mapping:
            mapped = functional.leaky_relu(layer(mapped), LEAK)
        return mapped

    def truncated(self, latents: Float[Tensor, "n z"], psi: float) -> Float[Tensor, "n c h w"]:
        """Images with styles drawn towards the average: all of it at psi 0, none at 1."""
        styles = torch.lerp(self.average, self.styles(latents), psi)
        return self.synthesise([styles] * len(self.layers))

    def synthesise(self, styles: list[Tensor]) -> Tensor:
        """Images from one style (n, z) a layer."""
        features = self.constant.expand(len(styles[0]), -1, -1, -1)
        for place, layer in enumerate(self.layers):
            if place > 0:
                if place % 2 == 0:
                    features = functional.interpolate(features, scale_factor=2)
                features = self.convolutions[place - 1](features)
            features = layer(features, styles[place])
        return self.to_image(features)
