r"""AttGF-IQA's network (Tian et al. 2022, Fig. 6, Eq. 12): four scales, at each a CBA and two ABA, and a linear head."""

from dataclasses import asdict, dataclass
from typing import Any

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn
from torch.nn import functional

from giqa_lib.checks import InputError, check_images, check_positive, check_same_length, error_line
from giqa_lib.iqa.attention import AttributeAnalysis, BlockAttention

__all__ = ["AttGF", "AttGFSettings", "attgf_inputs"]

SCALES = 4


@dataclass(frozen=True, kw_only=True)
class AttGFSettings:
    """Sizes of the network; backbone, widths and r are not in the paper, so each is a choice.

    ``width`` channels at the first scale, doubled at each further one up to ``most``. ``attention`` and ``attributes``
    leave out CBA and ABA (Table VI): without attributes a scale has plain batch norm in their place. ``offset=1`` is
    SPADE's (1 + gamma).
    """

    parts: int
    channels: int = 3
    width: int = 16
    most: int = 64
    reduction: int = 8
    offset: float = 0.0
    attention: bool = True
    attributes: bool = True

    def __post_init__(self) -> None:
        for name in ("parts", "channels", "width", "most", "reduction"):
            check_positive(getattr(self, name), name=name)

    @property
    def widths(self) -> list[int]:
        """Channels of each scale."""
        return [min(self.most, self.width * 2**scale) for scale in range(SCALES)]

    def describe(self) -> dict[str, Any]:
        """As JSON values."""
        return {"attgf": asdict(self)}


class _Plain(nn.Module):
    """What stands for an ABA that is left out: batch norm and the last convolution."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(before)
        self.last = nn.Conv2d(before, after, 3, padding=1)

    def forward(self, features: Tensor, parts: Tensor) -> Tensor:
        return self.last(self.norm(features))


class AttGF(nn.Module):
    """Images and one-hot part maps to scores (n,), higher is better, and features; any side of 32 pixels or more.

    A convolution of stride 2 and a leaky ReLU lead to each scale.

    >>> network = AttGF(AttGFSettings(parts=3, width=4, most=8))
    >>> images, maps = torch.zeros(2, 3, 32, 32), torch.zeros(2, 3, 32, 32)
    >>> [answer.shape for answer in network(images, maps)]
    [torch.Size([2]), torch.Size([2, 28])]
    """

    def __init__(self, settings: AttGFSettings) -> None:
        super().__init__()
        self.settings = s = settings
        before = [s.channels, *s.widths[:-1]]
        self.shrink = nn.ModuleList(
            nn.Conv2d(a, b, 3, stride=2, padding=1) for a, b in zip(before, s.widths, strict=True)
        )
        self.attention = nn.ModuleList(
            BlockAttention(width, reduction=s.reduction) if s.attention else nn.Identity()
            for width in s.widths
        )
        self.analysis = nn.ModuleList(
            nn.ModuleList(_analysis(s, width) for _ in range(2)) for width in s.widths
        )
        self.head = nn.Linear(sum(s.widths), 1)
        self.centres = nn.Parameter(torch.zeros(2, sum(s.widths)))

    def features(
        self, images: Float[Tensor, "n c h w"], parts: Float[Tensor, "n k i j"]
    ) -> Float[Tensor, "n d"]:
        """Q of Eq. 12: the spatial means of Att2, Att4, Att6 and Att8, joined."""
        found, pooled = images, []
        pairs: Any = self.analysis
        scales = zip(self.shrink, self.attention, pairs, strict=True)
        for shrink, attend, (first, second) in scales:
            found = attend(functional.leaky_relu(shrink(found), 0.2))
            found = second(functional.leaky_relu(first(found, parts), 0.2), parts)
            pooled.append(found.mean(dim=(2, 3)))
        return torch.cat(pooled, dim=1)

    def forward(
        self, images: Float[Tensor, "n c h w"], parts: Float[Tensor, "n k i j"]
    ) -> tuple[Float[Tensor, " n"], Float[Tensor, "n d"]]:
        """Scores y and features Q of images in [-1, 1] with their maps."""
        features = self.features(images, parts)
        return self.head(features)[:, 0], features


def _analysis(settings: AttGFSettings, width: int) -> nn.Module:
    if settings.attributes:
        return AttributeAnalysis(width, width, parts=settings.parts, offset=settings.offset)
    return _Plain(width, width)


def attgf_inputs(
    images: UInt8[Tensor, "n c h w"], maps: UInt8[Tensor, "m i j"], *, parts: int
) -> tuple[Float[Tensor, "n c h w"], Float[Tensor, "n k i j"]]:
    """Images in [-1, 1] and one-hot maps of ``parts`` classes.

    Raises ``InputError`` for maps of another size than the images', another number of them, or classes beyond ``parts``.

    >>> images, maps = torch.zeros(1, 3, 4, 4, dtype=torch.uint8), torch.ones(1, 4, 4, dtype=torch.uint8)
    >>> attgf_inputs(images, maps, parts=2)[1].sum(dim=(0, 2, 3)).tolist()
    [0.0, 16.0]
    """
    check_images(images)
    check_same_length(images=images, maps=maps)
    if maps.shape[1:] != images.shape[2:]:
        expected, got = " x ".join(map(str, images.shape[2:])), " x ".join(map(str, maps.shape[1:]))
        hint = "resize the maps by nearest neighbours (giqa_lib.data.resize_maps)"
        raise InputError(error_line("maps", expected=f"{expected} pixels", got=got, hint=hint))
    if int(maps.max()) >= parts:
        hint = "give maps of the classes that the network was made for"
        got = f"class {int(maps.max())}"
        raise InputError(error_line("maps", expected=f"classes below {parts}", got=got, hint=hint))
    hot = functional.one_hot(maps.long(), parts).movedim(-1, 1).float()
    return images.float() / 127.5 - 1, hot
