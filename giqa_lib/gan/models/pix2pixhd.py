"""pix2pixHD (Wang et al., CVPR 2018): coarse-to-fine translation, judges at several scales, feature matching.

Section 3.2: a global generator of residual blocks works on the halved map; a local enhancer takes the map at
full size, adds the global generator's last features to its own and goes on. Section 3.3's instance maps
are left out. Known departures: the two generators are trained together from the start (the paper trains the
global one first); no VGG loss, which the paper has as an option: its weights come in no package, and a
loss in an ImageNet network's features would favour this model where such features judge.
"""

import itertools
from dataclasses import dataclass
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from giqa_lib.checks import InputError, check_choice, check_positive, error_line
from giqa_lib.gan.models.construction import built
from giqa_lib.gan.models.patch_discriminator import (
    MultiScaleDiscriminator,
    PatchSettings,
    feature_matching,
    halved,
)
from giqa_lib.gan.objectives import LEAST_SQUARES
from giqa_lib.gan.trainer import TrainSettings, Variant

__all__ = ["CoarseToFineGenerator", "Pix2PixHDSettings"]

INIT_STD = 0.02


@dataclass(frozen=True, kw_only=True)
class Pix2PixHDSettings:
    """Image size, channels, classes of the maps, and the two generators' and the judges' sizes.

    ``width`` is the local enhancer's first layer's, half the global generator's, which halves its input
    ``halvings`` times before its residual blocks; the image size must be divisible by
    ``2 ** (halvings + 1)``. The paper's: 1024 x 2048 pixels, ``width`` 32, ``halvings`` 4,
    ``global_blocks`` 9, ``local_blocks`` 3, ``discriminator_width`` 64, ``judge_halvings`` 3, ``scales``
    3, ``matching`` 10.
    """

    image_size: int = 64
    classes: int
    channels: int = 3
    width: int = 8
    halvings: int = 2
    global_blocks: int = 4
    local_blocks: int = 2
    discriminator_width: int = 16
    judge_halvings: int = 2
    scales: int = 2
    matching: float = 10.0

    def __post_init__(self) -> None:
        for name in (
            "classes",
            "width",
            "halvings",
            "global_blocks",
            "local_blocks",
            "discriminator_width",
            "judge_halvings",
            "scales",
        ):
            check_positive(getattr(self, name), name=name)
        check_positive(self.matching, name="matching", zero=True)
        check_choice(str(self.channels), ("1", "3"), name="channels")
        step = 2 ** (self.halvings + 1)
        if self.image_size < 16 or self.image_size % step:
            expected, hint = f"a multiple of {step}, at least 16", "resize images and maps"
            got = str(self.image_size)
            raise InputError(error_line("image_size", expected=expected, got=got, hint=hint))

    @property
    def family(self) -> str:
        """Its name among the architectures."""
        return "pix2pixhd"

    @property
    def latent(self) -> int:
        """0: a map has one translation."""
        return 0

    @property
    def average_decay(self) -> float | None:
        """None: the paper keeps no average of the generator."""
        return None

    def training(self, steps: int, *, batch_size: int = 1) -> TrainSettings:
        """The paper's appendix: Adam(2e-4; 0.5, 0.999)."""
        return TrainSettings(steps=steps, batch_size=batch_size)

    def networks(self, random: torch.Generator) -> tuple[nn.Module, nn.Module]:
        """Generator and discriminator.

        >>> made, judge = Pix2PixHDSettings(classes=2, width=4).networks(torch.Generator())
        >>> [logits.shape[0] for logits in judge(torch.ones(1, 3, 64, 64), torch.ones(1, 2, 64, 64))]
        [1, 1]
        """
        patches = PatchSettings(
            channels=self.channels,
            classes=self.classes,
            width=self.discriminator_width,
            halvings=self.judge_halvings,
            norm="instance",
        )
        return built(
            random,
            lambda: (CoarseToFineGenerator(self), MultiScaleDiscriminator(patches, self.scales)),
        )

    def variant(self, discriminator: nn.Module) -> Variant:
        """Least squares, and feature matching at every scale (Eq. 5)."""
        judge = cast(MultiScaleDiscriminator, discriminator)
        return Variant(
            objective=LEAST_SQUARES, generator_extra=feature_matching(judge, self.matching)
        )


