"""Nine GANs with published FIDs: does the mean score of a method order them as the FID does?

``gan-ladder`` has 100 samples of each of nine generators trained on CIFAR-10, with the FID that the
authors of the code printed. A quality score's mean should fall as the FID rises. Limits: nine generators,
six of them with FIDs between 28 and 35; the grids were chosen by their authors; FID measures
diversity too, which no score of single images can see.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import UInt8
from numpy.typing import NDArray
from torch import Tensor

from giqa_lib.data import load
from giqa_lib.evaluation import Estimate, bootstrap, srcc

__all__ = ["Ladder", "ladder_agreement", "ladder_means", "load_ladder"]

NAME = "gan-ladder"


@dataclass(frozen=True, kw_only=True)
class Ladder:
    """Images (n, 3, 32, 32), the generator of each, and the published FID by generator, falling."""

    images: UInt8[Tensor, "n c h w"]
    generator: NDArray[Any]
    fid: dict[str, float]


def load_ladder() -> Ladder:
    """The set; raises ``DataUnavailable`` where it is not. Images come in CIFAR-10's own JPEG encoding."""
    images = load(NAME)
    table = images.table
    fid = table.groupby("generator")["published_fid"].first().sort_values(ascending=False)
    return Ladder(
        images=images.tensor(),
        generator=table["generator"].to_numpy(dtype=str),
        fid={str(name): float(value) for name, value in fid.items()},
    )


def ladder_means(ladder: Ladder, scores: Mapping[str, NDArray[np.float64]]) -> pd.DataFrame:
    """One row a method and generator: ``method``, ``generator``, ``fid``, ``mean``, ``standard_error``."""
    rows = []
    for method, values in scores.items():
        for generator, fid in ladder.fid.items():
            own = values[ladder.generator == generator]
            rows.append(
                {
                    "method": method,
                    "generator": generator,
                    "fid": fid,
                    "mean": float(own.mean()),
                    "standard_error": float(own.std(ddof=1) / np.sqrt(len(own))),
                }
            )
    return pd.DataFrame(rows)


def ladder_agreement(
    ladder: Ladder, scores: NDArray[np.float64], *, random_state: int, resamples: int = 500
) -> Estimate:
    """Spearman correlation of the generators' mean scores with minus their FIDs, in [-1, 1].

    The error is by bootstrap over each generator's images: what other samples of the same nine
    generators would give, not what other generators would.
    """
    quality = [-fid for fid in ladder.fid.values()]
    return bootstrap(
        lambda *parts: srcc([part.mean() for part in parts], quality),
        *(scores[ladder.generator == name] for name in ladder.fid),
        resamples=resamples,
        random_state=random_state,
        paired=False,
    )
