r"""Online hard example mining in the training of GANs (GIQA, Section 4.2; OHEM: Shrivastava et al. 2016).

Generated images of low quality count more in a player's loss. With a calibrated score s in [0, 1]

.. math:: w(I) = \begin{cases} w_l & s(I) < T_q \\ 1 & \text{otherwise,} \end{cases} \qquad
    L_D = \mathrm{mean}\,\ell_\text{real}(D(x)) + \mathrm{mean}\, w(G(z))\, \ell_\text{fake}(D(G(z))),

w_l = 2 and T_q = 0.2 (Section 5.3). The score is called on each step's images, so that it needs no refresh;
weights depend on these images and on it alone, and a resumed training stays bitwise what it would have been.
Departures: the paper's normalisation of scores is unstated, here it is the rank among held-out real images;
it weights the discriminator's loss only, the generator's can be chosen by name.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from torch import Tensor

from giqa_lib.checks import (
    InputError,
    check_choice,
    check_positive,
    check_probability,
    check_scores,
    error_line,
)
from giqa_lib.gan import Alteration, Variant, to_pixels

__all__ = ["HardMining", "hard_mining", "mining_weights", "resting_share", "scores_of_the_next"]

ImageScorer = Callable[[Tensor], ArrayLike]
Weights = Callable[[Tensor], Tensor]


@dataclass(frozen=True, kw_only=True)
class HardMining:
    """T_q, w_l, and the player whose loss is weighted: discriminator (the paper's) or generator."""

    threshold: float = 0.2
    weight: float = 2.0
    player: str = "discriminator"

    def __post_init__(self) -> None:
        check_probability(self.threshold, name="threshold")
        _check_weight(self.weight)
        check_choice(self.player, tuple(_WEIGHTED), name="player")


def mining_weights(
    scores: ArrayLike, *, threshold: float = 0.2, weight: float = 2.0
) -> NDArray[np.float64]:
    """``weight`` where a calibrated score (n,) lies below ``threshold``, 1 elsewhere; a tie counts 1.

    Raises ``InputError`` for scores that are NaN or outside [0, 1]: against a log-density the
    threshold would mean nothing.

    >>> mining_weights([0.1, 0.2, 0.9])
    array([2., 1., 1.])
    """
    check_probability(threshold, name="threshold")
    _check_weight(weight)
    values = check_scores(scores)
    outside = (values < 0) | (values > 1)
    if outside.any():
        first = int(outside.argmax())
        got = f"{int(outside.sum())} outside, first {values[first]:g} at index {first}"
        hint = "calibrate the score, for example with RankCalibration"
        raise InputError(error_line("scores", expected="calibrated, in [0, 1]", got=got, hint=hint))
    return np.where(values < threshold, float(weight), 1.0)


def hard_mining(
    score: ImageScorer, settings: HardMining, *, description: Mapping[str, Any]
) -> Alteration:
    """How a family is trained with OHEM, for ``fetch_snapshots`` or, by ``change``, for any ``Variant``.

    ``score`` takes the generated images, uint8 (n, c, h, w) of the networks' size, and returns calibrated
    scores (n,). ``description`` says in JSON what the score is: with the settings it decides where a
    trained generator is kept. Weights that a variant has already are multiplied.

    >>> mining = hard_mining(lambda images: images.float().mean((1, 2, 3)) / 255,
    ...     HardMining(), description={"score": "brightness"})
    >>> mining.change(Variant()).discriminator_weights(torch.tensor([-1.0, 1.0]).view(2, 1, 1, 1))
    tensor([2., 1.])
    """

    def weigh(fake: Tensor) -> Float[Tensor, " n"]:
        scores = check_scores(score(to_pixels(fake)), count=len(fake))
        weights = mining_weights(scores, threshold=settings.threshold, weight=settings.weight)
        return torch.from_numpy(weights).to(fake)

    described = {"hard mining": {**asdict(settings), **description}}
    return Alteration(description=described, change=lambda v: _WEIGHTED[settings.player](v, weigh))


def scores_of_the_next(score: ImageScorer) -> ImageScorer:
    """A control: each image of a batch gets the score of the one after it, the last that of the first.

    Mining by it weights as many images as much in each batch, but not those of low quality: generated
    images are independent of each other. No score in the sense of this book, since it depends on the batch.

    >>> scores_of_the_next(lambda images: np.arange(3))(torch.zeros(3))
    array([1., 2., 0.])
    """
    return lambda images: np.roll(check_scores(score(images)), -1)


def resting_share(
    real_share: float, *, discriminator_weight: float = 1.0, generator_weight: float = 1.0
) -> float:
    r"""Share of low-score images at which a generator rests that can make images of two kinds only.

    ``real_share`` p is the low-score kind's share of real images, the weights are its own, in either
    player's loss; the other kind has 1. With q the share of generated ones, the best discriminator's
    logit is :math:`a = \log p - \log w_D q`, and the non-saturating generator rests where
    :math:`w_G \log(1 + e^{-a})` is the same for both kinds. Without weights q = p. For w_G = 1 that is
    :math:`q = (p / w_D) / (p / w_D + 1 - p)`.

    >>> round(resting_share(0.2, discriminator_weight=2.0), 6)
    0.111111
    """
    p = check_probability(real_share, name="real_share", open_ends=True)
    for value in (discriminator_weight, generator_weight):
        _check_weight(value)

    def imbalance(q: float) -> float:
        low = generator_weight * math.log1p(discriminator_weight * q / p)
        return low - math.log1p((1 - q) / (1 - p))

    return float(brentq(imbalance, 0.0, 1.0, xtol=1e-12))


def _check_weight(weight: float) -> None:
    check_positive(weight, name="weight")
    if math.isinf(weight):
        hint = "the loss must stay finite"
        raise InputError(
            error_line("weight", expected="a finite number > 0", got=repr(weight), hint=hint)
        )


def _on_discriminator(variant: Variant, weigh: Weights) -> Variant:
    before = variant.discriminator_weights
    return replace(variant, discriminator_weights=lambda fake: before(fake) * weigh(fake))


def _on_generator(variant: Variant, weigh: Weights) -> Variant:
    before = variant.generator_weights
    return replace(variant, generator_weights=lambda fake: before(fake) * weigh(fake))


_WEIGHTED: dict[str, Callable[[Variant, Weights], Variant]] = {
    "discriminator": _on_discriminator,
    "generator": _on_generator,
}
