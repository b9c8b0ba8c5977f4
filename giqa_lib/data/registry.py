"""Named data sets: where they are, how they are fetched, how they are loaded.

    load("fashion-mnist")            the training images, with table["label"]
    load("faces64-human")            sets without splits come whole
    load("cifar10", split="all")     every split, train before test

What is not on the machine and cannot be downloaded raises ``DataUnavailable``, whose
message says what to do.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from jaxtyping import UInt8

from giqa_lib.checks import DataUnavailable, InputError, check_choice, error_line
from giqa_lib.data.arrays import ArraySource
from giqa_lib.data.cards import DatasetCard, dataset_card, dataset_names
from giqa_lib.data.download import DOWNLOADABLE, download
from giqa_lib.data.images import ImageSet, OnError
from giqa_lib.data.opening import open_images
from giqa_lib.data.places import Place, fetch_folder, find_place
from giqa_lib.data.reencode import JpegSource, jpeg_round_trip
from giqa_lib.data.standard import read_cifar, read_digits, read_idx_split
from giqa_lib.data.toy_faces import named_toy_faces

__all__ = ["encoded_as", "fetch", "find", "jpeg_quality", "load", "status"]

#: Brought to one encoding when loaded, for the reason in ``reencode``.
_JPEG_QUALITY = {"faces64-human": 95, "gan-ladder": 75}
#: Stored as JPEG where they come as Parquet; the original files are lossless.
_STORED_JPEG = {"cifar10": 75, "cifake": 75, "celebamask": 92}


def load(name: str, split: str | None = None, *, on_error: OnError = "report") -> ImageSet:
    """A named data set as an :class:`ImageSet`, fetched first if it can be.

    Parameters
    ----------
    split : one of the card's splits or ``"all"``; by default ``"train"`` where there is one,
        else all.
    on_error : as for ``open_images``.

    Its table has ``label`` (numbers into the card's ``classes``) where the set has classes,
    ``split`` where it has splits, and what else it knows of each image.

    >>> load("digits", "test")
    ImageSet(355 images from array; label, split)
    """
    card = dataset_card(name)
    split = _check_split(card, split)
    place = find_place(name)
    if place is None:
        fetch(name)
        place = find_place(name)
    if place is None:
        raise _unavailable(card, "the download left nothing that can be read")
    if place.form == "drawn":
        return ImageSet(named_toy_faces(split), on_error=on_error)
    if place.form in ("idx", "cifar", "package"):
        return _load_standard(name, place, card.splits if split == "all" else (split,), on_error)
    images = open_images(_images_below(name, place), on_error=on_error)
    if card.splits and split != "all":
        images = _select_split(images, card, split, place.path)
    if name in _JPEG_QUALITY:
        images = ImageSet(JpegSource(images.source, quality=_JPEG_QUALITY[name]), on_error=on_error)
    return images


def jpeg_quality(name: str) -> int | None:
    """The JPEG quality (4:2:0) that a data set's images went through here; None if its files are lossless.

    Bring images of another origin to the same before a score sees both.

    >>> jpeg_quality("digits") is None
    True
    """
    dataset_card(name)
    place = find_place(name)
    if place is None or place.form in ("idx", "cifar", "package", "drawn"):
        return None
    return (_JPEG_QUALITY | _STORED_JPEG).get(name)


def encoded_as(name: str, images: UInt8[torch.Tensor, "n c h w"]) -> UInt8[torch.Tensor, "n c h w"]:
    """Images that the data set's files never held, after its lossy encoding, if it has one.

    A score sees JPEG artefacts: real images that have them and generated ones that do not differ by
    more than quality.

    >>> encoded_as("digits", torch.zeros(2, 1, 8, 8, dtype=torch.uint8)).shape
    torch.Size([2, 1, 8, 8])
    """
    quality = jpeg_quality(name)
    if quality is None:
        return images
    return torch.stack([jpeg_round_trip(image, quality=quality) for image in images])


def find(name: str) -> Path | None:
    """Where a data set lies on this machine, or None.

    >>> find("digits").name
    'datasets'
    """
    dataset_card(name)
    place = find_place(name)
    return None if place is None else place.path


def fetch(name: str) -> Path:
    """Where a data set lies, after downloading it if it is missing and may be had so.

    >>> fetch("digits") == find("digits")
    True
    """
    card = dataset_card(name)
    found = find_place(name)
    if found is not None:
        return found.path
    if name not in DOWNLOADABLE:
        raise _unavailable(card, "not found here, and not for download by this library")
    root = fetch_folder()
    try:
        download(name, root)
    except (OSError, RuntimeError) as error:
        reason = f"the download failed ({str(error).splitlines()[0]})"
        raise _unavailable(card, reason) from error
    found = find_place(name)
    if found is None:
        raise _unavailable(card, f"the download to {root} left nothing that can be read")
    return found.path


def status() -> pd.DataFrame:
    """One row a data set: ``name``, ``found`` (its path or ""), ``images``, ``size``, ``licence``.

    >>> list(status().columns)
    ['name', 'found', 'images', 'size', 'licence']
    """
    cards = [dataset_card(name) for name in dataset_names()]
    places = [find_place(card.name) for card in cards]
    return pd.DataFrame(
        {
            "name": [card.name for card in cards],
            "found": ["" if place is None else str(place.path) for place in places],
            "images": pd.array([card.images for card in cards], dtype="Int64"),
            "size": [card.size for card in cards],
            "licence": [card.licence for card in cards],
        }
    )


def _check_split(card: DatasetCard, split: str | None) -> str:
    if split is None:
        return card.splits[0] if card.splits else "all"
    return check_choice(split, (*card.splits, "all"), name=f"split of {card.name}")


def _load_standard(name: str, place: Place, splits: Sequence[str], on_error: OnError) -> ImageSet:
    parts = []
    for split in splits:
        if place.form == "idx":
            parts.append(read_idx_split(place.path, split))
        elif place.form == "cifar":
            parts.append(read_cifar(place.path, split))
        else:
            parts.append(read_digits(split))
    if len(parts) == 1:
        return ImageSet(parts[0], on_error=on_error)
    pixels = torch.cat([part.pixels for part in parts])
    table = pd.concat([part.table for part in parts], ignore_index=True)
    return ImageSet(ArraySource(pixels, table), on_error=on_error)


def _images_below(name: str, place: Place) -> Path:
    """Cityscapes' archive also has label images beside the photographs."""
    photographs = place.path / "leftImg8bit"
    return photographs if name == "cityscapes" and photographs.is_dir() else place.path


def _select_split(images: ImageSet, card: DatasetCard, split: str, path: Path) -> ImageSet:
    """By the column ``split``, else by a folder of that name in the images' names."""
    if "split" not in images.table:
        folders = [set(name.split("/")[:-1]) & set(card.splits) for name in images.names]
        if not any(folders):
            got = "neither a column 'split' nor folders of these names"
            hint = f"sort its images into folders, or load it with split='all' ({path})"
            expected = f"{card.name} in splits {', '.join(card.splits)}"
            raise InputError(error_line("split", expected=expected, got=got, hint=hint))
        images.table["split"] = [next(iter(sorted(found)), "") for found in folders]
    return images.subset(np.flatnonzero(images.table["split"].to_numpy() == split))


def _unavailable(card: DatasetCard, reason: str) -> DataUnavailable:
    home = f" Homepage: {card.homepage}." if card.homepage else ""
    return DataUnavailable(
        f"{card.name}: {reason}. To have it: {card.access}.{home} $GIQA_DATA is a folder of your"
        " choice; 'python -m giqa_lib.data list' shows what was found."
    )
