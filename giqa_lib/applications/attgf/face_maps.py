"""Maps of the parts of generated faces, where nothing that conditioned the generator says them."""

from typing import Protocol, runtime_checkable

import torch
from jaxtyping import UInt8
from torch import Tensor

from giqa_lib.checks import check_positive
from giqa_lib.data import LabelledPairs

__all__ = ["FaceParser", "NearestFaceMaps", "part_richness"]


@runtime_checkable
class FaceParser(Protocol):
    """Anything that finds the parts of faces. ``name`` says which, for what is kept under it."""

    @property
    def name(self) -> str:
        """What tells it from others."""
        ...

    def __call__(self, images: UInt8[Tensor, "n c h w"]) -> UInt8[Tensor, "n h w"]:
        """The map of each image."""
        ...


class NearestFaceMaps:
    """A parser without learning: each image gets the map of the real face that is nearest to it in pixels.

    Distances are Euclidean. A stand-in for a segmentation network: right in the large, wrong where the two faces differ.

    >>> faces = LabelledPairs(images=torch.zeros(1, 3, 2, 2, dtype=torch.uint8),
    ...     maps=torch.ones(1, 2, 2, dtype=torch.uint8), classes=("background", "skin"))
    >>> NearestFaceMaps(faces)(torch.zeros(2, 3, 2, 2, dtype=torch.uint8)).shape
    torch.Size([2, 2, 2])
    """

    def __init__(self, faces: LabelledPairs) -> None:
        self.faces = faces

    @property
    def name(self) -> str:
        """``nearest real face``."""
        return "nearest real face"

    def __call__(self, images: UInt8[Tensor, "n c h w"]) -> UInt8[Tensor, "n h w"]:
        """The maps of the nearest faces."""
        known = self.faces.images.flatten(1).float()
        nearest = [
            torch.cdist(part.flatten(1).float(), known).argmin(1) for part in images.split(256)
        ]
        return self.faces.maps[torch.cat(nearest)]


def part_richness(maps: UInt8[Tensor, "n h w"], *, classes: int) -> Tensor:
    r"""How many parts a map shows, weighed by their size: :math:`\exp(-\sum_k s_k \log s_k)`, s the shares of the area; (n,).

    What AttGF-IQA chooses its test images by, "the richness of semantic constituents" (Section III-B), in a number; the paper gives none.

    >>> part_richness(torch.tensor([[[0, 0]], [[0, 1]]], dtype=torch.uint8), classes=2).round(decimals=6).tolist()
    [1.0, 2.0]
    """
    check_positive(classes, name="classes")
    counts = torch.stack([(maps == k).flatten(1).sum(1) for k in range(classes)], dim=1)
    shares = counts.double() / counts.sum(1, keepdim=True)
    return torch.special.entr(shares).sum(1).exp()
