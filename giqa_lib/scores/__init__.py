"""Scores of single images: densities of real images' features, and their calibration."""

from giqa_lib.scores.calibration import RankCalibration, WithinModeCalibration, min_max
from giqa_lib.scores.density import Density, load_score
from giqa_lib.scores.gaussian import SingleGaussian
from giqa_lib.scores.image_score import ImageScore, fit_image_score
from giqa_lib.scores.mixture import GaussianMixture, StarvedComponentWarning
from giqa_lib.scores.neighbours import KNearestNeighbours

__all__ = [
    "Density",
    "GaussianMixture",
    "ImageScore",
    "KNearestNeighbours",
    "RankCalibration",
    "SingleGaussian",
    "StarvedComponentWarning",
    "WithinModeCalibration",
    "fit_image_score",
    "load_score",
    "min_max",
]
