r"""PEN-Net (Zeng et al., CVPR 2019): holes in images filled by a pyramid-context encoder, after AttGF-IQA's inpainting domain.

An encoder of strided convolutions; from its deepest features upwards, each finer level's part of the hole is filled by
attention transfer, then looked at with four dilations; a decoder joins the filled levels. What is known of the image stays,

.. math:: \hat x = (1 - m) \odot x + m \odot G(x \odot (1 - m), m), \qquad
    L = \tfrac{\lambda}{3} \sum_{s \in \{1, 2, 4\}} \lVert \downarrow_s \hat x - \downarrow_s x \rVert_1 + L_\text{adv},

hinge losses with a spectrally normalised patch discriminator. Departures: the paper supervises an image of its own at each
scale of the decoder, here the one image is compared at each; widths are small; the weight of L1 is ours.
"""

import itertools
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from giqa_lib.checks import InputError, check_choice, check_positive, error_line
from giqa_lib.gan.feeds import Batch
from giqa_lib.gan.models.attention_transfer import transfer_attention
from giqa_lib.gan.models.construction import built
from giqa_lib.gan.models.patch_discriminator import PatchDiscriminator, PatchSettings
from giqa_lib.gan.objectives import HINGE
from giqa_lib.gan.trainer import TrainSettings, Variant

__all__ = ["PENNetSettings", "PyramidContextGenerator"]

WIDEST = 8  # times the first layer's channels
LEAK = 0.2
DILATIONS = (1, 2, 4, 8)
SCALES = (1, 2, 4)


