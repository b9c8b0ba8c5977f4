"""A zip file of images, read in place: nothing is extracted to disk."""

import os
import zipfile
from pathlib import Path

import torch
from jaxtyping import UInt8

from giqa_lib.checks import InputError, error_line
from giqa_lib.data.decode import MAX_PIXELS, decode_image, is_image_name
from giqa_lib.data.folder import folder_column
from giqa_lib.data.source import Source, UnreadableImage, digest

__all__ = ["ZipSource"]

#: An uncompressed 16-bit RGBA image has eight bytes a pixel; an entry beyond is no image.
_BYTES_A_PIXEL = 8


class ZipSource(Source):
    """Every entry with an image's suffix, in the order of their names.

    Names are the entries' own, the column ``folder`` as for a folder. Entries that start with
    ``.`` or lie in ``__MACOSX`` are passed over. The fingerprint is made of the entries'
    names, sizes and checksums, so a copy of the archive has the same one. An archive with
    encrypted images is refused.
    """

    def __init__(self, path: str | os.PathLike[str], *, max_pixels: int = MAX_PIXELS) -> None:
        self.path = Path(path)
        self.max_pixels = max_pixels
        self._handle: tuple[int, zipfile.ZipFile] | None = None
        try:
            entries = [entry for entry in self._archive().infolist() if _counts(entry)]
        except (zipfile.BadZipFile, OSError) as error:
            hint = "download it again"
            got = f"{self.path} ({error})"
            raise InputError(
                error_line("zip", expected="a zip archive", got=got, hint=hint)
            ) from error
        images = {entry.filename: entry for entry in entries if is_image_name(entry.filename)}
        locked = [name for name, entry in images.items() if entry.flag_bits & 0x1]
        if locked:
            raise InputError(
                error_line(
                    "zip",
                    expected="images without a password",
                    got=f"{len(locked)} encrypted, first {locked[0]}",
                    hint="unpack it and give the folder",
                )
            )
        if not images:
            got = f"none among {len(entries)} file(s) in {self.path}"
            hint = "image files end in .png, .jpg, .webp, ..."
            raise InputError(error_line("zip", expected="image files", got=got, hint=hint))
        self.names = sorted(images)
        self._entries = [images[name] for name in self.names]
        self.ignored = tuple(sorted({entry.filename for entry in entries} - set(images)))
        self.table = folder_column(self.names)

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_handle": None}

    def _archive(self) -> zipfile.ZipFile:
        # a handle that a forked worker shared with its parent would move both their positions
        if self._handle is None or self._handle[0] != os.getpid():
            self._handle = (os.getpid(), zipfile.ZipFile(self.path))
        return self._handle[1]

    @property
    def fingerprint(self) -> str:
        """Hash of the entries' names, sizes and checksums."""
        return digest(f"{e.filename} {e.file_size} {e.CRC}" for e in self._entries)

    def read(self, index: int) -> UInt8[torch.Tensor, "c h w"]:
        """Decode entry ``index``."""
        return decode_image(self.encoded(index), name=self.names[index], max_pixels=self.max_pixels)

    def encoded(self, index: int) -> bytes:
        """The unpacked bytes of entry ``index``."""
        entry, name = self._entries[index], self.names[index]
        if entry.file_size > self.max_pixels * _BYTES_A_PIXEL:
            reason = f"{entry.file_size} bytes unpacked, too many for max_pixels={self.max_pixels}"
            raise UnreadableImage(name, reason)
        try:
            return self._archive().read(entry)
        except Exception as error:  # checksum, compression, a file that went away
            raise UnreadableImage(name, str(error) or type(error).__name__) from error


def _counts(entry: zipfile.ZipInfo) -> bool:
    parts = entry.filename.split("/")
    hidden = any(part.startswith(".") for part in parts) or parts[0] == "__MACOSX"
    return not (entry.is_dir() or hidden)
