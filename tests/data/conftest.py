"""Files to read: whole ones and every kind of broken one."""

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

Encode = Callable[..., bytes]


@pytest.fixture
def encode() -> Encode:
    """Bytes of a random image: ``encode(seed, "PNG", mode="RGB", size=(w, h))``."""

    def make(
        seed: int = 0,
        kind: str = "PNG",
        *,
        mode: str = "RGB",
        size: tuple[int, int] = (8, 6),
        **options: object,
    ) -> bytes:
        channels = len(mode) if mode != "L" else 1
        shape = (size[1], size[0]) if channels == 1 else (size[1], size[0], channels)
        pixels = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, kind, **options)
        return buffer.getvalue()

    return make


def bomb(side: int) -> bytes:
    """A PNG of some 60 bytes whose header claims ``side`` x ``side`` pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + checksum

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(b"\0"))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + pixels + chunk(b"IEND", b"")


@pytest.fixture
def bad_files(encode: Encode) -> dict[str, tuple[bytes, str]]:
    """Name -> (bytes, what the reason must say)."""
    png, jpeg = encode(1, "PNG", size=(64, 64)), encode(2, "JPEG", size=(64, 64))
    flipped = bytearray(png)
    flipped[len(png) // 2] ^= 0xFF
    return {
        "truncated.png": (png[: len(png) // 2], "truncated"),
        "truncated.jpg": (jpeg[: len(jpeg) // 2], "truncated"),
        "corrupt.png": (bytes(flipped), "."),
        "header.png": (png[:20], "."),
        "text.png": (b"this is not an image", "not an image"),
        "empty.png": (b"", "empty"),
        "bomb.png": (bomb(50_000), "2500000000 pixels"),
        "large.png": (bomb(12_000), "12000 x 12000 pixels, more than max_pixels=89478485"),
    }


@pytest.fixture
def mixed_folder(tmp_path: Path, encode: Encode, bad_files: dict[str, tuple[bytes, str]]) -> Path:
    """Four good images in three folders, eight broken ones, one text file."""
    folder = tmp_path / "mixed"
    for name, data in {
        "b/2.PNG": encode(12),
        "a/deep/1.jpeg": encode(11, "JPEG"),
        "a/0.webp": encode(10, "WEBP", lossless=True),
        "top.bmp": encode(13, "BMP"),
        "README.txt": b"about",
        ".hidden.png": b"",
        **{name: data for name, (data, _) in bad_files.items()},
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder
