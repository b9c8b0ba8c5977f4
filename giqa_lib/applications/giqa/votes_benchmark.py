"""The benchmark on faces with votes: every method of Table 1, and its scores of the judged faces.

All are fitted on the same real faces that nobody judged; BC-, IR- and MBC-GIQA learn from the snapshots of a generator
trained on them (:class:`giqa_lib.applications.giqa.FacesStudy`). So they judge faces of generators that they have not seen,
as GIQA's do. A last kind of pair asks them about their own.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property

import numpy as np
import pandas as pd
import torch
from jaxtyping import UInt8
from numpy.typing import NDArray
from torch import Tensor

from giqa_lib.applications.giqa.faces_study import FacesStudy
from giqa_lib.applications.giqa.learned_study import LearnedPreset, LearnedStudy
from giqa_lib.applications.giqa.natural_study import NaturalPreset, natural_scores
from giqa_lib.applications.opinion import rank_agreement
from giqa_lib.applications.pairs import HumanVotes, Pairs
from giqa_lib.evaluation import bootstrap
from giqa_lib.features import PCA, extract, extractor
from giqa_lib.scores import GaussianMixture, KNearestNeighbours, Method, SingleGaussian

__all__ = ["VotesBed", "votes_agreement"]

COMPONENTS = 7  # the paper's smaller number: there are less than two thousand real faces
FEATURE, VARIANCE, DIMENSIONS = "efficientnet_lite0@64", 0.95, 32


class VotesBed:
    """The judged faces, then the generator's own; what the pairs of both are, and how each method scores them."""

    def __init__(self, faces: FacesStudy, human: HumanVotes) -> None:
        self.faces, self.human = faces, human

    @cached_property
    def images(self) -> UInt8[Tensor, "n c h w"]:
        """uint8 images (n, 3, 64, 64); rows of the pairs. The first ones are ``human.pool_images``."""
        return torch.cat([self.human.pool_images, self.faces.judged_images])

    def pairs(self) -> list[Pairs]:
        """The pairs by votes, then constructed ones of the generator's snapshots."""
        later, first = self.faces.later_pairs(), len(self.human.pool_images)
        own = replace(later, better=later.better + first, worse=later.worse + first)
        return [*self.human.pairs, own]

    def scores(
        self,
        methods: Mapping[str, Method],
        *,
        natural: NaturalPreset,
        learned: LearnedPreset,
        neighbours: int,
    ) -> dict[str, NDArray[np.float64]]:
        """Scores (n,) of ``images`` by each method, higher is better; ``methods`` are the learned ones, by name."""
        faces = self.faces
        study = LearnedStudy(faces, learned)
        calls = natural_scores(
            faces.store, faces.reference.tensor(), natural, seed=faces.seed, device=faces.device
        )
        calls |= {name: study.score(method) for name, method in methods.items()}
        return {name: call(self.images) for name, call in calls.items()} | self._densities(
            neighbours
        )

    def _densities(self, neighbours: int) -> dict[str, NDArray[np.float64]]:
        faces = self.faces
        network = extractor(FEATURE, device=faces.device)
        raw, pool = (
            extract(images, network, store=faces.store, progress=faces.progress).values
            for images in (faces.reference, self.images)
        )
        reduction = PCA(variance=VARIANCE, max_components=DIMENSIONS).fit(raw)
        densities = {
            "SGM-GIQA": SingleGaussian(),
            "GMM-GIQA": GaussianMixture(COMPONENTS, random_state=faces.seed),
            "KNN-GIQA": KNearestNeighbours(neighbours),
        }
        reference, rows = reduction.transform(raw), reduction.transform(pool)
        return {name: d.fit(reference).score_samples(rows) for name, d in densities.items()}


def votes_agreement(
    human: HumanVotes,
    values: Mapping[str, NDArray[np.float64]],
    *,
    random_state: int,
    resamples: int = 500,
) -> pd.DataFrame:
    """Spearman correlation of each score with the share of votes "real", over all judged faces, and within WGAN-GP.

    ``values`` (n,) begin with the judged faces; what comes after is left out.

    ``name``, ``faces`` (which), ``value`` in [-1, 1] (0 for a constant score), ``standard_error`` (bootstrap over faces), ``n``.
    """
    share = human.table["share"].to_numpy(dtype=float)
    generated = (human.table["generator"] == "wgan-gp").to_numpy()
    rows = []
    for faces, chosen in (("all", np.ones(len(share), bool)), ("WGAN-GP", generated)):
        for name, scores in values.items():
            found = bootstrap(
                rank_agreement,
                scores[: len(share)][chosen],
                share[chosen],
                resamples=resamples,
                random_state=random_state,
            )
            rows.append(
                {
                    "name": name,
                    "faces": faces,
                    "value": found.value,
                    "standard_error": found.standard_error,
                    "n": found.n,
                }
            )
    return pd.DataFrame(rows)
