"""pix2pix (Isola et al., CVPR 2017): a U-Net from label maps to images, a PatchGAN, an L1 loss.

Section 6.1 of the paper: encoder C64-C128-C256-C512-...-C512 of 4 x 4 convolutions that halve the side down to
one pixel, a decoder that mirrors it, and a skip connection from each encoder layer to the decoder layer of
the same side. Dropout in the decoder's first layers is the only noise. Known departures: dropout acts in
training only (the paper keeps it on when it translates, and finds that it changes little), so that a
translation repeats; normalisation is by image, what the paper's batch norm at batch size 1 is, so that a
translation does not depend on its batch; the convolutions of the discriminator pad by 2, as pix2pixHD's do.
"""

import itertools
import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from giqa_lib.checks import (
    InputError,
    check_choice,
    check_positive,
    check_probability,
    error_line,
)
from giqa_lib.gan.feeds import Batch
from giqa_lib.gan.models.construction import built
from giqa_lib.gan.models.patch_discriminator import PatchDiscriminator, PatchSettings
from giqa_lib.gan.objectives import NON_SATURATING
from giqa_lib.gan.trainer import TrainSettings, Variant

__all__ = ["Pix2PixSettings", "UNetGenerator"]

WIDEST = 8  # times the first layer's channels
DROPPED = 3  # decoder layers with dropout, at most; only layers of full width have any
INIT_STD = 0.02
LEAK = 0.2


@dataclass(frozen=True, kw_only=True)
class Pix2PixSettings:
    """Image size (a power of two, at least 16), channels, classes of the maps, widths, patch, L1's weight.

    The paper's: 256 pixels, ``width`` and ``discriminator_width`` 64, ``halvings`` 3 (patches of 70 pixels),
    ``l1`` 100, ``dropout`` 0.5.
    """

    image_size: int = 64
    classes: int
    channels: int = 3
    width: int = 16
    discriminator_width: int = 16
    halvings: int = 2
    l1: float = 100.0
    dropout: float = 0.5

    def __post_init__(self) -> None:
        for name in ("classes", "width", "discriminator_width", "halvings"):
            check_positive(getattr(self, name), name=name)
        check_positive(self.l1, name="l1", zero=True)
        check_probability(self.dropout, name="dropout")
        check_choice(str(self.channels), ("1", "3"), name="channels")
        if self.image_size < 16 or self.image_size & (self.image_size - 1):
            got, hint = str(self.image_size), "resize images and maps"
            raise InputError(
                error_line("image_size", expected="16, 32, 64, ...", got=got, hint=hint)
            )

    @property
    def family(self) -> str:
        """Its name among the architectures."""
        return "pix2pix"

    @property
    def latent(self) -> int:
        """0: dropout is its noise."""
        return 0

    @property
    def average_decay(self) -> float | None:
        """None: the paper keeps no average of the generator."""
        return None

    @property
    def widths(self) -> tuple[int, ...]:
        """Channels of the encoder's layers, from the image to the one pixel."""
        return tuple(self.width * min(2**i, WIDEST) for i in range(int(math.log2(self.image_size))))

    def training(self, steps: int, *, batch_size: int = 1) -> TrainSettings:
        """The paper's Section 3.3: Adam(2e-4; 0.5, 0.999); batch size 1 for Cityscapes."""
        return TrainSettings(steps=steps, batch_size=batch_size)

    def networks(self, random: torch.Generator) -> tuple[nn.Module, nn.Module]:
        """Generator and discriminator.

        >>> made, _ = Pix2PixSettings(image_size=16, classes=2, width=4).networks(torch.Generator())
        >>> made(torch.zeros(1, 0), torch.ones(1, 2, 16, 16)).shape
        torch.Size([1, 3, 16, 16])
        """
        patches = PatchSettings(
            channels=self.channels,
            classes=self.classes,
            width=self.discriminator_width,
            halvings=self.halvings,
        )
        return built(random, lambda: (UNetGenerator(self), PatchDiscriminator(patches)))

    def variant(self, discriminator: nn.Module) -> Variant:
        """The non-saturating objective, and L1 to the real image (Eq. 3)."""

        def distance(fake: Tensor, real: Batch) -> Tensor:
            return self.l1 * functional.l1_loss(fake, real.images)

        return Variant(objective=NON_SATURATING, generator_extra=distance)


class UNetGenerator(nn.Module):
    """One-hot maps (n, k, h, w) to images (n, c, h, w) in [-1, 1]; latents (n, 0) are not looked at."""

    def __init__(self, settings: Pix2PixSettings) -> None:
        super().__init__()
        widths = settings.widths
        convolutions = [_convolution(settings.classes, widths[0])]
        convolutions += [_convolution(a, b) for a, b in itertools.pairwise(widths)]
        # The first layer takes the map as it is; the last has one pixel, which has no spread to norm.
        middle = [
            nn.Sequential(nn.LeakyReLU(LEAK), each, nn.InstanceNorm2d(each.out_channels))
            for each in convolutions[1:-1]
        ]
        innermost = nn.Sequential(nn.LeakyReLU(LEAK), convolutions[-1])
        self.down = nn.ModuleList([convolutions[0], *middle, innermost])
        full = sum(width == WIDEST * settings.width for width in widths[:-1])
        dropped = min(DROPPED, full)
        self.up = nn.ModuleList()
        before = widths[-1]
        for number, width in enumerate(reversed(widths[:-1])):
            rate = settings.dropout if number < dropped else 0.0
            self.up.append(_up(before, width, dropout=rate))
            before = 2 * width  # the skip connection's channels beside its own
        last = nn.ConvTranspose2d(before, settings.channels, 4, stride=2, padding=1)
        nn.init.normal_(last.weight, 0.0, INIT_STD)
        self.last = nn.Sequential(nn.ReLU(), last, nn.Tanh())

    def forward(
        self, latents: Float[Tensor, "n z"], maps: Float[Tensor, "n k h w"]
    ) -> Float[Tensor, "n c h w"]:
        """Translate each map."""
        skips = []
        current = maps
        for down in self.down:
            current = down(current)
            skips.append(current)
        for up, skip in zip(self.up, reversed(skips[:-1]), strict=True):
            current = torch.cat([up(current), skip], dim=1)
        image: Tensor = self.last(current)
        return image


def _convolution(before: int, after: int) -> nn.Conv2d:
    made = nn.Conv2d(before, after, 4, stride=2, padding=1)
    nn.init.normal_(made.weight, 0.0, INIT_STD)
    return made


def _up(before: int, after: int, *, dropout: float) -> nn.Module:
    convolution = nn.ConvTranspose2d(before, after, 4, stride=2, padding=1)
    nn.init.normal_(convolution.weight, 0.0, INIT_STD)
    layers: list[nn.Module] = [nn.ReLU(), convolution, nn.InstanceNorm2d(after)]
    return nn.Sequential(*layers, *([nn.Dropout(dropout)] if dropout else []))
