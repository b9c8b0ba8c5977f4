r"""Attributes of faces that a picture and the map of its parts decide, where nobody has named any.

Attribute k holds where the mean luminance :math:`Y = 0.299 R + 0.587 G + 0.114 B` over its part is on its side of a
threshold, the median over the faces given. All are of colour: a face whose attributes are changed keeps its map.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float64, UInt8
from numpy.typing import NDArray
from torch import Tensor

from giqa_lib.checks import InputError, check_images, check_same_length, error_line
from giqa_lib.data.resize import set_channels

__all__ = ["FACE_ATTRIBUTES", "AttributeThresholds", "part_luminance"]

#: Each attribute, its part, and whether it holds above the threshold.
FACE_ATTRIBUTES = {
    "dark hair": ("hair", False),
    "light skin": ("skin", True),
    "bright background": ("background", True),
}


def part_luminance(
    images: UInt8[Tensor, "n 3 h w"], maps: UInt8[Tensor, "n h w"], part: int
) -> Float64[Tensor, " n"]:
    """Mean luminance (n,) in [0, 255] over the pixels of a part, NaN where there are none.

    >>> images = torch.full((1, 3, 2, 2), 7, dtype=torch.uint8)
    >>> part_luminance(images, torch.ones(1, 2, 2, dtype=torch.uint8), 1).round().tolist()
    [7.0]
    """
    check_images(images)
    check_same_length(images=images, maps=maps)
    luminance = set_channels(images.double(), 1)[:, 0]
    inside = maps == part
    return (luminance * inside).sum((1, 2)) / inside.sum((1, 2))


@dataclass(frozen=True, kw_only=True)
class AttributeThresholds:
    """Thresholds of :data:`FACE_ATTRIBUTES` in luminance, learned from faces so that half of them have each."""

    values: tuple[float, ...]
    parts: tuple[str, ...]

    @classmethod
    def learn(
        cls,
        images: UInt8[Tensor, "n 3 h w"],
        maps: UInt8[Tensor, "n h w"],
        parts: tuple[str, ...],
    ) -> "AttributeThresholds":
        """The medians; raises ``InputError`` where no map has an attribute's part."""
        found = []
        for part, _ in FACE_ATTRIBUTES.values():
            known = _finite(images, maps, parts.index(part)) if part in parts else np.empty(0)
            if len(known) == 0:
                hint = "give maps of faces"
                raise InputError(error_line("maps", expected=f"some {part}", got="none", hint=hint))
            found.append(float(np.median(known)))
        return cls(values=tuple(found), parts=parts)

    def attributes(
        self, images: UInt8[Tensor, "n 3 h w"], maps: UInt8[Tensor, "n h w"]
    ) -> Float[Tensor, "n k"]:
        """0 or 1 for each image and attribute; 0 where the part is missing.

        >>> maps = torch.tensor([[[0, 1, 2]]] * 2, dtype=torch.uint8)
        >>> images = torch.tensor([10, 200], dtype=torch.uint8).view(2, 1, 1, 1).expand(2, 3, 1, 3)
        >>> AttributeThresholds.learn(images, maps, ("background", "hair", "skin")).attributes(images, maps).tolist()
        [[1.0, 0.0, 0.0], [0.0, 1.0, 1.0]]
        """
        columns = []
        rules = zip(FACE_ATTRIBUTES.values(), self.values, strict=True)
        for (part, above), threshold in rules:
            values = part_luminance(images, maps, self.parts.index(part))
            columns.append(values > threshold if above else values < threshold)  # NaN is neither
        return torch.stack(columns, dim=1).float()


def _finite(images: Tensor, maps: Tensor, part: int) -> NDArray[np.float64]:
    values = part_luminance(images, maps, part).numpy()
    return values[np.isfinite(values)]
