r"""CBA, the block attention of AttGF-IQA (Tian et al. 2022, Eq. 5 to 8): which channels, then which places.

.. math:: V_c = \sigma\bigl(C_2\,C_1\,\mathrm{GAP}(F)\bigr) \otimes F, \qquad
    V = \sigma\bigl(C_{5\times5}[\max_c V_c, \operatorname{mean}_c V_c]\bigr) \otimes V_c + V_c .

After CBAM (Woo et al. 2018), with differences that the paper prints: channels are weighed by their mean alone, no
rectifier stands between the two 1 x 1 convolutions, the kernel over places is 5 x 5, and the input is added.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from giqa_lib.checks import InputError, check_positive, error_line

__all__ = ["BlockAttention"]


class BlockAttention(nn.Module):
    """Features (n, c, h, w) to features of the same shape; ``reduction`` is r, the share of channels between is 1/r.

    The paper does not print r; CBAM has 16. Raises ``InputError`` where ``channels`` is no multiple of it.

    >>> BlockAttention(8, reduction=4)(torch.zeros(2, 8, 5, 5)).shape
    torch.Size([2, 8, 5, 5])
    """

    def __init__(self, channels: int, *, reduction: int = 16) -> None:
        super().__init__()
        check_positive(reduction, name="reduction")
        if channels % reduction:
            expected, hint = f"a divisor of {channels} channels", "choose another reduction"
            raise InputError(
                error_line("reduction", expected=expected, got=str(reduction), hint=hint)
            )
        self.squeeze = nn.Conv2d(channels, channels // reduction, 1)
        self.expand = nn.Conv2d(channels // reduction, channels, 1)
        self.places = nn.Conv2d(2, 1, 5, padding=2)

    def channel_weights(self, features: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c 1 1"]:
        """Eq. 5: a weight in (0, 1) for each channel."""
        mean = features.mean(dim=(2, 3), keepdim=True)
        return torch.sigmoid(self.expand(self.squeeze(mean)))

    def place_weights(self, features: Float[Tensor, "n c h w"]) -> Float[Tensor, "n 1 h w"]:
        """Eq. 7: a weight in (0, 1) for each place, from the largest and the mean channel there."""
        summary = [features.amax(1, keepdim=True), features.mean(1, keepdim=True)]
        return torch.sigmoid(self.places(torch.cat(summary, dim=1)))

    def forward(self, features: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        """Eq. 6 and 8."""
        weighed = self.channel_weights(features) * features
        return self.place_weights(weighed) * weighed + weighed
