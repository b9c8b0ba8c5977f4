r"""SPADE (Park et al., CVPR 2019): the label map scales and shifts normalised features, place by place.

.. math:: \gamma_{c,y,x}(m)\, \frac{h_{n,c,y,x} - \mu_c}{\sigma_c} + \beta_{c,y,x}(m)

(Eq. 1; the official code has :math:`1 + \gamma`, as here.) Batch norm without weights of its own, then
gamma and beta from a small convolutional network on the map, resized to the layer. The generator begins
with a latent, or with the downsampled map, and has such a norm in every residual block; spectral norm in
both players, hinge loss, judges at several scales, feature matching. Known departures: batch norm over one
device; no VGG loss (see :mod:`giqa_lib.gan.models.pix2pixhd`); no image encoder.
"""

import itertools
from dataclasses import dataclass
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm

from giqa_lib.checks import InputError, check_choice, check_positive, error_line
from giqa_lib.gan.models.construction import built
from giqa_lib.gan.models.patch_discriminator import (
    MultiScaleDiscriminator,
    PatchSettings,
    feature_matching,
)
from giqa_lib.gan.objectives import HINGE
from giqa_lib.gan.trainer import TrainSettings, Variant

__all__ = ["SPADE", "SPADEBlock", "SPADEGenerator", "SPADESettings"]

INIT_GAIN = 0.02
LEAK = 0.2


@dataclass(frozen=True, kw_only=True)
class SPADESettings:
    """Image size, channels, classes of the maps, latent, and the players' sizes.

    ``latent`` 0 begins with the downsampled map. ``width`` is the last block's, widths double towards the
    start; the image is ``2 ** doublings`` times as large as the first features. ``hidden`` is the width of
    the network from the map to gamma and beta. The paper's: 256 pixels, ``doublings`` 5, ``width`` and
    ``discriminator_width`` 64, ``hidden`` 128, ``halvings`` 3, ``scales`` 2, ``matching`` 10.
    """

    image_size: int = 64
    classes: int
    channels: int = 3
    latent: int = 0
    width: int = 16
    doublings: int = 4
    hidden: int = 32
    discriminator_width: int = 16
    halvings: int = 2
    scales: int = 2
    matching: float = 10.0

    def __post_init__(self) -> None:
        for name in (
            "classes",
            "width",
            "doublings",
            "hidden",
            "discriminator_width",
            "halvings",
            "scales",
        ):
            check_positive(getattr(self, name), name=name)
        for name in ("latent", "matching"):
            check_positive(getattr(self, name), name=name, zero=True)
        check_choice(str(self.channels), ("1", "3"), name="channels")
        step = 2**self.doublings
        if self.doublings < 2 or self.image_size < 16 or self.image_size % step:
            expected = f"a multiple of {step}, at least 16"
            hint = "resize images and maps, or take 2 doublings or more"
            got = f"{self.image_size} with {self.doublings} doublings"
            raise InputError(error_line("image_size", expected=expected, got=got, hint=hint))

    @property
    def family(self) -> str:
        """Its name among the architectures."""
        return "spade"

    @property
    def average_decay(self) -> float | None:
        """None: the paper keeps no average of the generator."""
        return None

    @property
    def widths(self) -> tuple[int, ...]:
        """Channels of the blocks that follow a doubling, all but the first; the last is ``width``."""
        return tuple(self.width * 2**i for i in reversed(range(self.doublings - 1)))

    def training(self, steps: int, *, batch_size: int = 32) -> TrainSettings:
        """The paper's Section 4: Adam(1e-4 and 4e-4; 0, 0.999), batch size 32.

        The paper prints betas 0 and 0.999; the official code has 0 and 0.9.
        """
        return TrainSettings(
            steps=steps,
            batch_size=batch_size,
            generator_rate=1e-4,
            discriminator_rate=4e-4,
            betas=(0.0, 0.999),
        )

    def networks(self, random: torch.Generator) -> tuple[nn.Module, nn.Module]:
        """Generator and discriminator.

        >>> made, _ = SPADESettings(classes=2, latent=8, width=4).networks(torch.Generator())
        >>> made(torch.zeros(2, 8), torch.ones(2, 2, 64, 64)).shape
        torch.Size([2, 3, 64, 64])
        """
        patches = PatchSettings(
            channels=self.channels,
            classes=self.classes,
            width=self.discriminator_width,
            halvings=self.halvings,
            norm="instance",
            spectral=True,
        )
        return built(
            random, lambda: (SPADEGenerator(self), MultiScaleDiscriminator(patches, self.scales))
        )

    def variant(self, discriminator: nn.Module) -> Variant:
        """The hinge objective, and feature matching at every scale."""
        judge = cast(MultiScaleDiscriminator, discriminator)
        return Variant(objective=HINGE, generator_extra=feature_matching(judge, self.matching))


