r"""The network of AttGF-IQA (Tian et al. 2022, Eq. 12): four scales, each a CBA before two ABAs, and one linear layer.

.. math:: y = \mathrm{FC}(Q), \qquad Q = [\mathrm{Att}_2, \mathrm{Att}_4, \mathrm{Att}_6, \mathrm{Att}_8] .

What the paper leaves open is chosen here: a scale begins with a 3 x 3 convolution, normalisation and a rectifier, of
stride 2 from the second scale on; what the second ABA gives goes to the next scale; each Att enters Q by its mean over places. Widths are a
setting. Nothing is pretrained. As in the paper's Table VI, without CBA the attention is left out, and without ABA batch normalisation
stands in the place of each attribute-guided transform.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from giqa_lib.checks import (
    InputError,
    check_choice,
    check_positive,
    check_same_length,
    error_line,
)
from giqa_lib.iqa.attribute_analysis import TRANSFORMS, AttributeAnalysis, part_shares
from giqa_lib.iqa.block_attention import BlockAttention
from giqa_lib.learning import check_pixels

__all__ = ["AttGFNetwork", "AttGFSettings", "new_attgf_network"]

SCALES = 4


@dataclass(frozen=True, kw_only=True)
class AttGFSettings:
    """The network's sizes and which of its blocks are there.

    Attributes
    ----------
    classes : of the maps.
    channels : of the images, 1 or 3.
    widths : channels of the four scales.
    stride : of the first convolution: 1, or 2 for images of 64 pixels and more.
    reduction : of the attention's channels.
    attention, attributes : whether there are CBAs, and whether the transforms see the map.
    transform : the form of the attribute-guided transform, one of ``TRANSFORMS``.
    """

    classes: int
    channels: int = 3
    widths: tuple[int, ...] = (8, 16, 32, 64)
    stride: int = 1
    reduction: int = 4
    attention: bool = True
    attributes: bool = True
    transform: str = "printed"

    def __post_init__(self) -> None:
        for name in ("classes", "channels", "stride", "reduction"):
            check_positive(getattr(self, name), name=name)
        if len(self.widths) != SCALES:
            got, hint = str(len(self.widths)), "give a width a scale"
            raise InputError(error_line("widths", expected=f"{SCALES} numbers", got=got, hint=hint))
        check_choice(self.transform, TRANSFORMS, name="transform")


class _Scale(nn.Module):
    """F_t by a convolution, then CBA and two ABAs."""

    def __init__(self, before: int, after: int, stride: int, settings: AttGFSettings) -> None:
        super().__init__()
        layer = nn.Conv2d(before, after, 3, stride=stride, padding=1, bias=False)
        self.features = nn.Sequential(layer, nn.BatchNorm2d(after), nn.ReLU())
        self.attention = (
            BlockAttention(after, reduction=settings.reduction)
            if settings.attention
            else nn.Identity()
        )
        self.analyses = nn.ModuleList(
            AttributeAnalysis(
                after,
                classes=settings.classes,
                form=settings.transform,
                attributes=settings.attributes,
            )
            for _ in range(2)
        )

    def forward(self, features: Tensor, shares: Tensor) -> Tensor:
        """The second Att of the scale."""
        found: Tensor = self.attention(self.features(features))
        for analysis in self.analyses:
            found = analysis(found, shares)
        return found


class AttGFNetwork(nn.Module):
    """Images uint8 (n, c, h, w) and the maps of their parts uint8 (n, h, w) to scores (n,) and features Q (n, d).

    >>> network = AttGFNetwork(AttGFSettings(classes=3, widths=(4, 4, 8, 8))).eval()
    >>> y, q = network(torch.zeros(2, 3, 16, 16).byte(), torch.zeros(2, 16, 16).byte())
    >>> y.shape, q.shape
    (torch.Size([2]), torch.Size([2, 24]))
    """

    def __init__(self, settings: AttGFSettings) -> None:
        super().__init__()
        self.settings = settings
        befores = (settings.channels, *settings.widths[:-1])
        strides = (settings.stride, 2, 2, 2)
        self.scales = nn.ModuleList(
            _Scale(before, after, stride, settings)
            for before, after, stride in zip(befores, settings.widths, strides, strict=True)
        )
        self.score = nn.Linear(sum(settings.widths), 1)

    def forward(
        self, images: UInt8[Tensor, "n c h w"], maps: UInt8[Tensor, "maps height width"]
    ) -> tuple[Float[Tensor, " n"], Float[Tensor, "n d"]]:
        """Eq. 12. Raises ``InputError`` for maps of another number or size than the images and for classes it does not know."""
        check_pixels(images, channels=self.settings.channels)
        check_same_length(images=images, maps=maps)
        size = (images.shape[2], images.shape[3])
        shares = part_shares(maps, classes=self.settings.classes, size=size)
        found, parts = images.float() / 127.5 - 1, []
        for scale in self.scales:
            found = scale(found, shares)
            parts.append(found.mean(dim=(2, 3)))
        features = torch.cat(parts, dim=1)
        return self.score(features)[:, 0], features


def new_attgf_network(settings: AttGFSettings, random: torch.Generator) -> AttGFNetwork:
    """The network with initial weights drawn from ``random``; the global generator is untouched.

    >>> new_attgf_network(AttGFSettings(classes=3), torch.Generator().manual_seed(0)).settings.classes
    3
    """
    with torch.random.fork_rng(devices=[]):  # layers draw their weights on construction
        torch.manual_seed(int(torch.randint(2**31, (), generator=random)))
        return AttGFNetwork(settings)
