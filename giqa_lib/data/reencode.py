"""Bring images to one JPEG encoding before they are compared.

A feature extractor, and a density model more so, sees JPEG artefacts: a score between images
of different encodings measures the encoding. Re-encoding a JPEG at its own quality changes
it little, so the same step on all images brings them to one footing.
"""

import torch
from jaxtyping import UInt8
from PIL import Image

from giqa_lib.checks import InputError, error_line
from giqa_lib.data.decode import decode_image, encode_jpeg
from giqa_lib.data.source import Source, digest

__all__ = ["JpegSource", "jpeg_round_trip"]


class JpegSource(Source):
    """A source's images after a JPEG of ``quality`` (1 to 95), chroma halved both ways."""

    def __init__(self, source: Source, *, quality: int) -> None:
        if not 1 <= quality <= 95:
            hint = "Pillow's scale; 75 is usual, 95 near lossless"
            raise InputError(error_line("quality", expected="1 to 95", got=str(quality), hint=hint))
        self.source = source
        self.quality = quality
        self.names = source.names
        self.table = source.table
        self.ignored = source.ignored

    @property
    def fingerprint(self) -> str:
        """The source's, with the encoding."""
        return digest([self.source.fingerprint, f"jpeg {self.quality} 4:2:0"])

    def read(self, index: int) -> UInt8[torch.Tensor, "c h w"]:
        """Image ``index`` encoded and decoded."""
        return jpeg_round_trip(self.source.read(index), quality=self.quality)

    def column(self, name: str) -> Source:
        """A further image column, as it is: masks are not encoded again."""
        return self.source.column(name)


def jpeg_round_trip(
    image: UInt8[torch.Tensor, "c h w"], *, quality: int
) -> UInt8[torch.Tensor, "c h w"]:
    """One image (1 or 3, h, w) as JPEG of ``quality``, 4:2:0, and back.

    >>> jpeg_round_trip(torch.full((3, 8, 8), 100, dtype=torch.uint8), quality=75).unique()
    tensor([100], dtype=torch.uint8)
    """
    array = image.permute(1, 2, 0).contiguous().numpy()
    picture = Image.fromarray(array[..., 0] if array.shape[2] == 1 else array)
    return decode_image(encode_jpeg(picture, quality=quality), name="JPEG round trip")
