r"""ABA, the attribute block of AttGF-IQA (Tian et al. 2022, Eq. 9 to 11): features scaled by the parts of the face they lie in.

.. math:: \bar V = \frac{V - \mu_c}{\sigma_c}, \qquad T = \gamma(S) \otimes \bar V + \beta(S), \qquad \mathrm{Att} = C_{3\times3}(T),

mean and deviation over batch and places (running ones when it scores), :math:`\gamma` and :math:`\beta` two 3 x 3
convolutions of the segmentation map S. The map comes as one channel a part: how large a share of each cell is of it.
``"spade"`` names the form of SPADE's code (Park et al. 2019), :math:`(1 + \gamma) \otimes \bar V + \beta`; its hidden convolution
of 128 channels is not here. The convolution of gamma starts with a bias of one in the printed form and of nought in SPADE's, so that
neither begins with features of nought. A rectifier after the last convolution is ours: the paper names none.
"""

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d, one_hot

from giqa_lib.checks import check_choice
from giqa_lib.data import check_maps

__all__ = ["TRANSFORMS", "AttributeAnalysis", "AttributeTransform", "part_shares"]

#: Scale of the normalised features: gamma, as Eq. 11 prints, or 1 + gamma.
TRANSFORMS = ("printed", "spade")


def part_shares(
    maps: UInt8[Tensor, "n h w"], *, classes: int, size: tuple[int, int] | None = None
) -> Float[Tensor, "n k h w"]:
    """The map as one channel a class (n, classes, h, w), each 0 or 1. Raises ``InputError`` for maps of another size or class.

    >>> part_shares(torch.tensor([[[0, 1]]], dtype=torch.uint8), classes=2).tolist()
    [[[[1.0, 0.0]], [[0.0, 1.0]]]]
    """
    check_maps(maps, classes=classes, size=size)
    return one_hot(maps.long(), classes).permute(0, 3, 1, 2).float()


class AttributeTransform(nn.Module):
    """AGT: features (n, c, h, w) normalised, then scaled and shifted by the map's channels (n, k, H, W) (Eq. 9 to 11).

    The map is brought to the features' size by the mean over each cell.

    >>> AttributeTransform(4, classes=3)(torch.zeros(2, 4, 5, 5), torch.zeros(2, 3, 10, 10)).shape
    torch.Size([2, 4, 5, 5])
    """

    def __init__(self, channels: int, *, classes: int, form: str = "printed") -> None:
        super().__init__()
        self.form = check_choice(form, TRANSFORMS, name="form")
        self.normalise = nn.BatchNorm2d(channels, affine=False)
        self.scale = nn.Conv2d(classes, channels, 3, padding=1)
        self.shift = nn.Conv2d(classes, channels, 3, padding=1)
        nn.init.constant_(self.scale.bias, 0.0 if form == "spade" else 1.0)  # type: ignore[arg-type]

    def forward(
        self, features: Float[Tensor, "n c h w"], shares: Float[Tensor, "n k height width"]
    ) -> Float[Tensor, "n c h w"]:
        """T of Eq. 11."""
        here = adaptive_avg_pool2d(shares, (features.shape[2], features.shape[3]))
        scale = self.scale(here) + (1.0 if self.form == "spade" else 0.0)
        return scale * self.normalise(features) + self.shift(here)


class _WithoutMap(nn.Module):
    """Batch normalisation in the transform's place."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.normalise = nn.BatchNorm2d(channels)

    def forward(self, features: Tensor, shares: Tensor) -> Tensor:
        normalised: Tensor = self.normalise(features)
        return normalised


class AttributeAnalysis(nn.Module):
    """ABA: the transform and the 3 x 3 convolution after it.

    With ``attributes`` false the transform is batch normalisation with a scale and shift a channel, as in the paper's Table VI; the map
    then makes no difference.

    >>> AttributeAnalysis(4, classes=3)(torch.zeros(2, 4, 5, 5), torch.zeros(2, 3, 10, 10)).shape
    torch.Size([2, 4, 5, 5])
    """

    def __init__(
        self, channels: int, *, classes: int, form: str = "printed", attributes: bool = True
    ) -> None:
        super().__init__()
        self.transform: nn.Module = (
            AttributeTransform(channels, classes=classes, form=form)
            if attributes
            else _WithoutMap(channels)
        )
        self.combine = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(
        self, features: Float[Tensor, "n c h w"], shares: Float[Tensor, "n k height width"]
    ) -> Float[Tensor, "n c h w"]:
        """Att, at least 0."""
        return torch.relu(self.combine(self.transform(features, shares)))
