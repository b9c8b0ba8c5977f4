"""Files that should not be images, or are images of an odd kind, made at random from a seed.

Each kind is written into a folder; what must become of every file is known: ``read`` (and then
these pixels, where they are known), ``listed`` as unreadable, or ``either``, one of the two.
"""

import io
import os
import struct
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from rights import as_nobody, can_be_refused, open_to_all

from giqa_lib.data import open_images

__all__ = ["KINDS", "Outcome", "try_kind"]

NO_PERMISSION = "no permission"
LOOP = "beside a link to its own folder"
FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "TGA", "JPEG2000")
SUFFIXES = {"JPEG": "jpg", "TIFF": "tif", "JPEG2000": "jp2"}


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of the files of one kind."""

    kind: str
    files: int
    read: int
    listed: int
    wrong: int


def picture(
    random: np.random.Generator, mode: str = "RGB", size: tuple[int, int] = (24, 16)
) -> Image.Image:
    """A random image of a mode, (width, height)."""
    channels = {"L": 1, "RGB": 3, "RGBA": 4, "CMYK": 4, "LA": 2}[mode]
    pixels = random.integers(0, 256, (size[1], size[0], channels), dtype=np.uint8)
    return Image.fromarray(pixels[:, :, 0] if channels == 1 else pixels, mode)


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    """The bytes of a file."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def _any(random: np.random.Generator) -> tuple[str, bytes]:
    kind = FORMATS[random.integers(len(FORMATS))]
    return SUFFIXES.get(kind, kind.lower()), encoded(picture(random), kind)


def _fuzzed(random: np.random.Generator, first: int | None) -> tuple[str, bytes]:
    suffix, data = _any(random)
    changed = bytearray(data)
    for place in random.integers(0, min(first or len(data), len(data)), random.integers(1, 9)):
        changed[place] = random.integers(256)
    return f"x.{suffix}", bytes(changed)


def _truncated(random: np.random.Generator) -> tuple[str, bytes]:
    suffix, data = _any(random)
    return f"x.{suffix}", data[: random.integers(1, len(data))]


def _bomb(random: np.random.Generator) -> tuple[str, bytes]:
    side = int(random.integers(10_000, 60_000))

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    return "x.png", b"\x89PNG\r\n\x1a\n" + header + body


def _wrong_suffix(random: np.random.Generator) -> tuple[str, bytes]:
    return f"x.{('jpg', 'gif', 'tif')[random.integers(3)]}", encoded(picture(random))


def _sixteen(random: np.random.Generator) -> tuple[str, bytes]:
    pixels = random.integers(0, 65536, (16, 24)).astype(np.uint16)
    return "x.png", encoded(Image.fromarray(pixels))


def _palette(random: np.random.Generator) -> tuple[str, bytes]:
    return "x.png", encoded(picture(random).convert("P"))


def _animated(random: np.random.Generator) -> tuple[str, bytes]:
    kind = ("GIF", "WEBP")[random.integers(2)]
    frames = [picture(random) for _ in range(3)]
    data = encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=10)
    return f"x.{kind.lower()}", data


def _rotated(random: np.random.Generator) -> tuple[str, bytes]:
    exif = Image.Exif()
    exif[0x0112] = int(random.integers(5, 9))  # a quarter turn: width and height change places
    return "x.jpg", encoded(picture(random), "JPEG", exif=exif)


def _named(name: str) -> Callable[[np.random.Generator], tuple[str, bytes]]:
    return lambda random: (name, encoded(picture(random)))


def _mode(
    mode: str, kind: str, size: tuple[int, int] = (24, 16)
) -> Callable[[np.random.Generator], tuple[str, bytes]]:
    suffix = SUFFIXES.get(kind, kind.lower())
    return lambda random: (f"x.{suffix}", encoded(picture(random, mode, size), kind))


def _loop(path: Path) -> None:
    path.symlink_to(path.name)


def _unreadable(path: Path) -> None:
    path.write_bytes(encoded(Image.new("L", (4, 4))))
    path.chmod(0)


