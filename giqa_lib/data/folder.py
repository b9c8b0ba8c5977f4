"""A folder of image files, searched recursively."""

import os
import stat
from pathlib import Path

import pandas as pd
import torch
from jaxtyping import UInt8

from giqa_lib.checks import InputError, error_line
from giqa_lib.data.decode import MAX_PIXELS, decode_image, is_image_name
from giqa_lib.data.source import Source, UnreadableImage, digest

__all__ = ["FolderSource", "folder_column"]


class FolderSource(Source):
    """Every file below ``root`` with an image's suffix, in the order of their names.

    Names are paths below ``root`` with forward slashes. The table has the column
    ``folder`` (the part of the name before the file) if there is any subfolder. Hidden files
    and folders are passed over; other files without an image's suffix are in ``ignored``.
    Links to folders are followed, a link to a folder above itself is not. The fingerprint is
    made of names, sizes and modification times, not of the pixels: reading 70,000 files
    only to name them would take minutes.
    """

    def __init__(self, root: str | os.PathLike[str], *, max_pixels: int = MAX_PIXELS) -> None:
        self.root = Path(root)
        self.max_pixels = max_pixels
        found = sorted(_files(self.root))
        self.names = [name for name in found if is_image_name(name)]
        self.ignored = tuple(name for name in found if not is_image_name(name))
        if not self.names:
            got = f"none among {len(found)} file(s) in {self.root}"
            hint = "look at the path; image files end in .png, .jpg, .webp, ..."
            raise InputError(error_line("folder", expected="image files", got=got, hint=hint))
        self.table = folder_column(self.names)

    @property
    def fingerprint(self) -> str:
        """Hash of names, sizes and modification times as they are now."""
        return digest(_stamp(self.root / name, name) for name in self.names)

    def read(self, index: int) -> UInt8[torch.Tensor, "c h w"]:
        """Decode file ``index``."""
        name = self.names[index]
        _refuse_pipes(self.root / name, name)
        return decode_image(self.root / name, name=name, max_pixels=self.max_pixels)

    def encoded(self, index: int) -> bytes:
        """The bytes of file ``index``."""
        name = self.names[index]
        _refuse_pipes(self.root / name, name)
        try:
            return (self.root / name).read_bytes()
        except OSError as error:
            raise UnreadableImage(name, error.strerror or str(error)) from error


def folder_column(names: list[str]) -> pd.DataFrame:
    """The table of a folder's or archive's files: ``folder``, or no column if all lie on top.

    >>> list(folder_column(["cat/1.png", "2.png"])["folder"])
    ['cat', '']
    """
    folders = [name.rpartition("/")[0] for name in names]
    table = pd.DataFrame(index=range(len(names)))
    if any(folders):
        # object: a folder's name need not be UTF-8, which pandas' own strings must be
        table["folder"] = pd.Series(folders, dtype=object)
    return table


def _files(root: Path) -> list[str]:
    names = []
    seen = {os.path.realpath(root)}
    for folder, subfolders, files in os.walk(root, followlinks=True, onerror=_refuse):
        kept = []
        for subfolder in subfolders:
            place = os.path.realpath(os.path.join(folder, subfolder))
            if not subfolder.startswith(".") and place not in seen:
                seen.add(place)
                kept.append(subfolder)
        subfolders[:] = sorted(kept)
        below = Path(folder).relative_to(root)
        names += [(below / file).as_posix() for file in files if not file.startswith(".")]
    return names


def _refuse(error: OSError) -> None:
    """A folder that cannot be listed stops the run: its images would be missed in silence."""
    raise InputError(
        error_line(
            "folder",
            expected="folders that can be listed",
            got=str(error),
            hint="mend its permissions or give a folder below",
        )
    ) from error


def _refuse_pipes(path: Path, name: str) -> None:
    """Opening a pipe would wait for its other end for ever."""
    try:
        kind = path.stat().st_mode
    except OSError:
        return  # a link to nothing: decoding says so
    if not stat.S_ISREG(kind):
        raise UnreadableImage(name, "no regular file (a pipe, a socket or a device)")


def _stamp(path: Path, name: str) -> str:
    try:
        status = path.stat()
    except OSError:
        return f"{name} gone"
    return f"{name} {status.st_size} {status.st_mtime_ns}"
