"""The pool of a study scored by several densities, on each scale that a score may have.

GIQA states "all scores are normalised to [0, 1]" without saying how. The scales here: the raw
score (a log-density, or Eq. 8's mean inverse distance), its rank among held-out real images, and
its rank among held-out real images of the same mode (predicted class).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.metrics import roc_auc_score

from giqa_lib.applications.snapshots.snapshot_study import FeatureSpace, Study
from giqa_lib.evaluation import Estimate, bootstrap, srcc
from giqa_lib.scores import Density, RankCalibration, WithinModeCalibration

__all__ = [
    "ScoredPool",
    "auc",
    "effective_classes",
    "rank_within_modes",
    "score_pool",
    "step_agreement",
]

MODE_MINIMUM = 5  # held-out images of a class; fewer would make a rank of steps above 0.2
Scores = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class ScoredPool:
    """One density's scores of the pool, (n,) each, and of the held-out real images."""

    name: str
    raw: Scores
    calibrated: Scores
    within_mode: Scores
    held_out: Scores


def score_pool(
    study: Study, space: FeatureSpace, densities: Mapping[str, Density]
) -> dict[str, ScoredPool]:
    """Fit each density to the reference and score the pool on all scales.

    Modes are the classes that the study's own classifier predicts; a class that it predicts for
    fewer than ``MODE_MINIMUM`` held-out images gives no rank, and its images keep the global one.
    """
    held_out_modes = study.classifier.predict(study.held_out.tensor()).numpy()
    pool_modes = study.classifier.predict(study.pool_images).numpy()
    scored = {}
    for name, unfitted in densities.items():
        density = clone(unfitted).fit(space.reference)
        raw, held_out = density.score_samples(space.pool), density.score_samples(space.held_out)
        calibrated = RankCalibration().fit(held_out).transform(raw)
        scored[name] = ScoredPool(
            name=name,
            raw=raw,
            calibrated=calibrated,
            within_mode=rank_within_modes(raw, pool_modes, held_out, held_out_modes, calibrated),
            held_out=held_out,
        )
    return scored


def rank_within_modes(
    raw: Scores,
    modes: NDArray[np.int64],
    held_out: Scores,
    held_out_modes: NDArray[np.int64],
    otherwise: Scores,
) -> Scores:
    """Rank (n,) among the ``held_out`` scores of the same mode; ``otherwise`` where the mode has too few of them.

    >>> held_out, modes = np.arange(10.0), np.repeat([0, 1], 5)
    >>> rank_within_modes(np.array([2.5, 2.5]), np.array([0, 1]), held_out, modes, np.zeros(2))
    array([0.6, 0. ])
    """
    found, counts = np.unique(held_out_modes, return_counts=True)
    usable = found[counts >= MODE_MINIMUM]
    known, mine = np.isin(held_out_modes, usable), np.isin(modes, usable)
    calibration = WithinModeCalibration(minimum=MODE_MINIMUM)
    calibration.fit(held_out[known], held_out_modes[known])
    ranks = otherwise.copy()
    ranks[mine] = calibration.transform(raw[mine], modes[mine])
    return ranks


def step_agreement(
    study: Study, scores: Scores, *, random_state: int, resamples: int = 200
) -> Estimate:
    """Spearman correlation of the snapshots' mean scores with their training steps, in [-1, 1].

    0 where all means are equal, as when every calibrated score is nought: such a score puts no snapshot before
    another. The standard error is by bootstrap over the latents, which all snapshots share.
    """
    generated = study.rows("generated")
    table = scores[generated].reshape(len(study.steps), -1)
    steps = np.asarray(study.steps, dtype=float)

    def order(columns: Scores) -> float:
        means = columns.mean(axis=0)
        return srcc(means, steps) if np.ptp(means) > 0 else 0.0

    return bootstrap(
        order,
        table.T,
        resamples=resamples,
        random_state=random_state,
    )


def auc(better: Scores, worse: Scores, *, random_state: int, resamples: int = 200) -> Estimate:
    """The chance that a random image of ``better`` scores above one of ``worse``, in [0, 1]; 1/2 is none."""

    def statistic(first: Scores, second: Scores) -> float:
        truth = np.repeat([1, 0], [len(first), len(second)])
        return float(roc_auc_score(truth, np.concatenate([first, second])))

    return bootstrap(
        statistic, better, worse, resamples=resamples, random_state=random_state, paired=False
    )


def effective_classes(labels: NDArray[np.int64]) -> float:
    r"""How many classes the images are spread over: :math:`\exp(-\sum_c p_c \log p_c)`, from 1 to their number.

    >>> effective_classes(np.array([0, 0, 1, 1]))
    2.0
    """
    counts = np.unique(labels, return_counts=True)[1]
    share = counts / counts.sum()
    return float(np.exp(-(share * np.log(share)).sum()).round(12))
