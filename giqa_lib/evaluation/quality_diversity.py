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

from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri
from sklearn.base import clone

from giqa_lib.checks import InputError, check_features, check_probability, error_line
from giqa_lib.evaluation.estimate import Estimate

__all__ = ["diversity_score", "quality_score"]

Array = NDArray[np.float64]


class Density(Protocol):
    """An unfitted density score, such as ``giqa_lib.scores.GaussianMixture``."""

    def fit(self, X: Array) -> object: ...
    def score_samples(self, X: Array) -> Array: ...


class Calibration(Protocol):
    """An unfitted calibration, such as ``giqa_lib.scores.RankCalibration``."""

    def fit(self, held_out_scores: Array) -> object: ...
    def transform(self, scores: Array) -> Array: ...
