"""The methods that can be fitted to faces with votes, and their scores of the judged faces.

MBC- and IR-GIQA are not among them: they need snapshots of a generator's training, and the set has none.
BC-GIQA learns real faces against generated ones that have too few votes to be in a pair.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from giqa_lib.applications.human_votes import HumanVotes
from giqa_lib.applications.learned_study import LearnedPreset, real_or_generated
from giqa_lib.applications.natural_study import NaturalPreset, natural_scores
from giqa_lib.evaluation import bootstrap, srcc
from giqa_lib.scores import GaussianMixture, KNearestNeighbours, SingleGaussian
from giqa_lib.store import Store

__all__ = ["votes_agreement", "votes_values"]

COMPONENTS = 7  # the paper's smaller number: there are a few hundred real faces


def votes_values(
    human: HumanVotes,
    store: Store,
    *,
    natural: NaturalPreset,
    learned: LearnedPreset,
    neighbours: int,
    seed: int,
    device: str = "cpu",
) -> dict[str, NDArray[np.float64]]:
    """Scores (n,) of ``human.pool_images`` by each method; higher is better."""
    calls = natural_scores(store, human.reference_images, natural, seed=seed, device=device)
    binary = real_or_generated(
        store, human.reference_images, human.spare_images, learned, seed=seed, device=device
    )
    densities = {
        "SGM-GIQA": SingleGaussian(),
        "GMM-GIQA": GaussianMixture(COMPONENTS, random_state=seed),
        "KNN-GIQA": KNearestNeighbours(neighbours),
    }
    found = {name: call(human.pool_images) for name, call in calls.items()}
    found["BC-GIQA"] = binary(human.pool_images)
    for name, density in densities.items():
        found[name] = density.fit(human.reference).score_samples(human.pool)
    return found


def votes_agreement(
    human: HumanVotes,
    values: Mapping[str, NDArray[np.float64]],
    *,
    random_state: int,
    resamples: int = 500,
) -> pd.DataFrame:
    """Spearman correlation of each score with the share of votes "real", over all judged faces, and within WGAN-GP.

    ``name``, ``faces`` (which), ``value`` in [-1, 1], ``standard_error`` (bootstrap over faces), ``n``.
    """
    share = human.table["share"].to_numpy(dtype=float)
    generated = (human.table["generator"] == "wgan-gp").to_numpy()
    rows = []
    for faces, chosen in (("all", np.ones(len(share), bool)), ("WGAN-GP", generated)):
        for name, scores in values.items():
            found = bootstrap(
                srcc, scores[chosen], share[chosen], resamples=resamples, random_state=random_state
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
