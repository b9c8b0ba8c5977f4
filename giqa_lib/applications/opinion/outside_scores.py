"""Scores by a program that is not here: images are written for it, and its table is read back.

FRIQUEE (AttGF-IQA, Table II) is Matlab code and a model of its authors'. Whoever has both scores the images of a folder with
them and leaves a table there.
"""

import os
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import UInt8
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from giqa_lib.checks import InputError, error_line

__all__ = ["outside_scores"]


def outside_scores(
    name: str, images: UInt8[Tensor, "n c h w"], folder: str | os.PathLike[str]
) -> NDArray[np.float64] | None:
    """Scores (n,) of ``images`` by the measure ``name``, from ``folder/name.csv``; None while there is no such table.

    Without a table the images are written beside it, as ``00000.png`` and so on. The table has a row an image, in any order,
    with the columns ``image`` (the file's name) and ``score``, higher is better. Raises ``InputError`` for a table of
    other images, with repeated or missing ones, or with scores that are no finite numbers.

    >>> import tempfile, torch
    >>> folder, two = tempfile.mkdtemp(), torch.zeros(2, 3, 8, 8, dtype=torch.uint8)
    >>> outside_scores("FRIQUEE", two, folder) is None, sorted(os.listdir(folder))
    (True, ['00000.png', '00001.png'])
    >>> rows = pd.DataFrame({"image": ["00001.png", "00000.png"], "score": [0.5, 0.25]})
    >>> rows.to_csv(Path(folder) / "FRIQUEE.csv", index=False)
    >>> outside_scores("FRIQUEE", two, folder).tolist()
    [0.25, 0.5]
    """
    root = Path(folder)
    names = [f"{number:05d}.png" for number in range(len(images))]
    table = root / f"{name}.csv"
    if not table.is_file():
        root.mkdir(parents=True, exist_ok=True)
        for file, image in zip(names, images, strict=True):
            shown = image.permute(1, 2, 0).squeeze(2).cpu().numpy()  # grey has no third axis
            Image.fromarray(shown).save(root / file)
        return None
    return _read(table, names)


def _read(table: Path, names: list[str]) -> NDArray[np.float64]:
    def refused(expected: str, got: str, hint: str) -> InputError:
        return InputError(error_line(str(table), expected=expected, got=got, hint=hint))

    try:
        rows = pd.read_csv(table, dtype={"image": str})
    except (ValueError, OSError) as error:  # pandas' errors are ValueErrors
        got = " ".join(str(error).split())[:120]
        raise refused("a CSV table", got, "write it with a header line") from error
    if not {"image", "score"} <= set(rows.columns):
        got = ", ".join(map(str, rows.columns))
        raise refused("the columns image and score", got, "name them in the first line")
    if sorted(rows["image"].astype(str)) != names:
        odd = sorted(set(rows["image"].astype(str)) ^ set(names))
        got = f"{len(rows)} rows" + (f", and {odd[0]} in one of both alone" if odd else "")
        hint = "score the images that lie beside it; other settings have other images"
        raise refused(f"each of {len(names)} images once", got, hint)
    scores = pd.to_numeric(rows.set_index("image")["score"], errors="coerce").loc[names]
    values = scores.to_numpy(dtype=np.float64)
    if not np.isfinite(values).all():
        bad = names[int(np.flatnonzero(~np.isfinite(values))[0])]
        raise refused("finite numbers", f"none for {bad}", "score that image again")
    return values
