"""What every source of images offers: a name, a row of labels and the pixels of image i.

A source reads one image at a time and keeps no pixels (save those that were handed over in
memory). Streaming, resizing and the record of unreadable files are ``images.ImageSet``'s.
"""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence

import pandas as pd
import torch
from jaxtyping import UInt8

from giqa_lib.checks import GiqaError, InputError, error_line

__all__ = ["Source", "UnreadableImage", "digest"]


class UnreadableImage(GiqaError):  # noqa: N818  (named like DataUnavailable)
    """One image could not be read: ``name`` says which and ``reason`` why.

    >>> str(UnreadableImage("a.png", "empty file"))
    'a.png: empty file'
    """

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(name, reason)
        self.name = name
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.name}: {self.reason}"


def digest(parts: Iterable[str | bytes]) -> str:
    """SHA-256 over the parts, each preceded by its length, as 32 hex digits.

    >>> digest(["ab", "c"]) == digest(["a", "bc"])
    False
    """
    total = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogateescape") if isinstance(part, str) else part
        total.update(len(data).to_bytes(8, "little"))
        total.update(data)
    return total.hexdigest()[:32]


class Source(ABC):
    """A sequence of named images with a table of labels.

    Attributes
    ----------
    names : one per image, unique, in a stable order.
    table : label columns, one row an image; may have no column.
    ignored : files passed over because their name is not an image's.
    """

    names: Sequence[str]
    table: pd.DataFrame
    ignored: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.names)

    @property
    @abstractmethod
    def fingerprint(self) -> str:
        """A key that changes when the data do."""

    @abstractmethod
    def read(self, index: int) -> UInt8[torch.Tensor, "c h w"]:
        """Image ``index``, or :class:`UnreadableImage`."""

    def encoded(self, index: int) -> bytes:
        """The encoded file of image ``index``, byte for byte, or :class:`UnreadableImage`."""
        kind = type(self).__name__.removesuffix("Source").lower()
        raise UnreadableImage(self.names[index], f"a source of kind {kind} holds pixels, no files")

    def column(self, name: str) -> "Source":
        """The source of a second image column (masks); only Parquet files have any."""
        hint = "only Parquet files have further image columns"
        raise InputError(
            error_line("column", expected="an image column", got=repr(name), hint=hint)
        )
