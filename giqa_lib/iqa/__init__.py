"""Measures of image quality made for photographs, as baselines: NIMA, DeepIQA, RankIQA, NIQE, BRISQUE."""

from giqa_lib.iqa.baselines import (
    BASELINES,
    BaselineSettings,
    NaturalScore,
    fetch_baseline,
    fit_baseline,
)
from giqa_lib.iqa.examples import DegradedExamples, held_out_examples
from giqa_lib.iqa.information_weighted import iw_ssim
from giqa_lib.iqa.natural_statistics import SMALLEST_SIDE
from giqa_lib.iqa.objectives import (
    absolute_error_loss,
    earth_mover_loss,
    mean_opinion,
    opinion_distribution,
    ranking_loss,
)
from giqa_lib.iqa.official import PyiqaScore, load_weights, pyiqa_score
from giqa_lib.iqa.scene_scores import BRISQUE, NIQE, fit_brisque, fit_niqe

__all__ = [
    "BASELINES",
    "BRISQUE",
    "NIQE",
    "SMALLEST_SIDE",
    "BaselineSettings",
    "DegradedExamples",
    "NaturalScore",
    "PyiqaScore",
    "absolute_error_loss",
    "earth_mover_loss",
    "fetch_baseline",
    "fit_baseline",
    "fit_brisque",
    "fit_niqe",
    "held_out_examples",
    "iw_ssim",
    "load_weights",
    "mean_opinion",
    "opinion_distribution",
    "pyiqa_score",
    "ranking_loss",
]
