"""Measures of image quality made for photographs, as baselines: NIMA, DeepIQA, RankIQA, NIQE, BRISQUE; and AttGF-IQA."""

from giqa_lib.iqa.attgf import AttGFNetwork, AttGFSettings, new_attgf_network
from giqa_lib.iqa.attgf_training import AttGFFit, AttGFScore, fetch_attgf, fit_attgf
from giqa_lib.iqa.attribute_analysis import AttributeAnalysis, AttributeTransform, part_shares
from giqa_lib.iqa.baseline_training import fetch_baseline, fit_baseline
from giqa_lib.iqa.baselines import (
    BASELINES,
    PAIRWISE_BASELINES,
    BaselineSettings,
    NaturalScore,
)
from giqa_lib.iqa.bisenet import BISENET_CLASSES, BiSeNetParser, load_bisenet
from giqa_lib.iqa.block_attention import BlockAttention
from giqa_lib.iqa.descent import DescentSettings
from giqa_lib.iqa.examples import DegradedExamples, held_out_examples
from giqa_lib.iqa.face_parser import (
    FaceParserSettings,
    UNetFaceParser,
    class_overlaps,
    fetch_face_parser,
    fit_face_parser,
    mean_overlap,
)
from giqa_lib.iqa.full_reference import FULL_REFERENCE, full_reference_scores
from giqa_lib.iqa.information_weighted import iw_ssim
from giqa_lib.iqa.meta_iqa import MetaIQASettings, fetch_meta_iqa, fit_meta_iqa
from giqa_lib.iqa.meta_learning import InnerStep, inner_step, meta_gradient, plain_gradient
from giqa_lib.iqa.natural_statistics import SMALLEST_SIDE
from giqa_lib.iqa.objectives import (
    absolute_error_loss,
    earth_mover_loss,
    mean_opinion,
    opinion_distribution,
    ranking_loss,
)
from giqa_lib.iqa.official import PyiqaScore, load_weights, pyiqa_score
from giqa_lib.iqa.pair_feed import PairBatch, PairFeed
from giqa_lib.iqa.quality_objectives import (
    ObjectiveWeights,
    centre_loss,
    focal_rank_loss,
    pair_probability,
    score_regression_loss,
)
from giqa_lib.iqa.scene_scores import BRISQUE, NIQE, fit_brisque, fit_niqe

__all__ = [
    "BASELINES",
    "BISENET_CLASSES",
    "BRISQUE",
    "FULL_REFERENCE",
    "NIQE",
    "PAIRWISE_BASELINES",
    "SMALLEST_SIDE",
    "AttGFFit",
    "AttGFNetwork",
    "AttGFScore",
    "AttGFSettings",
    "AttributeAnalysis",
    "AttributeTransform",
    "BaselineSettings",
    "BiSeNetParser",
    "BlockAttention",
    "DegradedExamples",
    "DescentSettings",
    "FaceParserSettings",
    "InnerStep",
    "MetaIQASettings",
    "NaturalScore",
    "ObjectiveWeights",
    "PairBatch",
    "PairFeed",
    "PyiqaScore",
    "UNetFaceParser",
    "absolute_error_loss",
    "centre_loss",
    "class_overlaps",
    "earth_mover_loss",
    "fetch_attgf",
    "fetch_baseline",
    "fetch_face_parser",
    "fetch_meta_iqa",
    "fit_attgf",
    "fit_baseline",
    "fit_brisque",
    "fit_face_parser",
    "fit_meta_iqa",
    "fit_niqe",
    "focal_rank_loss",
    "full_reference_scores",
    "held_out_examples",
    "inner_step",
    "iw_ssim",
    "load_bisenet",
    "load_weights",
    "mean_opinion",
    "mean_overlap",
    "meta_gradient",
    "new_attgf_network",
    "opinion_distribution",
    "pair_probability",
    "part_shares",
    "plain_gradient",
    "pyiqa_score",
    "ranking_loss",
    "score_regression_loss",
]
