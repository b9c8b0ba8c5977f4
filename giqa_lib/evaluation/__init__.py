"""Metrics: arrays in, a number out, with its uncertainty."""

from giqa_lib.evaluation.adversarial_metric import (
    FORMULAS,
    GMAM,
    Outcome,
    Ratio,
    decide,
    gam,
    gmam,
)
from giqa_lib.evaluation.agreement import (
    PairAccuracy,
    krcc,
    mcnemar,
    pair_accuracy,
    plcc,
    rmse,
    srcc,
)
from giqa_lib.evaluation.encounter import Encounter, Player, error_rate, meet
from giqa_lib.evaluation.estimate import Estimate, bootstrap, proportion
from giqa_lib.evaluation.frechet import (
    FrechetReference,
    frechet_distance,
    frechet_distance_from_moments,
    frechet_estimate,
)
from giqa_lib.evaluation.inception import inception_score
from giqa_lib.evaluation.kernel import kernel_distance, kernel_estimate
from giqa_lib.evaluation.logistic import Logistic, fit_logistic
from giqa_lib.evaluation.moments import Moments, accumulate_moments, read_moments, write_moments
from giqa_lib.evaluation.neighbourhood import Neighbourhoods, precision_recall_density_coverage
from giqa_lib.evaluation.opinions import (
    VOTE_COLUMNS,
    Agreement,
    check_votes,
    mean_opinion_scores,
    observer_agreement,
    screen_observers,
    standardise_votes,
)
from giqa_lib.evaluation.quality_diversity import (
    diversity_score,
    mean_calibrated_score,
    quality_score,
)
from giqa_lib.evaluation.reliability import (
    mean_reliability,
    rating_variances,
    stepped_reliability,
    vote_variances,
)
from giqa_lib.evaluation.seeds import (
    combine_on_same_images,
    combine_seeds,
    paired_differences,
)
from giqa_lib.evaluation.spectra import (
    SpectrumDifference,
    average_spectrum,
    nearest_profile,
    radial_profiles,
    spectrum_difference,
)
from giqa_lib.evaluation.vote_files import read_votes

__all__ = [
    "FORMULAS",
    "GMAM",
    "VOTE_COLUMNS",
    "Agreement",
    "Encounter",
    "Estimate",
    "FrechetReference",
    "Logistic",
    "Moments",
    "Neighbourhoods",
    "Outcome",
    "PairAccuracy",
    "Player",
    "Ratio",
    "SpectrumDifference",
    "accumulate_moments",
    "average_spectrum",
    "bootstrap",
    "check_votes",
    "combine_on_same_images",
    "combine_seeds",
    "decide",
    "diversity_score",
    "error_rate",
    "fit_logistic",
    "frechet_distance",
    "frechet_distance_from_moments",
    "frechet_estimate",
    "gam",
    "gmam",
    "inception_score",
    "kernel_distance",
    "kernel_estimate",
    "krcc",
    "mcnemar",
    "mean_calibrated_score",
    "mean_opinion_scores",
    "mean_reliability",
    "meet",
    "nearest_profile",
    "observer_agreement",
    "pair_accuracy",
    "paired_differences",
    "plcc",
    "precision_recall_density_coverage",
    "proportion",
    "quality_score",
    "radial_profiles",
    "rating_variances",
    "read_moments",
    "read_votes",
    "rmse",
    "screen_observers",
    "spectrum_difference",
    "srcc",
    "standardise_votes",
    "stepped_reliability",
    "vote_variances",
    "write_moments",
]