@dataclass(frozen=True, kw_only=True)
class PENNetSettings:
    """Image size (a power of two, at least 16), channels, widths, levels of the encoder, patch, L1's weight.

    At 256 pixels the paper has ``width`` 64 and 6 ``levels``.
    """

    image_size: int = 32
    channels: int = 3
    width: int = 16
    levels: int = 3
    discriminator_width: int = 16
    halvings: int = 2
    l1: float = 60.0

    def __post_init__(self) -> None:
        for name in ("width", "discriminator_width", "halvings"):
            check_positive(getattr(self, name), name=name)
        check_positive(self.l1, name="l1", zero=True)
        check_choice(str(self.channels), ("1", "3"), name="channels")
        if self.image_size < 16 or self.image_size & (self.image_size - 1):
            got, hint = str(self.image_size), "resize the images"
            raise InputError(
                error_line("image_size", expected="16, 32, 64, ...", got=got, hint=hint)
            )
        # With fewer than two levels nothing is transferred; below 4 x 4 places a hole may leave none outside.
        most = (self.image_size // 4).bit_length() - 1
        if not 2 <= self.levels <= most:
            got, hint = str(self.levels), "the deepest features have 4 x 4 places or more"
            raise InputError(error_line("levels", expected=f"2 to {most}", got=got, hint=hint))

    @property
    def family(self) -> str:
        """Its name among the architectures."""
        return "pennet"

    @property
    def latent(self) -> int:
        """0: a hole has one filling."""
        return 0

    @property
    def average_decay(self) -> float | None:
        """None: no average of the generator is kept."""
        return None

    @property
    def widths(self) -> tuple[int, ...]:
        """Channels of the encoder's levels, from the image on."""
        return tuple(self.width * min(2**level, WIDEST) for level in range(self.levels))

    def training(self, steps: int, *, batch_size: int = 32) -> TrainSettings:
        """Adam(2e-4; 0.5, 0.999); the official code's rate is 1e-4, for a hundred times the steps."""
        return TrainSettings(steps=steps, batch_size=batch_size)

    def networks(self, random: torch.Generator) -> tuple[nn.Module, nn.Module]:
        """Generator and discriminator, both called with the holed images and the holes.

        >>> made, _ = PENNetSettings(image_size=16, width=4, levels=2).networks(torch.Generator())
        >>> made(torch.zeros(1, 0), torch.ones(1, 3, 16, 16), torch.zeros(1, 1, 16, 16)).unique().tolist()
        [1.0]
        """
        patches = PatchSettings(
            channels=self.channels,
            classes=1,
            width=self.discriminator_width,
            halvings=self.halvings,
            norm="instance",
            spectral=True,
        )
        return built(random, lambda: (PyramidContextGenerator(self), _FillingJudge(patches)))

    def variant(self, discriminator: nn.Module) -> Variant:
        """The hinge objective, and L1 to the whole image at three scales."""

        def distance(fake: Tensor, real: Batch) -> Tensor:
            losses = [
                functional.l1_loss(_shrunk(fake, side), _shrunk(real.images, side))
                for side in SCALES
            ]
            return self.l1 * torch.stack(losses).mean()

        return Variant(objective=HINGE, generator_extra=distance)


class PyramidContextGenerator(nn.Module):
    """Images (n, c, h, w) in [-1, 1] with holes (n, 1, h, w), 1 inside, to whole images; latents (n, 0) are not looked at."""

    def __init__(self, settings: PENNetSettings) -> None:
        super().__init__()
        widths = settings.widths
        down = [nn.Conv2d(settings.channels + 1, widths[0], 4, stride=2, padding=1)]
        down += [nn.Conv2d(a, b, 4, stride=2, padding=1) for a, b in itertools.pairwise(widths)]
        self.down = nn.ModuleList(down)
        self.context = nn.ModuleList(_Context(width) for width in widths[:-1])
        self.up = nn.ModuleList(
            nn.Conv2d(fine + deep, fine, 3, padding=1) for fine, deep in itertools.pairwise(widths)
        )
        self.last = nn.Conv2d(widths[0], settings.channels, 3, padding=1)

    def forward(
        self,
        latents: Float[Tensor, "n z"],
        holed: Float[Tensor, "n c h w"],
        holes: Float[Tensor, "n 1 h w"],
    ) -> Float[Tensor, "n c h w"]:
        """Fill each hole; pixels outside are returned as they are."""
        current = torch.cat([holed * (1 - holes), holes], dim=1)
        levels = []
        for down in self.down:
            current = functional.leaky_relu(down(current), LEAK)
            levels.append(current)
        filled = [levels[-1]]  # from deep to fine
        for level, context in zip(reversed(levels[:-1]), reversed(self.context), strict=True):
            filled.append(context(transfer_attention(level, filled[-1], holes)))
        current = filled[0]
        for level, up in zip(filled[1:], reversed(self.up), strict=True):
            current = functional.leaky_relu(up(torch.cat([level, _doubled(current)], dim=1)), LEAK)
        image = self.last(_doubled(current)).tanh()
        return torch.where(holes > 0, image, holed)


class _Context(nn.Module):
    """Features (n, d, h, w) seen at four dilations, joined and added to what they were."""

    def __init__(self, width: int) -> None:
        super().__init__()
        part = max(1, width // len(DILATIONS))
        self.views = nn.ModuleList(
            nn.Conv2d(width, part, 3, padding=rate, dilation=rate) for rate in DILATIONS
        )
        self.join = nn.Conv2d(part * len(DILATIONS), width, 1)

    def forward(self, features: Float[Tensor, "n d h w"]) -> Float[Tensor, "n d h w"]:
        seen = torch.cat([view(features) for view in self.views], dim=1)
        return features + self.join(functional.leaky_relu(seen, LEAK))


class _FillingJudge(nn.Module):
    """A patch discriminator of whole images that is told where the hole was."""

    def __init__(self, settings: PatchSettings) -> None:
        super().__init__()
        self.patches = PatchDiscriminator(settings)

    def forward(
        self,
        images: Float[Tensor, "n c h w"],
        holed: Float[Tensor, "n c h w"],
        holes: Float[Tensor, "n 1 h w"],
    ) -> Float[Tensor, "n 1 rows columns"]:
        return self.patches(images, holes)


def _doubled(features: Tensor) -> Tensor:
    return functional.interpolate(features, scale_factor=2)


def _shrunk(images: Tensor, side: int) -> Tensor:
    return functional.avg_pool2d(images, side) if side > 1 else images
