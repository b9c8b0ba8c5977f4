r"""Quality score and diversity score of a generator (GIQA, Gu et al. 2020, Eq. 10-11).

.. math:: QS = \frac1{N_g} \sum_i S(I_g^i), \qquad DS = \frac1{N_r} \sum_i S'(I_r^i)

S is fitted to real images and scores the generated; S' is fitted to generated images and
scores the real: high where each real image has generated ones around it. The paper has all
scores "normalised to [0, 1]" without a rule. Here, with a calibration: the rank among images
held out from those S (S') was fitted to. 1/2 then is what those images get themselves, a
perfect generator has QS = DS = 1/2, and above 1/2 its images are more typical than real
ones. Departure: the paper's DS normalisation is unstated; a held-out part of the generated
images calibrates S', so that it never judges what it was fitted to.
"""

from dataclasses import replace
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone

from giqa_lib.checks import InputError, check_features, check_probability, error_line
from giqa_lib.evaluation.estimate import Estimate, bootstrap

__all__ = ["diversity_score", "mean_calibrated_score", "quality_score"]

Array = NDArray[np.float64]


@runtime_checkable
class Density(Protocol):
    """An unfitted density score, such as ``giqa_lib.scores.GaussianMixture``."""

    def fit(self, X: Array) -> Any: ...
    def score_samples(self, X: Array) -> Array: ...


@runtime_checkable
class Calibration(Protocol):
    """An unfitted calibration, such as ``giqa_lib.scores.RankCalibration``."""

    def fit(self, held_out_scores: Array) -> Any: ...
    def transform(self, scores: Array) -> Array: ...


def quality_score(
    density: Density,
    *,
    real: ArrayLike,
    generated: ArrayLike,
    calibration: Calibration | None = None,
    held_out_share: float = 0.2,
    random_state: int | np.random.Generator,
    resamples: int = 200,
    level: float = 0.95,
) -> Estimate:
    """QS: mean score of the generated features (m, d) under a fit to the real ones (n, d).

    ``density`` and ``calibration`` are unfitted; clones of them are fitted. With a
    calibration, ``held_out_share`` of the real images, drawn by ``random_state``, is kept
    from the fit and calibrates; without, the fit has all and the value is a raw score, which
    no other fit's can be compared with. The standard error is by bootstrap of the scored and
    the held-out images under the fitted density; ``n`` counts the scored.

    >>> from sklearn.neighbors import KernelDensity
    >>> zeros = [[0.0], [0.0]]
    >>> found = quality_score(KernelDensity(), real=zeros, generated=zeros, random_state=0)
    >>> round(found.value, 4)
    -0.9189
    """
    return _mean_score(
        density,
        fitted=("real", real),
        scored=("generated", generated),
        calibration=calibration,
        held_out_share=held_out_share,
        random_state=random_state,
        resamples=resamples,
        level=level,
    )


def diversity_score(
    density: Density,
    *,
    generated: ArrayLike,
    real: ArrayLike,
    calibration: Calibration | None = None,
    held_out_share: float = 0.2,
    random_state: int | np.random.Generator,
    resamples: int = 200,
    level: float = 0.95,
) -> Estimate:
    """DS: mean score of the real features (n, d) under a fit to the generated ones (m, d).

    As :func:`quality_score` with the sets exchanged: the calibration's images are held out
    from the generated set. A generator that leaves out a mode scores low on its real images.

    >>> from sklearn.neighbors import KernelDensity
    >>> narrow, wide = [[0.0], [0.1]], [[-2.0], [2.0]]
    >>> low = diversity_score(KernelDensity(), generated=narrow, real=wide, random_state=0)
    >>> low.value < quality_score(
    ...     KernelDensity(), generated=narrow, real=wide, random_state=0).value
    True
    """
    return _mean_score(
        density,
        fitted=("generated", generated),
        scored=("real", real),
        calibration=calibration,
        held_out_share=held_out_share,
        random_state=random_state,
        resamples=resamples,
        level=level,
    )


def mean_calibrated_score(
    calibration: Calibration,
    *,
    held_out_scores: ArrayLike,
    scores: ArrayLike,
    random_state: int | np.random.Generator,
    resamples: int = 200,
    level: float = 0.95,
) -> Estimate:
    """Mean of ``scores`` (n,) after the unfitted ``calibration`` on ``held_out_scores`` (m,), in its range.

    QS or DS where the density has been fitted already. The error counts both sets; ``n`` the scored.

    >>> from giqa_lib.scores import RankCalibration
    >>> mean_calibrated_score(RankCalibration(), held_out_scores=[1.0, 2.0, 3.0, 4.0],
    ...     scores=[0.0, 9.0], random_state=0).value
    0.5
    """

    def statistic(held_out: Array, scored: Array) -> float:
        # safe=False: a calibration need not be a scikit-learn estimator.
        return float(np.mean(clone(calibration, safe=False).fit(held_out).transform(scored)))

    found = bootstrap(
        statistic,
        held_out_scores,
        scores,
        resamples=resamples,
        random_state=random_state,
        level=level,
        paired=False,
    )
    return replace(found, n=len(np.asarray(scores)))


def _mean_score(
    density: Density,
    *,
    fitted: tuple[str, ArrayLike],
    scored: tuple[str, ArrayLike],
    calibration: Calibration | None,
    held_out_share: float,
    random_state: int | np.random.Generator,
    resamples: int,
    level: float,
) -> Estimate:
    reference = check_features(fitted[1], name=fitted[0], at_least=2)
    width = reference.shape[1]
    targets = check_features(scored[1], name=scored[0], width=width, at_least=2)
    generator = np.random.default_rng(random_state)
    if calibration is None:
        scores = clone(density).fit(reference).score_samples(targets)
        return bootstrap(np.mean, scores, resamples=resamples, random_state=generator, level=level)
    kept, held_out = _split(reference, fitted[0], held_out_share, generator)
    model = clone(density).fit(kept)

    return mean_calibrated_score(
        calibration,
        held_out_scores=model.score_samples(held_out),
        scores=model.score_samples(targets),
        random_state=generator,
        resamples=resamples,
        level=level,
    )


def _split(
    rows: Array, name: str, share: float, generator: np.random.Generator
) -> tuple[Array, Array]:
    check_probability(share, name="held_out_share", open_ends=True)
    held_out = round(len(rows) * share)
    if held_out < 2 or len(rows) - held_out < 2:
        expected = "2 or more images to fit and 2 or more to hold out"
        got = f"{len(rows) - held_out} and {held_out}"
        hint = "give more images or another held_out_share"
        raise InputError(error_line(name, expected=expected, got=got, hint=hint))
    order = generator.permutation(len(rows))
    return rows[order[held_out:]], rows[order[:held_out]]
