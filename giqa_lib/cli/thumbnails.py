"""Small pictures of an image set's images: whole, in proportion, on white."""

import torch
from jaxtyping import UInt8
from torch import Tensor

from giqa_lib.data import ImageSet, UnreadableImage, resize, set_channels

__all__ = ["evenly_spaced", "thumbnail", "thumbnails"]

WHITE = 255


def thumbnail(image: UInt8[Tensor, "c h w"], side: int) -> UInt8[Tensor, "3 s s"]:
    """The image shrunk, never enlarged, to fit a square of ``side`` pixels, centred on white.

    >>> thumbnail(torch.zeros(1, 4, 8, dtype=torch.uint8), 4)[0, :, 0].tolist()
    [255, 0, 0, 255]
    """
    height, width = image.shape[1:]
    scale = min(1.0, side / max(height, width))
    size = (max(1, round(height * scale)), max(1, round(width * scale)))
    small = set_channels(resize(image[None], size), 3)[0]
    square = torch.full((3, side, side), WHITE, dtype=torch.uint8)
    top, left = (side - size[0]) // 2, (side - size[1]) // 2
    square[:, top : top + size[0], left : left + size[1]] = small
    return square


def thumbnails(images: ImageSet, indices: list[int], *, side: int) -> UInt8[Tensor, "n 3 s s"]:
    """Thumbnails of the images at ``indices``, no larger than the largest of them.

    One that can no longer be read is white: it was readable when it was scored.

    >>> from giqa_lib.data import open_images
    >>> thumbnails(open_images(torch.zeros(3, 1, 4, 4, dtype=torch.uint8)), [2, 0], side=9).shape
    torch.Size([2, 3, 4, 4])
    """
    found = [_read(images, index) for index in indices]
    side = min(side, max(max(image.shape[1:]) for image in found))
    return torch.stack([thumbnail(image, side) for image in found])


def _read(images: ImageSet, index: int) -> UInt8[Tensor, "c h w"]:
    try:
        return images[index]
    except UnreadableImage:
        return torch.full((3, 1, 1), WHITE, dtype=torch.uint8)


def evenly_spaced(total: int, count: int) -> list[int]:
    """At most ``count`` of ``total`` places, both ends included, as even as whole numbers allow.

    >>> evenly_spaced(9, 3), evenly_spaced(2, 5)
    ([0, 4, 8], [0, 1])
    """
    count = min(total, count)
    if count < 2:
        return list(range(count))
    return [round(place * (total - 1) / (count - 1)) for place in range(count)]
