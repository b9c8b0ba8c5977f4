"""``ImageSet``: any source of images behind one class that streams.

Images are read when they are asked for and never all at once unless ``tensor`` asks. An
image that cannot be read is listed by name and reason in ``failures`` and left out of its
batch, or stops the run: nothing is dropped silently, the last partial batch included.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch
from jaxtyping import Int64, UInt8
from numpy.typing import ArrayLike, NDArray
from torch import Tensor
from torch.utils.data import Dataset

from giqa_lib.checks import InputError, check_choice, check_positive, error_line
from giqa_lib.data.archive import ZipSource
from giqa_lib.data.arrays import ArraySource, DatasetSource
from giqa_lib.data.decode import MAX_PIXELS
from giqa_lib.data.folder import FolderSource
from giqa_lib.data.parquet import ParquetSource
from giqa_lib.data.resize import resize, set_channels
from giqa_lib.data.source import Source, UnreadableImage, digest

__all__ = ["Batch", "ImageSet", "OnError", "open_images"]

OnError = Literal["report", "raise"]


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Images (n, c, h, w) uint8 and their places (n,) in the set they were read from."""

    images: UInt8[Tensor, "n c h w"]
    indices: Int64[Tensor, " n"]

    def __len__(self) -> int:
        return len(self.indices)


