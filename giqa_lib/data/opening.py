"""Open images of any kind: folder, zip, Parquet, array, torch data set."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from giqa_lib.checks import InputError, error_line
from giqa_lib.data.archive import ZipSource
from giqa_lib.data.arrays import ArraySource, DatasetSource
from giqa_lib.data.decode import MAX_PIXELS
from giqa_lib.data.folder import FolderSource
from giqa_lib.data.images import ImageSet, OnError
from giqa_lib.data.parquet import ParquetSource
from giqa_lib.data.source import Source

__all__ = ["open_images"]


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
        images.table = pd.concat(
            [images.table.drop(columns=extra.columns, errors="ignore"), extra], axis=1
        )
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
        raise InputError(
            error_line("source", expected="a path", got=f"{path}, not there", hint=hint)
        )
    if path.suffix.lower() == ".zip":
        return ZipSource(path, max_pixels=max_pixels)
    if path.suffix.lower() in (".parquet", ".pq"):
        return ParquetSource(path, max_pixels=max_pixels)
    hint = "give the folder that holds it" if path.suffix else "name the file's type by its suffix"
    got = path.name
    raise InputError(
        error_line("source", expected="a folder, .zip or .parquet", got=got, hint=hint)
    )
