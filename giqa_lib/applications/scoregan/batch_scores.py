"""Scores of a batch of generated images that a generator can be trained on (ScoreGAN, Section 3.1.2, and its future work).

Each is a function of images (n, c, h, w) in [-1, 1] with gradients, higher is better, computed by one evaluator network:
the Inception score of the batch, the Frechet distance of its features to real ones, and
the density of its features under a mixture fitted to real ones (GIQA's score, averaged over the batch).
"""

import math

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import ArrayLike
from torch import Tensor

from giqa_lib.checks import check_features
from giqa_lib.features import PCA, ImageNetClassifier
from giqa_lib.gan import BatchScore, batch_frechet_distance, batch_inception_score
from giqa_lib.scores import GaussianMixture

__all__ = ["density_objective", "frechet_objective", "inception_objective"]


def inception_objective(evaluator: ImageNetClassifier) -> BatchScore:
    """The evaluator's Inception score of the batch, from 1 to its size."""

    def score(images: Tensor) -> Tensor:
        return batch_inception_score(evaluator(images))

    return score


def frechet_objective(evaluator: ImageNetClassifier, real: ArrayLike) -> BatchScore:
    r""":math:`-\log d^2` of the batch's features to those of real images, ``real`` (n, d).

    The logarithm gives it the scale of an Inception score's, whatever the network's features are.
    """
    rows = check_features(real, name="real", at_least=2)
    # F^T F = covariance with as few rows as there are directions.
    spread = (rows - rows.mean(0)) / math.sqrt(len(rows) - 1)
    factor = spread if len(spread) <= rows.shape[1] else np.linalg.qr(spread, mode="r")
    mean, root = (torch.from_numpy(each).float() for each in (rows.mean(0), factor))

    def score(images: Tensor) -> Tensor:
        features = evaluator.features(images)
        place = features.device
        return -batch_frechet_distance(features, mean.to(place), root.to(place)).log()

    return score


def density_objective(
    evaluator: ImageNetClassifier, reduction: PCA, mixture: GaussianMixture
) -> BatchScore:
    """GMM-GIQA's log-density a dimension, averaged over the batch: the score of the library as an objective.

    ``reduction`` and ``mixture`` (full covariances) are fitted on the evaluator's features of real images.
    """
    project = torch.from_numpy(reduction.components_ / reduction.scale_).float()
    centre = torch.from_numpy(reduction.mean_).float()
    weights, means, factors = (
        torch.from_numpy(np.asarray(each)).float()
        for each in (mixture.weights_, mixture.means_, mixture.precisions_cholesky_)
    )

    def score(images: Tensor) -> Tensor:
        features = evaluator.features(images)
        place = features.device
        reduced = (features - centre.to(place)) @ project.to(place).T
        density = _log_density(reduced, weights.to(place), means.to(place), factors.to(place))
        return density.mean() / reduced.shape[1]

    return score


def _log_density(
    rows: Float[Tensor, "n d"],
    weights: Float[Tensor, " m"],
    means: Float[Tensor, "m d"],
    factors: Float[Tensor, "m d d"],
) -> Float[Tensor, " n"]:
    """The mixture's log-density; ``factors`` are the upper Cholesky factors of the precisions, as scikit-learn's."""
    away = torch.einsum("nd,mde->nme", rows, factors) - torch.einsum("md,mde->me", means, factors)
    logdet = factors.diagonal(dim1=1, dim2=2).log().sum(1)
    constant = rows.shape[1] * math.log(2 * math.pi)
    return (weights.log() + logdet - 0.5 * (constant + away.square().sum(2))).logsumexp(1)