class ImageSet(Dataset[Tensor]):
    """Named images with a table of labels, read as a stream.

    Attributes
    ----------
    names : one per image, unique, in a stable order.
    table : label columns (``label``, ``split``, ``generator``, ``folder``, ...), one row an image.
    fingerprint : a key that changes when the data, or the selection, do.
    failures : columns ``name`` and ``reason``; the images found unreadable so far.
    ignored : files passed over because their name is not an image's.

    >>> images = open_images(torch.zeros(5, 1, 4, 4, dtype=torch.uint8))
    >>> [len(batch) for batch in images.batches(2)]
    [2, 2, 1]
    """

    def __init__(
        self,
        source: Source,
        *,
        indices: NDArray[np.int64] | None = None,
        on_error: OnError = "report",
    ) -> None:
        check_choice(on_error, ("report", "raise"), name="on_error")
        self.source = source
        self.on_error = on_error
        self._indices = indices
        self._reasons: dict[str, str] = {}
        self.names: Sequence[str] = source.names
        self.table: pd.DataFrame = source.table.reset_index(drop=True)
        if indices is not None:
            self.names = [source.names[index] for index in indices]
            self.table = self.table.iloc[indices].reset_index(drop=True)

    def __len__(self) -> int:
        return len(self.names)

    def __repr__(self) -> str:
        columns = ", ".join(map(str, self.table.columns)) or "no labels"
        kind = type(self.source).__name__.removesuffix("Source").lower()
        return f"ImageSet({len(self)} images from {kind}; {columns})"

    @property
    def ignored(self) -> tuple[str, ...]:
        """Files that were passed over because their name is not an image's."""
        return self.source.ignored

    @property
    def failures(self) -> pd.DataFrame:
        """Names and reasons of the images found unreadable so far."""
        rows = {"name": list(self._reasons), "reason": list(self._reasons.values())}
        return pd.DataFrame(rows, dtype=object)

    @property
    def fingerprint(self) -> str:
        """The source's fingerprint, with the selection if there is one."""
        if self._indices is None:
            return self.source.fingerprint
        return digest([self.source.fingerprint, self._indices.astype("<i8").tobytes()])

    @property
    def labels(self) -> NDArray[np.int64]:
        """The column ``label`` as int64 (n,)."""
        if "label" not in self.table:
            got = ", ".join(map(str, self.table.columns)) or "no column"
            hint = "fill it: images.table['label'] = ..."
            raise InputError(error_line("table", expected="a column label", got=got, hint=hint))
        return self.table["label"].to_numpy(dtype=np.int64)

    def __getitem__(self, index: int) -> UInt8[Tensor, "c h w"]:
        """Image ``index`` (c, h, w); :class:`UnreadableImage` if it cannot be read."""
        if not -len(self) <= index < len(self):
            raise IndexError(f"image {index} of {len(self)}")
        index = int(index) % len(self)
        place = index if self._indices is None else int(self._indices[index])
        try:
            return self.source.read(place)
        except UnreadableImage as error:
            self._reasons[error.name] = error.reason
            raise

    def subset(self, indices: ArrayLike) -> "ImageSet":
        """The images at ``indices`` (whole numbers, or one bool an image), in that order."""
        chosen = self._places(indices)
        if len(np.unique(chosen)) < len(chosen):
            hint = "a name must mean one image; repeat rows of features instead"
            got = f"{len(chosen) - len(np.unique(chosen))} repeated"
            raise InputError(error_line("indices", expected="each once", got=got, hint=hint))
        inside = chosen if self._indices is None else self._indices[chosen]
        part = ImageSet(self.source, indices=inside, on_error=self.on_error)
        part.table = self.table.iloc[chosen].reset_index(drop=True)
        return part

    def column(self, name: str) -> "ImageSet":
        """The same rows with the images of another column of a Parquet file, e.g. masks."""
        other = ImageSet(self.source.column(name), indices=self._indices, on_error=self.on_error)
        other.table = self.table.copy()
        return other

    def readable(self) -> "ImageSet":
        """The part that can be read; reads every image once, the rest is in ``failures``."""
        return self.subset([index for index in range(len(self)) if self._try(index) is not None])

    def batches(
        self,
        batch_size: int,
        *,
        size: int | tuple[int, int] | None = None,
        channels: int | None = None,
        indices: ArrayLike | None = None,
    ) -> Iterator[Batch]:
        """Batches of up to ``batch_size`` images, every index once, in the order given.

        Parameters
        ----------
        size : side of a square or (height, width) to resize to; needed if sizes differ.
        channels : 1 (luma) or 3; needed if grey and colour images are mixed.
        indices : which images, in which order; all of them by default. May repeat.

        An unreadable image is missing from its batch (see ``Batch.indices``) and listed in
        ``failures``; with ``on_error="raise"`` it raises :class:`UnreadableImage`. A batch
        that has no readable image is left out.
        """
        check_positive(batch_size, name="batch_size")
        places = np.arange(len(self)) if indices is None else self._places(indices)
        for start in range(0, len(places), batch_size):
            batch = self._batch(places[start : start + batch_size], size, channels)
            if batch is not None:
                yield batch

    def tensor(
        self, *, size: int | tuple[int, int] | None = None, channels: int | None = None
    ) -> UInt8[Tensor, "n c h w"]:
        """All images at once, row i for index i.

        Raises :class:`UnreadableImage` at the first that cannot be read, since a missing row
        would shift all labels after it: take ``readable().tensor()`` then.
        """
        parts = []
        for batch in self.batches(1024, size=size, channels=channels):
            if self._reasons:
                break
            parts.append(batch.images)
        if self._reasons:
            name, reason = next(iter(self._reasons.items()))
            raise UnreadableImage(name, f"{reason}; take readable().tensor() to leave it out")
        if not parts:
            raise InputError(
                error_line("tensor", expected="images", got="an empty set", hint="select some")
            )
        _check_alike({tuple(part.shape[1:]): "" for part in parts})
        return torch.cat(parts)

    def _try(self, index: int) -> Tensor | None:
        try:
            return self[index]
        except UnreadableImage:
            if self.on_error == "raise":
                raise
            return None

    def _batch(
        self, places: NDArray[np.int64], size: int | tuple[int, int] | None, channels: int | None
    ) -> Batch | None:
        images: list[Tensor | None] = [None] * len(places)
        # in the order of the source, so that each row group of a Parquet file is read once
        inside = places if self._indices is None else self._indices[places]
        for position in np.argsort(inside, kind="stable"):
            image = self._try(int(places[position]))
            if image is not None and channels is not None:
                image = set_channels(image.unsqueeze(0), channels)[0]
            if image is not None and size is not None:
                image = resize(image.unsqueeze(0), size)[0]
            images[position] = image
        kept = [position for position, image in enumerate(images) if image is not None]
        if not kept:
            return None
        pixels = [image for image in images if image is not None]
        _check_alike(
            {tuple(images[p].shape): self.names[places[p]] for p in reversed(kept)}  # type: ignore[union-attr]
        )
        return Batch(images=torch.stack(pixels), indices=torch.from_numpy(places[kept]))

    def _places(self, indices: ArrayLike) -> NDArray[np.int64]:
        array = np.asarray(indices)
        if array.dtype == bool and array.shape == (len(self),):
            return np.flatnonzero(array).astype(np.int64)
        whole = np.issubdtype(array.dtype, np.integer) or array.size == 0
        if array.ndim != 1 or not whole:
            got = f"{array.dtype} of shape {array.shape}"
            hint = "give a list of places, or one bool an image"
            raise InputError(error_line("indices", expected="whole numbers (k,)", got=got, hint=hint))
        array = array.astype(np.int64)
        if array.size and not (array.min() >= -len(self) and array.max() < len(self)):
            got = f"{array.min()} to {array.max()}"
            raise InputError(
                error_line("indices", expected=f"below {len(self)}", got=got, hint="count from 0")
            )
        return np.where(array < 0, array + len(self), array)