#: Kind: what must become of it, the shape it must have (or None), how many bytes of it.
KINDS: Mapping[
    str, tuple[str, tuple[int, ...] | None, Callable[[np.random.Generator], tuple[str, bytes]]]
] = {
    "fuzzed header (first 32 bytes)": ("either", None, lambda r: _fuzzed(r, 32)),
    "fuzzed anywhere": ("either", None, lambda r: _fuzzed(r, None)),
    "truncated": ("either", None, _truncated),
    "random bytes": ("listed", None, lambda r: ("x.png", r.bytes(200))),
    "empty": ("listed", None, lambda r: ("x.png", b"")),
    "decompression bomb": ("listed", None, _bomb),
    "wrong suffix": ("read", (3, 16, 24), _wrong_suffix),
    "CMYK": ("read", (3, 16, 24), _mode("CMYK", "JPEG")),
    "16-bit": ("read", (1, 16, 24), _sixteen),
    "alpha": ("read", (3, 16, 24), _mode("RGBA", "PNG")),
    "grey with alpha": ("read", (1, 16, 24), _mode("LA", "PNG")),
    "palette": ("read", (3, 16, 24), _palette),
    "animated": ("read", (3, 16, 24), _animated),
    "EXIF-rotated": ("read", (3, 24, 16), _rotated),
    "1 x 1": ("read", (3, 1, 1), _mode("RGB", "PNG", (1, 1))),
    LOOP: ("read", (3, 16, 24), _named("x.png")),
    "name with a newline": ("read", (3, 16, 24), _named("two\nlines.png")),
    "name that is not UTF-8": ("read", (3, 16, 24), _named(os.fsdecode(b"\xff\xfe.png"))),
    "name of markup": ("read", (3, 16, 24), _named("<script>alert(1)<.png")),
}

#: Kinds that are no regular file, and how to make one at a path.
SPECIAL: Mapping[str, Callable[[Path], None]] = {
    "link to itself": _loop,
    "link to nothing": lambda path: path.symlink_to("nothing.png"),
    "pipe": lambda path: os.mkfifo(path),
    NO_PERMISSION: _unreadable,
}


def try_kind(kind: str, folder: Path, *, count: int, seed: int) -> Outcome:
    """Write ``count`` files of a kind, one a subfolder, read the folder, and count what became of them.

    ``wrong`` counts files that are neither read nor listed, listed that should be read or the
    other way round, or of another shape.
    """
    if kind != NO_PERMISSION:
        _write(kind, folder, count, np.random.default_rng(seed))
        return _outcome(kind, folder, count)
    if not can_be_refused():
        untried = f"{kind} (not tried: root may read everything)"
        return Outcome(kind=untried, files=0, read=0, listed=0, wrong=0)
    with open_to_all() as place:
        _write(kind, place, count, np.random.default_rng(seed))
        with as_nobody():
            return _outcome(kind, place, count)


def _write(kind: str, folder: Path, count: int, random: np.random.Generator) -> None:
    for number in range(count):
        place = folder / f"{number:05d}"
        place.mkdir(parents=True)
        if kind in SPECIAL:
            SPECIAL[kind](place / "x.png")
        else:
            name, data = KINDS[kind][2](random)
            (place / name).write_bytes(data)
            if kind == LOOP:
                (place / "again").symlink_to(place, target_is_directory=True)


def _outcome(kind: str, folder: Path, count: int) -> Outcome:
    """Read the ``count`` files and count."""
    wanted, shape = ("listed", None) if kind in SPECIAL else KINDS[kind][:2]
    images = open_images(folder)
    shapes: dict[str, tuple[int, ...]] = {}
    for batch in images.batches(1):
        shapes[images.names[int(batch.indices[0])]] = tuple(batch.images.shape[1:])
    listed = set(images.failures["name"])
    names = set(images.names)
    wrong = (
        len(names ^ (set(shapes) | listed)) + len(set(shapes) & listed) + abs(len(names) - count)
    )
    wrong += len(listed) if wanted == "read" else len(shapes) if wanted == "listed" else 0
    wrong += sum(found != shape for found in shapes.values()) if shape else 0
    return Outcome(kind=kind, files=count, read=len(shapes), listed=len(listed), wrong=wrong)
