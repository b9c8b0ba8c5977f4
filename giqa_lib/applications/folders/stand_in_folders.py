"""Folders to try the commands on where a user has none: a stand-in for generated images.

Real images of a named data set, and two sets of degraded ones that stand in for the output of a
careful and of a careless generator. The level of each degradation is known, so it can stand in
for people's opinions too: the stronger, the worse.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd
import torch
from PIL import Image

from giqa_lib.checks import InputError, check_positive, error_line
from giqa_lib.data import ImageSet, degrade, load

__all__ = ["STAND_IN_LEVELS", "StandInFolders", "write_stand_in"]

#: The strongest degradation in each set; levels are uniform from 0 on.
STAND_IN_LEVELS: Mapping[str, float] = MappingProxyType({"careless": 0.7, "careful": 0.2})
KINDS = ("blur", "noise", "pixelate", "patch_swap")


@dataclass(frozen=True, kw_only=True)
class StandInFolders:
    """Where the images are, and ``name`` and ``opinion`` (1 - level) of each degraded one by set."""

    real: Path
    generated: dict[str, Path]
    opinions: dict[str, pd.DataFrame]


def write_stand_in(
    folder: str | os.PathLike[str], *, dataset: str, real: int, generated: int, seed: int
) -> StandInFolders:
    """Write ``real`` training images and ``generated`` degraded test images a set, as PNG.

    The two sets start from different test images. Raises ``InputError`` where the data set has
    fewer.

    >>> import tempfile
    >>> made = write_stand_in(tempfile.mkdtemp(), dataset="digits", real=3, generated=2, seed=0)
    >>> sorted(made.generated), len(made.opinions["careless"])
    (['careful', 'careless'], 2)
    """
    root = Path(folder)
    random = np.random.default_rng(seed)
    train, test = load(dataset, "train"), load(dataset, "test")
    _write(_drawn(train, real, random), root / "real")
    sources = _drawn(test, generated * len(STAND_IN_LEVELS), random).split(generated)
    paths, opinions = {}, {}
    for (name, most), images in zip(STAND_IN_LEVELS.items(), sources, strict=True):
        levels = random.uniform(0, most, generated)
        kinds = random.integers(len(KINDS), size=generated)
        generator = torch.Generator().manual_seed(int(random.integers(2**31)))
        worse = [
            degrade(image[None], KINDS[kind], float(level), generator)[0]
            for image, kind, level in zip(images, kinds, levels, strict=True)
        ]
        paths[name] = root / name
        names = _write(torch.stack(worse), paths[name])
        opinions[name] = pd.DataFrame({"name": names, "opinion": 1 - levels})
    return StandInFolders(real=root / "real", generated=paths, opinions=opinions)


def _drawn(images: ImageSet, count: int, random: np.random.Generator) -> torch.Tensor:
    check_positive(count, name="images")
    if count > len(images):
        hint = "ask for fewer, or take a larger data set"
        raise InputError(
            error_line("images", expected=f"at most {len(images)}", got=str(count), hint=hint)
        )
    return images.subset(np.sort(random.permutation(len(images))[:count])).tensor()


def _write(images: torch.Tensor, folder: Path) -> list[str]:
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"{number:05d}.png" for number in range(len(images))]
    for image, name in zip(images, names, strict=True):
        pixels = image.permute(1, 2, 0).numpy()
        Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels).save(folder / name)
    return names
