"""Pairs that people judged, from a folder: LGIQA, or anyone's own.

LGIQA (GIQA, Section 5) is had from its authors alone, and neither the paper nor their code says how its
files are laid out. So a set is one folder of images with one file ``pairs.csv``, two columns
``better`` and ``worse`` of paths relative to it; whoever has LGIQA writes one line a pair. The three
sets of the paper are looked for as ``lgiqa/ffhq``, ``lgiqa/cat`` and ``lgiqa/cityscapes``.
"""

import csv
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from giqa_lib.applications.pairs.image_pairs import Pairs
from giqa_lib.checks import DataUnavailable, InputError, error_line
from giqa_lib.data import ImageSet, open_images

__all__ = ["LGIQA", "PairFolder", "find_lgiqa", "read_pair_folder"]

LGIQA = ("ffhq", "cat", "cityscapes")
PAIRS_FILE = "pairs.csv"


@dataclass(frozen=True, kw_only=True)
class PairFolder:
    """The images of a set in the order of their names, and the judged pairs as rows of them."""

    images: ImageSet
    pairs: Pairs


def find_lgiqa() -> dict[str, Path]:
    """Those of LGIQA's three sets that are below ``$GIQA_DATA``, by name."""
    root = os.environ.get("GIQA_DATA")
    if root is None:
        return {}
    folders = {name: Path(root) / "lgiqa" / name for name in LGIQA}
    return {name: path for name, path in folders.items() if (path / PAIRS_FILE).is_file()}


def read_pair_folder(folder: str | os.PathLike[str]) -> PairFolder:
    """Images and pairs of a folder with ``pairs.csv``; a pair of an image that is not there is an error."""
    folder = Path(folder)
    path = folder / PAIRS_FILE
    if not path.is_file():
        hint = "write one line a pair: better,worse"
        raise DataUnavailable(
            error_line("pairs", expected=str(path), got="no such file", hint=hint)
        )
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    if not rows or not {"better", "worse"} <= set(rows[0]):
        got = ", ".join(map(str, rows[0])) if rows else "no pair"
        hint = "name the columns in the first line, then one line a pair"
        raise InputError(
            error_line(str(path), expected="columns better, worse", got=got, hint=hint)
        )
    images = open_images(folder)
    places = {Path(name).as_posix(): row for row, name in enumerate(images.names)}
    found = np.empty((len(rows), 2), dtype=np.int64)
    for line, row in enumerate(rows):
        for side, name in enumerate((row["better"], row["worse"])):
            if name not in places:
                hint = "give paths relative to the folder"
                where = f"{path}, line {line + 2}"
                raise InputError(
                    error_line(where, expected="an image of the folder", got=repr(name), hint=hint)
                )
            found[line, side] = places[name]
    return PairFolder(
        images=images,
        pairs=Pairs(name=f"judged pairs of {folder.name}", better=found[:, 0], worse=found[:, 1]),
    )
