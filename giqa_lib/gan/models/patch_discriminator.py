"""Discriminators of images with their label maps: one logit a patch, at one scale or several.

PatchGAN is of pix2pix (Isola et al., CVPR 2017, Section 3.2.2): strided convolutions whose last map has one
logit for each overlapping patch, 70 x 70 pixels with three halvings. Several scales and the feature
matching loss are of pix2pixHD (Wang et al., CVPR 2018, Section 3.2 and Eq. 4); SPADE (Park et al.,
CVPR 2019) takes both over and adds spectral norm.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm

from giqa_lib.checks import check_positive
from giqa_lib.gan.feeds import Batch

__all__ = [
    "MultiScaleDiscriminator",
    "PatchDiscriminator",
    "PatchSettings",
    "feature_matching",
    "feature_matching_loss",
    "patch_size",
]

KERNEL = 4
LEAK = 0.2
WIDEST = 8  # times the first layer's channels
INIT_STD = 0.02

Norm = Literal["batch", "instance"]
NORMS: dict[Norm, Callable[[int], nn.Module]] = {
    "batch": nn.BatchNorm2d,
    "instance": nn.InstanceNorm2d,
}


@dataclass(frozen=True, kw_only=True)
class PatchSettings:
    """Channels of images and maps, width of the first layer, halvings, norm, spectral norm or not."""

    channels: int
    classes: int
    width: int = 64
    halvings: int = 3
    norm: Norm = "batch"
    spectral: bool = False

    def __post_init__(self) -> None:
        for name in ("channels", "classes", "width", "halvings"):
            check_positive(getattr(self, name), name=name)


def patch_size(halvings: int) -> int:
    """Side in pixels of the patch that one logit sees: 16, 34, 70, ... for 1, 2, 3, ... halvings.

    >>> patch_size(3)
    70
    """
    side = 1
    for stride in (1, 1, *[2] * halvings):  # from the logit back to the image
        side = (side - 1) * stride + KERNEL
    return side


class PatchDiscriminator(nn.Module):
    """Images (n, c, h, w) in [-1, 1] and one-hot maps (n, k, h, w) to logits (n, 1, h', w'), one a patch.

    With instance norm a logit also depends, through the norm's mean and variance, on the whole image.
    """

    def __init__(self, settings: PatchSettings) -> None:
        super().__init__()
        before, width = settings.channels + settings.classes, settings.width
        blocks = []
        for number in range(settings.halvings + 1):
            stride = 1 if number == settings.halvings else 2
            after = width * min(2**number, WIDEST)
            norm = None if number == 0 else settings.norm
            blocks.append(_block(before, after, stride, norm, spectral=settings.spectral))
            before = after
        self.blocks = nn.ModuleList(blocks)
        self.last = _convolution(before, 1, 1)

    def features(
        self, images: Float[Tensor, "n c h w"], maps: Float[Tensor, "n k h w"]
    ) -> list[Tensor]:
        """The outputs of all blocks and the logits, in order."""
        found = []
        current = torch.cat([images, maps], dim=1)
        for block in self.blocks:
            current = block(current)
            found.append(current)
        return [*found, self.last(current)]

    def forward(
        self, images: Float[Tensor, "n c h w"], maps: Float[Tensor, "n k h w"]
    ) -> Float[Tensor, "n 1 rows columns"]:
        """One logit a patch, positive for real."""
        return self.features(images, maps)[-1]


class MultiScaleDiscriminator(nn.Module):
    """``scales`` patch discriminators; each sees images and maps at half the size of the one before."""

    def __init__(self, settings: PatchSettings, scales: int) -> None:
        super().__init__()
        check_positive(scales, name="scales")
        self.judges = nn.ModuleList(PatchDiscriminator(settings) for _ in range(scales))

    def features(
        self, images: Float[Tensor, "n c h w"], maps: Float[Tensor, "n k h w"]
    ) -> list[list[Tensor]]:
        """For each scale, from full size on, the outputs of all blocks and the logits."""
        found = []
        for judge in self.judges:
            found.append(cast(PatchDiscriminator, judge).features(images, maps))
            images, maps = halved(images), halved(maps)
        return found

    def forward(
        self, images: Float[Tensor, "n c h w"], maps: Float[Tensor, "n k h w"]
    ) -> list[Tensor]:
        """One map of logits a scale."""
        return [scale[-1] for scale in self.features(images, maps)]


def halved(images: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c rows columns"]:
    """Mean over 3 x 3 pixels at every second one, the border not counted (pix2pixHD's official code)."""
    return functional.avg_pool2d(images, 3, stride=2, padding=1, count_include_pad=False)


def feature_matching_loss(
    real: Sequence[Sequence[Tensor]], fake: Sequence[Sequence[Tensor]]
) -> Float[Tensor, ""]:
    r"""pix2pixHD's Eq. 4 summed over the scales, without its weight; the logits are left out.

    .. math:: \sum_k \sum_i \frac{1}{N_i} \lVert D_k^{(i)}(x) - D_k^{(i)}(G(s)) \rVert_1

    ``real`` and ``fake`` are what ``MultiScaleDiscriminator.features`` gives; no gradient goes to ``real``.

    >>> blocks = [[torch.ones(1, 1, 2, 2), torch.zeros(1, 1, 1, 1)]]
    >>> float(feature_matching_loss(blocks, blocks))
    0.0
    """
    losses = [
        functional.l1_loss(own, target.detach())
        for real_scale, fake_scale in zip(real, fake, strict=True)
        for target, own in zip(real_scale[:-1], fake_scale[:-1], strict=True)
    ]
    return torch.stack(losses).sum()


def feature_matching(
    judge: MultiScaleDiscriminator, weight: float
) -> Callable[[Tensor, Batch], Tensor]:
    """``weight`` times :func:`feature_matching_loss`, as an extra loss of the generator."""

    def loss(fake: Tensor, real: Batch) -> Tensor:
        with torch.no_grad():
            targets = judge.features(real.images, *real.condition)
        return weight * feature_matching_loss(targets, judge.features(fake, *real.condition))

    return loss


def _block(before: int, after: int, stride: int, norm: Norm | None, *, spectral: bool) -> nn.Module:
    convolution: nn.Module = _convolution(before, after, stride)
    if spectral:
        convolution = spectral_norm(convolution)
    layers = [convolution] if norm is None else [convolution, NORMS[norm](after)]
    return nn.Sequential(*layers, nn.LeakyReLU(LEAK))


def _convolution(before: int, after: int, stride: int) -> nn.Conv2d:
    made = nn.Conv2d(before, after, KERNEL, stride=stride, padding=KERNEL // 2)
    nn.init.normal_(made.weight, 0.0, INIT_STD)
    return made
