"""Encoded bytes to a uint8 tensor: the one place where images are decoded.

Rules, each tested. Grey stays one channel, all else becomes RGB. Transparency is laid on
white. Palettes are looked up. 16-bit grey v becomes round(v / 257); 16-bit colour is cut to
its upper byte, as Pillow does. CMYK and other colour spaces go through Pillow's conversion,
without colour profiles. EXIF orientation is applied. Of an animation the first frame counts.
An image of more than ``max_pixels`` by its header is refused before a pixel is decoded, so a
decompression bomb costs nothing. Formats that run other programs (EPS) are not opened.
"""

import io
import os
import warnings
from os import PathLike

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image, ImageOps

from giqa_lib.data.source import UnreadableImage

__all__ = [
    "IMAGE_SUFFIXES",
    "MAX_PIXELS",
    "decode_image",
    "encode_jpeg",
    "is_image_name",
    "to_tensor",
]

#: Refused above this: a quarter GiB of RGB, the size from which Pillow warns of a bomb.
MAX_PIXELS = 89_478_485

IMAGE_SUFFIXES = frozenset(
    [
        ".avif",
        ".bmp",
        ".dib",
        ".gif",
        ".jfif",
        ".jp2",
        ".jpe",
        ".jpeg",
        ".jpg",
        ".pbm",
        ".pgm",
        ".png",
        ".pnm",
        ".ppm",
        ".tga",
        ".tif",
        ".tiff",
        ".webp",
    ]
)

Image.init()  # fills Image.OPEN; what this build of Pillow lacks (AVIF) is left out
_FORMATS = tuple(
    name
    for name in [
        "AVIF",
        "BMP",
        "DIB",
        "GIF",
        "JPEG",
        "JPEG2000",
        "PNG",
        "PPM",
        "TGA",
        "TIFF",
        "WEBP",
    ]
    if name in Image.OPEN
)
_GREY_MODES = frozenset({"1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "I;16N"})


def is_image_name(name: str) -> bool:
    """Whether the file's suffix is an image's, in any case.

    >>> is_image_name("a/B.JPeG"), is_image_name("notes.txt")
    (True, False)
    """
    return os.path.splitext(name.lower())[1] in IMAGE_SUFFIXES


def decode_image(
    data: bytes | str | PathLike[str], *, name: str, max_pixels: int = MAX_PIXELS
) -> UInt8[torch.Tensor, "c h w"]:
    """Decode a file's bytes, or the file at a path, to (1 or 3, h, w).

    Raises :class:`UnreadableImage` with ``name`` and the reason, whatever went wrong.

    >>> grey = Image.new("L", (5, 4), 7)
    >>> decode_image(encode_jpeg(grey, quality=90), name="grey").shape
    torch.Size([1, 4, 5])
    """
    if isinstance(data, bytes) and not data:
        raise UnreadableImage(name, "empty file")
    file = io.BytesIO(data) if isinstance(data, bytes) else data
    try:
        # Pillow's warnings (its own bomb limit, odd metadata) are settled by the rules here.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(file, formats=_FORMATS) as image:
                width, height = image.size
                if width * height > max_pixels:
                    reason = f"{width} x {height} pixels, more than max_pixels={max_pixels}"
                    raise UnreadableImage(name, reason)
                image.load()
                return to_tensor(image)
    except UnreadableImage:
        raise
    except Exception as error:  # decoders raise of every kind on broken bytes
        raise UnreadableImage(name, _reason(error, data)) from error


def to_tensor(image: Image.Image) -> UInt8[torch.Tensor, "c h w"]:
    """A Pillow image's pixels under the module's rules.

    >>> to_tensor(Image.new("RGBA", (2, 2), (0, 0, 0, 0))).unique()
    tensor([255], dtype=torch.uint8)
    """
    if "exif" in image.info or "xmp" in image.info or image.format == "TIFF":
        image = ImageOps.exif_transpose(image)
    grey = image.mode in _GREY_MODES
    if image.mode == "F":
        raise ValueError("float pixels have no stated range; save them as 8 or 16 bit")
    if image.mode == "I" or image.mode.startswith("I;16"):
        pixels = np.asarray(image).astype(np.int64)
        if pixels.min(initial=0) < 0 or pixels.max(initial=0) > 65535:
            raise ValueError("32-bit pixels beyond 0..65535; save them as 8 or 16 bit")
        array = ((pixels + 128) // 257).astype(np.uint8)
    else:
        if image.has_transparency_data:
            picture = image.convert("RGBA")
            white = Image.new("RGBA", image.size, (255, 255, 255, 255))
            image = Image.alpha_composite(white, picture)
        # np.array copies: a tensor over Pillow's read-only buffer would warn
        array = np.array(image.convert("L" if grey else "RGB"))
    if array.ndim == 2:
        array = array[..., None]
    return torch.from_numpy(np.ascontiguousarray(array.transpose(2, 0, 1)))


def encode_jpeg(image: Image.Image, *, quality: int, subsampling: str = "4:2:0") -> bytes:
    """JPEG bytes with Pillow's tables, quality 1 to 95.

    >>> encode_jpeg(Image.new("L", (8, 8)), quality=75)[:2].hex()
    'ffd8'
    """
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality, subsampling=subsampling)
    return buffer.getvalue()


def encode_png(image: UInt8[torch.Tensor, "c h w"]) -> bytes:
    """An image of 1 or 3 channels as PNG bytes, without loss.

    >>> image = torch.arange(16, dtype=torch.uint8).view(1, 4, 4)
    >>> torch.equal(decode_image(encode_png(image), name="four by four"), image)
    True
    """
    pixels = image.permute(1, 2, 0).contiguous().numpy()
    buffer = io.BytesIO()
    Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels).save(buffer, "PNG")
    return buffer.getvalue()


def _reason(error: Exception, data: bytes | str | PathLike[str]) -> str:
    if isinstance(error, FileNotFoundError):
        return "the file is gone"
    if isinstance(error, PermissionError):
        return "no permission to read it"
    if isinstance(error, Image.DecompressionBombError):
        return f"too large even for Pillow's MAX_IMAGE_PIXELS: {error}"
    if isinstance(error, Image.UnidentifiedImageError):
        if not isinstance(data, bytes):
            try:
                with open(data, "rb") as file:
                    if not file.read(1):
                        return "empty file"
            except OSError as reread:
                return str(reread)
        return "not an image of a known format, or its header is broken"
    return str(error) or type(error).__name__
