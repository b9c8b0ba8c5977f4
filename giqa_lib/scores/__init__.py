"""Scores of single images: densities of real images' features, their calibration, and learned scores."""

from giqa_lib.scores.calibration import RankCalibration, WithinModeCalibration, min_max
from giqa_lib.scores.density import Density, load_score
from giqa_lib.scores.gaussian import SingleGaussian
from giqa_lib.scores.image_score import ImageScore, Scores, fit_image_score
from giqa_lib.scores.labelled_images import LabelledImages, read_labelled_images
from giqa_lib.scores.learned import LearnedScore
from giqa_lib.scores.learned_methods import BC, IR, Method, mbc
from giqa_lib.scores.learned_training import (
    LearnedSettings,
    fetch_learned_score,
    noisy_labels,
    train_learned_score,
)
from giqa_lib.scores.mixture import GaussianMixture, StarvedComponentWarning
from giqa_lib.scores.neighbours import KNearestNeighbours
from giqa_lib.scores.picker import pick
from giqa_lib.scores.pseudo_labels import (
    even_thresholds,
    official_thresholds,
    pseudo_labels,
    read_label_file,
    read_official_names,
)

__all__ = [
    "BC",
    "IR",
    "Density",
    "GaussianMixture",
    "ImageScore",
    "KNearestNeighbours",
    "LabelledImages",
    "LearnedScore",
    "LearnedSettings",
    "Method",
    "RankCalibration",
    "Scores",
    "SingleGaussian",
    "StarvedComponentWarning",
    "WithinModeCalibration",
    "even_thresholds",
    "fetch_learned_score",
    "fit_image_score",
    "load_score",
    "mbc",
    "min_max",
    "noisy_labels",
    "official_thresholds",
    "pick",
    "pseudo_labels",
    "read_label_file",
    "read_labelled_images",
    "read_official_names",
    "train_learned_score",
]
