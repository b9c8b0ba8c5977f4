"""DCGAN (Radford, Metz and Chintala 2016): strided convolutions, batch norm, no dense layer.

Width and image size are arguments; at 64 pixels and width 128 the generator has the paper's
1024-512-256-128 channels. Known departures: none in the layers; the discriminator returns
logits, the objectives take them.
"""

import itertools
import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from giqa_lib.checks import InputError, check_choice, check_positive, error_line
from giqa_lib.gan.trainer import Variant

__all__ = ["DCGANSettings", "Discriminator", "Generator", "new_dcgan"]

INIT_STD = 0.02  # Section 3 of the paper
LEAK = 0.2
FIRST_SIDES = (4, 7)  # of the first feature map: the paper's, and one that reaches 28 pixels


@dataclass(frozen=True, kw_only=True)
class DCGANSettings:
    """Image size (4 or 7 times a power of two, at least 16), channels, width of the layer next to the image."""

    image_size: int = 32
    channels: int = 1
    width: int = 32
    latent: int = 100

    def __post_init__(self) -> None:
        check_positive(self.width, name="width")
        check_positive(self.latent, name="latent")
        check_choice(str(self.channels), ("1", "3"), name="channels")
        known = [side * 2**doublings for side in FIRST_SIDES for doublings in range(2, 9)]
        if self.image_size not in known:
            hint = "pad or resize the images"
            got = str(self.image_size)
            raise InputError(
                error_line("image_size", expected="16, 28, 32, 56, 64, ...", got=got, hint=hint)
            )

    @property
    def family(self) -> str:
        """Its name among the architectures."""
        return "dcgan"

    @property
    def average_decay(self) -> float | None:
        """None: the paper keeps no average of the generator."""
        return None

    def networks(self, random: torch.Generator) -> tuple[nn.Module, nn.Module]:
        """As :func:`new_dcgan`."""
        return new_dcgan(self, random)

    def variant(self, discriminator: nn.Module) -> Variant:
        """The non-saturating objective, nothing more."""
        return Variant()

    @property
    def first_side(self) -> int:
        """Side of the first feature map: 4, or 7 for 28, 56, ... pixels."""
        return FIRST_SIDES[1] if self.image_size % FIRST_SIDES[1] == 0 else FIRST_SIDES[0]

    @property
    def doublings(self) -> int:
        """How often the side doubles from the first feature map to the image."""
        return int(math.log2(self.image_size // self.first_side))


class Generator(nn.Module):
    """Latents (n, latent) to images (n, c, h, w) in [-1, 1]."""

    def __init__(self, settings: DCGANSettings) -> None:
        super().__init__()
        self.settings = settings
        widths = [settings.width * 2**i for i in reversed(range(settings.doublings))]
        layers: list[nn.Module] = [
            nn.ConvTranspose2d(settings.latent, widths[0], settings.first_side, bias=False),
            nn.BatchNorm2d(widths[0]),
            nn.ReLU(inplace=True),
        ]
        for before, after in itertools.pairwise(widths):
            layers += [
                nn.ConvTranspose2d(before, after, 4, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(after),
                nn.ReLU(inplace=True),
            ]
        layers += [
            nn.ConvTranspose2d(widths[-1], settings.channels, 4, stride=2, padding=1, bias=False),
            nn.Tanh(),
        ]
        self.layers = nn.Sequential(*layers)

    def forward(self, latents: Float[Tensor, "n z"]) -> Float[Tensor, "n c h w"]:
        """Generate one image a latent."""
        return self.layers(latents[:, :, None, None])


class Discriminator(nn.Module):
    """Images (n, c, h, w) in [-1, 1] to logits (n,), positive for real."""

    def __init__(self, settings: DCGANSettings) -> None:
        super().__init__()
        widths = [settings.width * 2**i for i in range(settings.doublings)]
        layers: list[nn.Module] = [
            nn.Conv2d(settings.channels, widths[0], 4, stride=2, padding=1, bias=False),
            nn.LeakyReLU(LEAK, inplace=True),
        ]
        for before, after in itertools.pairwise(widths):
            layers += [
                nn.Conv2d(before, after, 4, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(after),
                nn.LeakyReLU(LEAK, inplace=True),
            ]
        layers.append(nn.Conv2d(widths[-1], 1, settings.first_side, bias=False))
        self.layers = nn.Sequential(*layers)

    def forward(self, images: Float[Tensor, "n c h w"]) -> Float[Tensor, " n"]:
        """One logit an image."""
        return self.layers(images).flatten()


def new_dcgan(settings: DCGANSettings, random: torch.Generator) -> tuple[Generator, Discriminator]:
    """A generator and a discriminator with the paper's initial weights, drawn from ``random``.

    Convolutions are N(0, 0.02), batch norm scales N(1, 0.02). The global generator is untouched.

    >>> pair = new_dcgan(DCGANSettings(width=8), torch.Generator().manual_seed(0))
    >>> pair[0](torch.zeros(2, 100)).shape
    torch.Size([2, 1, 32, 32])
    """
    with torch.random.fork_rng(devices=[]):  # layers draw their default weights on construction
        pair = Generator(settings), Discriminator(settings)
    for network in pair:
        for module in network.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
                nn.init.normal_(module.weight, 0.0, INIT_STD, generator=random)
            elif isinstance(module, nn.BatchNorm2d):
                nn.init.normal_(module.weight, 1.0, INIT_STD, generator=random)
        network.to(memory_format=torch.channels_last)  # 8 to 10 % faster on a CPU
    return pair
