"""Real judgements: faces that people took for real or for generated.

``faces64-human`` (Kolchinski et al. 2019; HYPE, Zhou et al. 2019) has 64 x 64 faces with the
number of votes "real". The share of such votes is the opinion; pairs keep a margin between
shares. Real faces without votes are what densities are fitted on.

Limits, from the set's own description: few votes an image outside the dense runs, a floor
for the WGAN-GP faces (8 % of them got any vote "real"), and ProGAN labels joined by file name
alone, which are therefore left out here.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import UInt8
from numpy.typing import NDArray
from torch import Tensor

from giqa_lib.applications.pairs.image_pairs import Pairs, by_votes
from giqa_lib.data import load
from giqa_lib.features import PCA, extract, extractor
from giqa_lib.store import Store

__all__ = ["VOTED_FACES", "HumanVotes", "human_votes"]

VOTED_FACES = "faces64-human"
HELD_OUT_SHARE = 0.2


@dataclass(frozen=True, kw_only=True)
class HumanVotes:
    """Real faces to fit on, the judged faces, and the pairs that votes give.

    ``reference``, ``held_out`` and ``pool`` are features, ``pool_images`` the judged faces as images and ``table`` what is
    known of them (``generator``, ``share`` of votes "real").
    """

    reference: NDArray[np.float64]
    held_out: NDArray[np.float64]
    pool: NDArray[np.float64]
    pool_images: UInt8[Tensor, "n c h w"]
    table: pd.DataFrame
    pairs: list[Pairs]


def human_votes(
    store: Store,
    *,
    feature: str = "efficientnet_lite0@64",
    variance: float = 0.95,
    max_components: int = 32,
    margin: float = 0.5,
    least_votes: int = 5,
    random_state: int,
    device: str = "cpu",
    progress: bool = True,
) -> HumanVotes:
    """Features and pairs of ``faces64-human``; raises ``DataUnavailable`` where it is not.

    The pairs: a real face against a WGAN-GP face, and two WGAN-GP faces, each by votes with
    ``margin``; and the first kind's real images are judged ones, none of them in ``reference``.
    """
    images = load(VOTED_FACES)
    table = images.table
    unjudged = (table["generator"] == "real") & (table["votes_total"] == 0)
    judged = table["generator"].isin(["real", "wgan-gp"]) & (table["votes_total"] >= least_votes)
    random = np.random.default_rng(random_state)
    real = random.permutation(np.flatnonzero(unjudged))
    held_out = int(HELD_OUT_SHARE * len(real))
    network = extractor(feature, device=device)
    raw = extract(images, network, store=store, progress=progress).values
    reduction = PCA(variance=variance, max_components=max_components).fit(raw[real[held_out:]])
    pool = np.flatnonzero(judged)
    chosen = table.iloc[pool].reset_index(drop=True)
    chosen["share"] = chosen["votes_real"] / chosen["votes_total"]
    return HumanVotes(
        reference=reduction.transform(raw[real[held_out:]]),
        held_out=reduction.transform(raw[real[:held_out]]),
        pool=reduction.transform(raw[pool]),
        pool_images=images.subset(pool).tensor(),
        table=chosen,
        pairs=_pairs(chosen, margin, least_votes, random),
    )


def _pairs(
    table: pd.DataFrame, margin: float, least_votes: int, random: np.random.Generator
) -> list[Pairs]:
    everything = by_votes(
        table["share"],
        table["votes_total"],
        margin=margin,
        least_votes=least_votes,
        random_state=random,
    )
    generated = table["share"].where(table["generator"] == "wgan-gp")
    # Within one generator votes differ less: half the margin, or there is hardly a pair.
    within = by_votes(
        generated,
        table["votes_total"],
        margin=margin / 2,
        least_votes=least_votes,
        random_state=random,
    )
    return [
        Pairs(name="human votes", better=everything.better, worse=everything.worse),
        Pairs(name="human votes within WGAN-GP", better=within.better, worse=within.worse),
    ]