class CoarseToFineGenerator(nn.Module):
    """One-hot maps (n, k, h, w) to images (n, c, h, w) in [-1, 1]; latents (n, 0) are not looked at."""

    def __init__(self, settings: Pix2PixHDSettings) -> None:
        super().__init__()
        width, wide = settings.width, 2 * settings.width
        self.coarse = global_features(
            settings.classes, wide, settings.halvings, settings.global_blocks
        )
        self.entry = nn.Sequential(_edge(settings.classes, width), _down(width, wide))
        blocks = [ResidualBlock(wide) for _ in range(settings.local_blocks)]
        self.fine = nn.Sequential(*blocks, _up(wide, width))
        self.last = nn.Sequential(
            nn.ReflectionPad2d(3), _plain(nn.Conv2d(width, settings.channels, 7)), nn.Tanh()
        )

    def forward(
        self, latents: Float[Tensor, "n z"], maps: Float[Tensor, "n k h w"]
    ) -> Float[Tensor, "n c h w"]:
        """Translate each map."""
        image: Tensor = self.last(self.fine(self.entry(maps) + self.coarse(halved(maps))))
        return image


def global_features(classes: int, width: int, halvings: int, blocks: int) -> nn.Sequential:
    """The global generator without its last layer: maps to ``width`` channels of the same size.

    >>> global_features(2, 4, 1, 1)(torch.ones(1, 2, 16, 16)).shape
    torch.Size([1, 4, 16, 16])
    """
    widths = [width * 2**i for i in range(halvings + 1)]
    down = [_down(a, b) for a, b in itertools.pairwise(widths)]
    middle = [ResidualBlock(widths[-1]) for _ in range(blocks)]
    up = [_up(b, a) for a, b in reversed(list(itertools.pairwise(widths)))]
    return nn.Sequential(_edge(classes, width), *down, *middle, *up)


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions with instance norm beside the identity (Johnson et al., ECCV 2016).

    >>> ResidualBlock(4)(torch.ones(1, 4, 8, 8)).shape
    torch.Size([1, 4, 8, 8])
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for _ in range(2):
            layers += [
                nn.ReflectionPad2d(1),
                _plain(nn.Conv2d(width, width, 3)),
                nn.InstanceNorm2d(width),
                nn.ReLU(),
            ]
        self.layers = nn.Sequential(*layers[:-1])

    def forward(self, images: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        """Add the block's own part."""
        changed: Tensor = images + self.layers(images)
        return changed


def _edge(before: int, after: int) -> nn.Module:
    convolution = _plain(nn.Conv2d(before, after, 7))
    return nn.Sequential(nn.ReflectionPad2d(3), convolution, nn.InstanceNorm2d(after), nn.ReLU())


def _down(before: int, after: int) -> nn.Module:
    convolution = _plain(nn.Conv2d(before, after, 3, stride=2, padding=1))
    return nn.Sequential(convolution, nn.InstanceNorm2d(after), nn.ReLU())


def _up(before: int, after: int) -> nn.Module:
    convolution = nn.ConvTranspose2d(before, after, 3, stride=2, padding=1, output_padding=1)
    return nn.Sequential(_plain(convolution), nn.InstanceNorm2d(after), nn.ReLU())


def _plain(convolution: nn.Conv2d | nn.ConvTranspose2d) -> nn.Module:
    """The convolution with the paper's first weights, N(0, 0.02)."""
    nn.init.normal_(convolution.weight, 0.0, INIT_STD)
    return convolution
