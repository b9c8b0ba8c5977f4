"""Measures of image quality made for photographs, as baselines: NIMA, DeepIQA, RankIQA, NIQE, BRISQUE; and AttGF-IQA."""

from giqa_lib.iqa.attention import AttributeAnalysis, BlockAttention
from giqa_lib.iqa.attgf import AttGF, AttGFSettings, attgf_inputs
from giqa_lib.iqa.attgf_training import AttGFTraining, attgf_scores, fit_attgf
from giqa_lib.iqa.baselines import (
    BASELINES,
    BaselineSettings,
    NaturalScore,
    fetch_baseline,
    fit_baseline,
)
from giqa_lib.iqa.examples import DegradedExamples, held_out_examples
from giqa_lib.iqa.information_weighted import iw_ssim
from giqa_lib.iqa.meta_learning import META_ORDERS, adam_step, meta_gradient
from giqa_lib.iqa.natural_statistics import SMALLEST_SIDE
from giqa_lib.iqa.objectives import (
    absolute_error_loss,
    earth_mover_loss,
    mean_opinion,
    opinion_distribution,
    ranking_loss,
)
from giqa_lib.iqa.official import PyiqaScore, load_weights, pyiqa_score
from giqa_lib.iqa.pair_objectives import centre_loss, focal_rank_loss, score_regression_loss
from giqa_lib.iqa.scene_scores import BRISQUE, NIQE, fit_brisque, fit_niqe

__all__ = [
    "BASELINES",
    "BRISQUE",
    "META_ORDERS",
    "NIQE",
    "SMALLEST_SIDE",
    "AttGF",
    "AttGFSettings",
    "AttGFTraining",
    "AttributeAnalysis",
    "BaselineSettings",
    "BlockAttention",
    "DegradedExamples",
    "NaturalScore",
    "PyiqaScore",
    "absolute_error_loss",
    "adam_step",
    "attgf_inputs",
    "attgf_scores",
    "centre_loss",
    "earth_mover_loss",
    "fetch_baseline",
    "fit_attgf",
    "fit_baseline",
    "fit_brisque",
    "fit_niqe",
    "focal_rank_loss",
    "held_out_examples",
    "iw_ssim",
    "load_weights",
    "mean_opinion",
    "meta_gradient",
    "opinion_distribution",
    "pyiqa_score",
    "ranking_loss",
    "score_regression_loss",
]
