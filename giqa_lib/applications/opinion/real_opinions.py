"""Real opinions of generated images and how reliable they are: AGIQA-3K's ratings, and votes "real" on faces.

AGIQA-3K gives each image's mean and deviation, not the votes nor how many raters there were; BT.500, by which it was collected, asks for
15 or more. With 15 its reliability is a lower bound. The votes of ``faces64-human`` are pooled over runs with other fakes beside them.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from giqa_lib.data import find, load
from giqa_lib.evaluation import Estimate, mean_reliability, rating_variances, vote_variances

__all__ = ["LEAST_RATERS", "OpinionSet", "rated_opinions", "real_opinions"]

LEAST_RATERS = 15  # ITU-R BT.500-13, 2.5
LEAST_VOTES = 5


@dataclass(frozen=True, kw_only=True)
class OpinionSet:
    """Mean opinions (n,), each one's variance over panels, the observers of an image, the families, and the scale's ends."""

    name: str
    opinion: NDArray[np.float64]
    variance: NDArray[np.float64]
    observers: float
    family: tuple[str, ...]
    lowest: float
    highest: float

    @property
    def unit(self) -> NDArray[np.float64]:
        """Opinions on [0, 1]."""
        scaled: NDArray[np.float64] = (self.opinion - self.lowest) / (self.highest - self.lowest)
        return scaled

    def reliability(self, *, random_state: int) -> Estimate:
        """Of the mean opinions, over all families."""
        return mean_reliability(self.opinion, self.variance, random_state=random_state)

    def reliability_within(self, *, random_state: int) -> Estimate:
        """The same of what is left when each family's mean is taken away."""
        frame = pd.Series(self.opinion)
        rest = frame - frame.groupby(np.array(self.family)).transform("mean")
        return mean_reliability(rest.to_numpy(), self.variance, random_state=random_state)


def real_opinions() -> list[OpinionSet]:
    """The sets that are on this machine: ``agiqa-3k``, ``faces64-human``.

    >>> all(isinstance(each, OpinionSet) for each in real_opinions())
    True
    """
    readers = {"agiqa-3k": _agiqa, "faces64-human": _faces}
    return [read(load(name).table) for name, read in readers.items() if find(name) is not None]


def rated_opinions(votes: pd.DataFrame, family: tuple[str, ...], *, name: str) -> OpinionSet:
    """Plain mean votes of 1 to 5 (columns ``image``, ``vote``) as an opinion set; ``family`` (n,) of each image, in their order."""
    groups = votes.groupby("image")["vote"]
    count = groups.size().to_numpy()
    return OpinionSet(
        name=name,
        opinion=groups.mean().to_numpy(dtype=float),
        variance=rating_variances(groups.std().to_numpy(dtype=float), count),
        observers=float(np.median(count)),
        family=family,
        lowest=1.0,
        highest=5.0,
    )


def _agiqa(table: pd.DataFrame) -> OpinionSet:
    return OpinionSet(
        name="AGIQA-3K",
        opinion=table["mos_quality"].to_numpy(dtype=float),
        variance=rating_variances(table["std_quality"].to_numpy(dtype=float), LEAST_RATERS),
        observers=float(LEAST_RATERS),
        family=tuple(table["generator"]),
        lowest=0.0,
        highest=5.0,
    )


def _faces(table: pd.DataFrame) -> OpinionSet:
    """The dense votes, on real and WGAN-GP faces; ProGAN's labels were joined by file name alone and are left out."""
    judged = table["votes_total_dense"].ge(LEAST_VOTES) & table["generator"].isin(
        ["real", "wgan-gp"]
    )
    dense = table[judged]
    won = dense["votes_real_dense"].to_numpy(dtype=float)
    total = dense["votes_total_dense"].to_numpy(dtype=float)
    return OpinionSet(
        name="faces64-human",
        opinion=won / total,
        variance=vote_variances(won, total),
        observers=float(np.median(total)),
        family=tuple(dense["generator"]),
        lowest=0.0,
        highest=1.0,
    )
