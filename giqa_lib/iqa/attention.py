r"""AttGF-IQA's two modules (Tian et al. 2022): block attention (Eq. 5 to 8) and attribute-based analysis (Eq. 9 to 11)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from giqa_lib.checks import InputError, check_positive, error_line

__all__ = ["AttributeAnalysis", "BlockAttention"]


class BlockAttention(nn.Module):
    r"""CBA: channels are weighed, then places, and the weighed channels added again.

    .. math::
        V_c &= \sigma(\mathrm{Conv}_{1\times1}(\mathrm{Conv}_{1\times1}(\mathrm{GAP}(F)))) \otimes F \\
        V &= \sigma(\mathrm{Conv}_{5\times5}([\max_c V_c, \operatorname{mean}_c V_c])) \otimes V_c + V_c

    Between the two first convolutions the text names no activation, and there is none. ``reduction`` r is not in the
    paper (Woo et al. 2018 have 16).

    >>> BlockAttention(8, reduction=4)(torch.zeros(2, 8, 6, 6)).shape
    torch.Size([2, 8, 6, 6])
    """

    def __init__(self, channels: int, *, reduction: int = 16) -> None:
        super().__init__()
        check_positive(channels, name="channels")
        check_positive(reduction, name="reduction")
        narrow = max(1, channels // reduction)
        self.narrow = nn.Conv2d(channels, narrow, 1)
        self.widen = nn.Conv2d(narrow, channels, 1)
        self.places = nn.Conv2d(2, 1, 5, padding=2)

    def forward(self, features: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        """V of Eq. 8."""
        mean = features.mean(dim=(2, 3), keepdim=True)
        weighed = torch.sigmoid(self.widen(self.narrow(mean))) * features
        both = torch.cat(
            [weighed.amax(dim=1, keepdim=True), weighed.mean(dim=1, keepdim=True)], dim=1
        )
        return torch.sigmoid(self.places(both)) * weighed + weighed


class AttributeAnalysis(nn.Module):
    r"""ABA: features normed over the batch, scaled and shifted by maps made from the face's parts, and convolved.

    .. math:: T = \gamma(S) \otimes \bar V + \beta(S), \qquad \mathrm{Att} = \mathrm{Conv}_{3\times3}(T)

    ``S`` is the one-hot map of ``parts`` classes, resized to the features by nearest neighbours; gamma and beta are
    each one 3 x 3 convolution of it. ``offset=1`` is SPADE's form, (1 + gamma); the paper prints gamma alone. The
    convolution of gamma then starts with a bias of one, so that neither form begins with features of nought.

    >>> maps = torch.zeros(2, 3, 12, 12)
    >>> AttributeAnalysis(4, 8, parts=3)(torch.zeros(2, 4, 6, 6), maps).shape
    torch.Size([2, 8, 6, 6])
    """

    def __init__(self, before: int, after: int, *, parts: int, offset: float = 0.0) -> None:
        super().__init__()
        for name, value in {"before": before, "after": after, "parts": parts}.items():
            check_positive(value, name=name)
        self.offset = offset
        self.norm = nn.BatchNorm2d(before, affine=False)
        self.gamma = nn.Conv2d(parts, before, 3, padding=1)
        self.beta = nn.Conv2d(parts, before, 3, padding=1)
        self.last = nn.Conv2d(before, after, 3, padding=1)
        nn.init.constant_(self.gamma.bias, 1.0 - offset)  # type: ignore[arg-type]

    def forward(
        self, features: Float[Tensor, "n c h w"], parts: Float[Tensor, "n k i j"]
    ) -> Float[Tensor, "n d h w"]:
        """The attribute-based features."""
        wanted = self.gamma.in_channels
        if parts.shape[1] != wanted:
            hint = "give one-hot maps of the classes that the network was made for"
            raise InputError(
                error_line("maps", expected=f"{wanted} classes", got=str(parts.shape[1]), hint=hint)
            )
        small = functional.interpolate(parts, size=features.shape[2:], mode="nearest")
        scale = self.gamma(small) + self.offset
        return self.last(scale * self.norm(features) + self.beta(small))