class SPADE(nn.Module):
    """Features (n, c, h, w) normalised over the batch, then scaled and shifted by the map at each place."""

    def __init__(self, width: int, classes: int, hidden: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(width, affine=False)
        self.shared = nn.Sequential(_convolution(classes, hidden), nn.ReLU())
        self.gamma = _convolution(hidden, width)
        self.beta = _convolution(hidden, width)

    def forward(
        self, features: Float[Tensor, "n c h w"], maps: Float[Tensor, "n k height width"]
    ) -> Float[Tensor, "n c h w"]:
        """Modulate; the map is resized to the features by nearest neighbours."""
        shared = self.shared(_fitted(maps, features.shape[2]))
        modulated: Tensor = self.norm(features) * (1 + self.gamma(shared)) + self.beta(shared)
        return modulated


class SPADEBlock(nn.Module):
    """A residual block with SPADE before each of its two convolutions, and in the shortcut where widths differ."""

    def __init__(self, before: int, after: int, settings: SPADESettings) -> None:
        super().__init__()
        middle = min(before, after)
        self.norms = nn.ModuleList(
            SPADE(width, settings.classes, settings.hidden) for width in (before, middle)
        )
        self.convolutions = nn.ModuleList(
            [
                spectral_norm(_convolution(before, middle)),
                spectral_norm(_convolution(middle, after)),
            ]
        )
        self.shortcut_norm, self.shortcut = None, None
        if before != after:
            self.shortcut_norm = SPADE(before, settings.classes, settings.hidden)
            self.shortcut = spectral_norm(_convolution(before, after, kernel=1))

    def forward(
        self, features: Float[Tensor, "n before h w"], maps: Float[Tensor, "n k height width"]
    ) -> Float[Tensor, "n after h w"]:
        """Add the block's own part to the shortcut."""
        changed = features
        for norm, convolution in zip(self.norms, self.convolutions, strict=True):
            changed = convolution(functional.leaky_relu(norm(changed, maps), LEAK))
        if self.shortcut is None or self.shortcut_norm is None:
            return features + changed
        total: Tensor = self.shortcut(self.shortcut_norm(features, maps)) + changed
        return total


class SPADEGenerator(nn.Module):
    """Latents (n, z) and one-hot maps (n, k, h, w) to images (n, c, h, w) in [-1, 1]."""

    def __init__(self, settings: SPADESettings) -> None:
        super().__init__()
        self.first_side = settings.image_size // 2**settings.doublings
        wide = 2 * settings.widths[0]
        self.start = (
            nn.Linear(settings.latent, wide * self.first_side**2)
            if settings.latent
            else _convolution(settings.classes, wide)
        )
        self.head = nn.ModuleList(SPADEBlock(wide, wide, settings) for _ in range(3))
        pairs = itertools.pairwise([wide, *settings.widths])
        self.up = nn.ModuleList(SPADEBlock(a, b, settings) for a, b in pairs)
        self.last = _convolution(settings.width, settings.channels)

    def forward(
        self, latents: Float[Tensor, "n z"], maps: Float[Tensor, "n k h w"]
    ) -> Float[Tensor, "n c h w"]:
        """Translate each map."""
        first, *rest = self.head
        current = _doubled(first(self._begin(latents, maps), maps))
        for block in rest:
            current = block(current, maps)
        for block in self.up:
            current = block(_doubled(current), maps)
        return torch.tanh(self.last(functional.leaky_relu(current, LEAK)))

    def _begin(self, latents: Tensor, maps: Tensor) -> Tensor:
        if isinstance(self.start, nn.Linear):
            return self.start(latents).unflatten(1, (-1, self.first_side, self.first_side))
        begun: Tensor = self.start(_fitted(maps, self.first_side))
        return begun


def _fitted(maps: Tensor, side: int) -> Tensor:
    return functional.interpolate(maps, size=(side, side), mode="nearest-exact")


def _doubled(features: Tensor) -> Tensor:
    return functional.interpolate(features, scale_factor=2, mode="nearest")


def _convolution(before: int, after: int, *, kernel: int = 3) -> nn.Conv2d:
    made = nn.Conv2d(before, after, kernel, padding=kernel // 2)
    nn.init.xavier_normal_(made.weight, gain=INIT_GAIN)
    return made
