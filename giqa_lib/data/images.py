"""``ImageSet``: any source of images behind one class that streams.

Images are read when they are asked for and never all at once unless ``tensor`` asks. An
image that cannot be read is listed by name and reason in ``failures`` and left out of its
batch, or stops the run: nothing is dropped silently, the last partial batch included.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
import torch
from jaxtyping import Int64, UInt8
from numpy.typing import ArrayLike, NDArray
from torch import Tensor
from torch.utils.data import Dataset

from giqa_lib.checks import InputError, check_choice, error_line
from giqa_lib.data.resize import resize, set_channels
from giqa_lib.data.source import Source, UnreadableImage, digest

__all__ = ["Batch", "ImageSet", "OnError"]

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

    >>> from giqa_lib.data import open_images
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

    def encoded(self, index: int) -> bytes:
        """The encoded file of image ``index``; :class:`UnreadableImage` if there is none."""
        return self.source.encoded(index if self._indices is None else int(self._indices[index]))

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
        if batch_size < 1:
            got, hint = str(batch_size), "256 is usual"
            raise InputError(error_line("batch_size", expected="at least 1", got=got, hint=hint))
        places = np.arange(len(self)) if indices is None else self._places(indices)
        return self._stream(places, batch_size, size, channels)

    def tensor(
        self, *, size: int | tuple[int, int] | None = None, channels: int | None = None
    ) -> UInt8[Tensor, "n c h w"]:
        """All images at once, row i for index i.

        Raises :class:`UnreadableImage` at the first that cannot be read, since a missing row
        would shift all labels after it: take ``readable().tensor()`` then.
        """
        strict = ImageSet(self.source, indices=self._indices, on_error="raise")
        try:
            parts = [batch.images for batch in strict.batches(1024, size=size, channels=channels)]
        except UnreadableImage as error:
            self._reasons[error.name] = error.reason
            hint = f"{error.reason}; readable().tensor() leaves it out"
            raise UnreadableImage(error.name, hint) from error
        if not parts:
            raise InputError(
                error_line("tensor", expected="images", got="an empty set", hint="select some")
            )
        _check_alike({tuple(part.shape[1:]): "" for part in parts})
        return torch.cat(parts)

    def _stream(
        self,
        places: NDArray[np.int64],
        batch_size: int,
        size: int | tuple[int, int] | None,
        channels: int | None,
    ) -> Iterator[Batch]:
        for start in range(0, len(places), batch_size):
            batch = self._batch(places[start : start + batch_size], size, channels)
            if batch is not None:
                yield batch

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
        images: dict[int, Tensor] = {}
        # in the order of the source, so that each row group of a Parquet file is read once
        inside = places if self._indices is None else self._indices[places]
        for position in np.argsort(inside, kind="stable"):
            image = self._try(int(places[position]))
            if image is not None:
                images[int(position)] = image
        if not images:
            return None
        kept = sorted(images)
        groups: dict[tuple[int, ...], list[int]] = {}
        for position in kept:
            groups.setdefault(tuple(images[position].shape), []).append(position)
        done: dict[int, Tensor] = {}
        for group in groups.values():
            pixels = torch.stack([images[position] for position in group])
            pixels = pixels if channels is None else set_channels(pixels, channels)
            pixels = pixels if size is None else resize(pixels, size)
            if len(groups) == 1:
                return Batch(images=pixels, indices=torch.from_numpy(places[kept]))
            done.update(zip(group, pixels, strict=True))
        _check_alike({tuple(done[p].shape): self.names[places[p]] for p in reversed(kept)})
        pixels = torch.stack([done[position] for position in kept])
        return Batch(images=pixels, indices=torch.from_numpy(places[kept]))

    def _places(self, indices: ArrayLike) -> NDArray[np.int64]:
        array = np.asarray(indices)
        if array.dtype == bool and array.shape == (len(self),):
            return np.flatnonzero(array).astype(np.int64)
        whole = np.issubdtype(array.dtype, np.integer) or array.size == 0
        if array.ndim != 1 or not whole:
            got = f"{array.dtype} of shape {array.shape}"
            hint = "give a list of places, or one bool an image"
            raise InputError(
                error_line("indices", expected="whole numbers (k,)", got=got, hint=hint)
            )
        array = array.astype(np.int64)
        if array.size and not (array.min() >= -len(self) and array.max() < len(self)):
            got = f"{array.min()} to {array.max()}"
            raise InputError(
                error_line("indices", expected=f"below {len(self)}", got=got, hint="count from 0")
            )
        return np.where(array < 0, array + len(self), array)


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
