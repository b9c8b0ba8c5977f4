r"""DeepIQA's pooling: quality and weight of each patch, and their weighted mean.

WaDIQaM-NR (Bosse et al., IEEE TIP 2018, Section III-C): a network gives each patch a quality :math:`y_i` and a weight,

.. math:: q = \frac{\sum_i a_i y_i}{\sum_i a_i}, \qquad a_i = \max(0, \alpha_i) + \epsilon .

Known departures: patches are the cells of a grid, in training too, where they draw 32 random ones an image.
"""

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from giqa_lib.checks import InputError, error_line

__all__ = ["WeightedPatches", "grid_patches", "weighted_mean"]

FLOOR = 1e-6


def grid_patches(images: Shaped[Tensor, "n c h w"], size: int) -> Shaped[Tensor, "n k c s s"]:
    """Patches side by side from the upper left; what is left over at the right and below is not looked at.

    >>> grid_patches(torch.zeros(2, 1, 9, 8), 4).shape
    torch.Size([2, 4, 1, 4, 4])
    """
    if min(images.shape[2:]) < size:
        got, hint = f"{images.shape[2]} x {images.shape[3]}", "take a smaller patch"
        expected = f"at least the patch's {size} x {size} pixels"
        raise InputError(error_line("images", expected=expected, got=got, hint=hint))
    cells = images.unfold(2, size, size).unfold(3, size, size)  # n c rows columns s s
    return cells.permute(0, 2, 3, 1, 4, 5).flatten(1, 2)


def weighted_mean(
    quality: Float[Tensor, "n k"], raw_weight: Float[Tensor, "n k"]
) -> Float[Tensor, " n"]:
    """The mean of the patches' qualities by their weights, rectified.

    >>> float(weighted_mean(torch.tensor([[1.0, 3.0]]), torch.tensor([[5.0, 5.0]])))
    2.0
    """
    weight = torch.relu(raw_weight) + FLOOR
    return (weight * quality).sum(1) / weight.sum(1)


class WeightedPatches(nn.Module):
    """Images (n, c, h, w) to quality (n, 1), by a network from patches to (quality, weight)."""

    def __init__(self, body: nn.Module, patch: int) -> None:
        super().__init__()
        self.body = body
        self.patch = patch

    def forward(self, images: Shaped[Tensor, "n c h w"]) -> Float[Tensor, "n 1"]:
        """One quality an image."""
        patches = grid_patches(images, self.patch)
        found = self.body(patches.flatten(0, 1)).view(len(images), patches.shape[1], 2)
        return weighted_mean(found[..., 0], found[..., 1])[:, None]
