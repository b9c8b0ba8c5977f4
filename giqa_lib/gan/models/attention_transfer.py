r"""Attention transfer: a hole in fine features is filled as a coarser view of the picture suggests.

PEN-Net (Zeng et al., CVPR 2019), Section 3.1. Of coarse features, each place inside the hole is compared with each place
outside by the cosine of their 3 x 3 patches :math:`p`, and the weights fill the blocks :math:`b` of the next finer features,

.. math:: \alpha_{ij} = \operatorname{softmax}_j\bigl(s \cos(p_i, p_j)\bigr), \qquad b_i = \sum_{j \text{ outside}} \alpha_{ij} b_j .

Departure: blocks are the 2 x 2 places under a coarse one, not overlapping patches.
"""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

__all__ = ["covered", "transfer_attention"]


def covered(
    holes: Float[Tensor, "n 1 h w"], size: tuple[int, int]
) -> Float[Tensor, "n 1 rows columns"]:
    """1 at each of (rows, columns) ``size`` places of which any pixel is in the hole, else 0.

    >>> holes = torch.zeros(1, 1, 4, 4); holes[..., 0, 0] = 1
    >>> covered(holes, (2, 2)).flatten().tolist()
    [1.0, 0.0, 0.0, 0.0]
    """
    return functional.adaptive_max_pool2d(holes, size)


def transfer_attention(
    fine: Float[Tensor, "n d rows columns"],
    coarse: Float[Tensor, "n c h w"],
    holes: Float[Tensor, "n 1 height width"],
    *,
    sharpness: float = 10.0,
) -> Float[Tensor, "n d rows columns"]:
    """``fine`` features with their part of the hole filled by blocks from outside, weighed by ``coarse`` ones.

    ``fine`` has twice the side of ``coarse``; ``holes`` is 1 in the hole, at the image's size. Where no place is outside, all are.

    >>> fine, coarse = torch.ones(1, 1, 4, 4), torch.ones(1, 1, 2, 2)
    >>> holes = torch.zeros(1, 1, 4, 4); holes[..., :2, :2] = 1
    >>> bool(transfer_attention(fine * (1 - holes), coarse, holes).allclose(fine))
    True
    """
    count, _, height, width = coarse.shape
    patches = functional.normalize(functional.unfold(coarse, 3, padding=1), dim=1)
    likeness = sharpness * patches.transpose(1, 2) @ patches  # (n, inside, outside)
    outside = covered(holes, (height, width)).view(count, 1, -1) == 0
    outside = outside | ~outside.any(dim=2, keepdim=True)
    weights = likeness.masked_fill(~outside, float("-inf")).softmax(dim=2)
    blocks = functional.unfold(fine, 2, stride=2)
    size = (2 * height, 2 * width)
    filled = functional.fold(blocks @ weights.transpose(1, 2), size, 2, stride=2)
    return torch.where(covered(holes, size) > 0, filled, fine)