def open_images(
    source: Any,
    *,
    table: pd.DataFrame | None = None,
    on_error: OnError = "report",
    max_pixels: int = MAX_PIXELS,
) -> ImageSet:
    """Open a folder, zip, Parquet file, uint8 tensor or array (n, c, h, w), or torch Dataset.

    Parameters
    ----------
    source : a path, or the object. A folder without images but with ``*.parquet`` files is
        taken as the shards of one set, in the order of their names.
    table : label columns, one row an image, beside those the source has.
    on_error : ``"report"`` lists unreadable images in ``failures``, ``"raise"`` stops.
    max_pixels : images with more, by their header, are not decoded.

    >>> open_images(torch.zeros(2, 3, 4, 4, dtype=torch.uint8))
    ImageSet(2 images from array; no labels)
    """
    images = ImageSet(_source(source, max_pixels), on_error=on_error)
    if table is not None:
        if len(table) != len(images):
            got = f"{len(table)} rows for {len(images)} images"
            raise InputError(
                error_line("table", expected="one row an image", got=got, hint="align it by name")
            )
        extra = table.reset_index(drop=True)
        images.table = pd.concat([images.table.drop(columns=extra.columns, errors="ignore"), extra], axis=1)
    return images


def _source(source: Any, max_pixels: int) -> Source:
    if isinstance(source, torch.Tensor | np.ndarray):
        return ArraySource(source)
    if isinstance(source, str | os.PathLike):
        return _path_source(Path(source), max_pixels)
    if hasattr(source, "__getitem__") and hasattr(source, "__len__"):
        return DatasetSource(source)
    expected = "a folder, zip, Parquet file, uint8 tensor or torch Dataset with a length"
    hint = "save the images to a folder"
    raise InputError(error_line("source", expected=expected, got=type(source).__name__, hint=hint))


def _path_source(path: Path, max_pixels: int) -> Source:
    if path.is_dir():
        shards = sorted(path.rglob("*.parquet"))
        try:
            return FolderSource(path, max_pixels=max_pixels)
        except InputError:
            if not shards:
                raise
            return ParquetSource(shards, max_pixels=max_pixels)
    if not path.is_file():
        hint = "look for a misspelling, or make it absolute"
        raise InputError(error_line("source", expected="a path", got=f"{path}, not there", hint=hint))
    if path.suffix.lower() == ".zip":
        return ZipSource(path, max_pixels=max_pixels)
    if path.suffix.lower() in (".parquet", ".pq"):
        return ParquetSource(path, max_pixels=max_pixels)
    hint = "give the folder that holds it" if path.suffix else "name the file's type by its suffix"
    got = path.name
    raise InputError(
        error_line("source", expected="a folder, .zip or .parquet", got=got, hint=hint)
    )


def _check_alike(names_by_shape: dict[tuple[int, ...], str]) -> None:
    """Refuse to stack unlike images, naming one of each kind and the argument that helps."""
    if len(names_by_shape) < 2:
        return
    kinds = list(names_by_shape)
    sizes = len({shape[1:] for shape in kinds}) > 1
    hints = ["size="] * sizes + ["channels="] * (len({shape[0] for shape in kinds}) > 1)
    got = " and ".join(f"{s} {names_by_shape[s]}".strip() for s in kinds[:2])
    raise InputError(
        error_line(
            "images",
            expected="one shape (channels, height, width)",
            got=got,
            hint=f"pass {' and '.join(hints)} to bring them to one",
        )
    )
