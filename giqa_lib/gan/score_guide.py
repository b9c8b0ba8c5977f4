r"""ScoreGAN's auxiliary objective: a score of a batch of generated images, up to that of real ones (Eq. 8 and 9).

.. math:: \mathcal L_G - \delta\, \mathcal L_\text{score}, \qquad
    \mathcal L_\text{score} = \min\{S(X), S(\hat X)\}.

The paper prints the maximum. Below the score of real data, where a generator is, that is a constant: nothing is
learned from it; above, where it was meant to stop, it goes on (:data:`AS_PRINTED`). X is the batch of real
images of the step, as large as the generated one, since the score depends on how many images it sees.
"""

from collections.abc import Callable
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from giqa_lib.checks import InputError, check_positive, error_line
from giqa_lib.gan.architecture import Alteration
from giqa_lib.gan.feeds import Batch
from giqa_lib.gan.trainer import Variant

__all__ = [
    "AS_PRINTED",
    "UNBOUNDED",
    "UP_TO_REAL",
    "BatchScore",
    "batch_frechet_distance",
    "batch_inception_score",
    "score_guidance",
    "without_adversary",
]

#: Images (n, c, h, w) in [-1, 1] to one number, differentiable, higher is better.
BatchScore = Callable[[Tensor], Tensor]
Bound = Callable[[Tensor, Tensor], Tensor]

UP_TO_REAL: Bound = torch.minimum
AS_PRINTED: Bound = torch.maximum


def UNBOUNDED(reached: Tensor, score: Tensor) -> Tensor:  # noqa: N802, a constant like its sisters
    """The score itself, however high."""
    return score


# Artefacts are kept under these words; a function's repr would be another in each process.
_WORDS = {UP_TO_REAL: "up to real", AS_PRINTED: "as printed", UNBOUNDED: "without bound"}


def batch_inception_score(logits: Float[Tensor, "n k"]) -> Float[Tensor, ""]:
    r""":math:`\exp\bigl(\tfrac1n \sum_i \sum_c p_{ic} \log(p_{ic} / \bar p_c)\bigr)`, from 1 to min(n, k).

    Differentiable, from logits. A batch of n has a lower score than the 5,000 of a published one.

    >>> float(batch_inception_score(100.0 * torch.eye(4)).round(decimals=3))
    4.0
    """
    own = logits.log_softmax(1)
    share = own.exp()
    mean = share.mean(0)
    # 0 log 0 = 0, and its derivative is not to be infinite.
    entropy = -(mean * mean.clamp(min=torch.finfo(mean.dtype).tiny).log()).sum()
    return (entropy + (share * own).sum(1).mean()).exp()


def batch_frechet_distance(
    features: Float[Tensor, "n d"], mean: Float[Tensor, " d"], factor: Float[Tensor, "r d"]
) -> Float[Tensor, ""]:
    r"""Frechet distance of a batch's features to a Gaussian of ``mean`` and covariance F^T F, differentiable.

    With centred features Y the trace of the root is the nuclear norm of :math:`F Y^T / \sqrt{n - 1}`. Biased up by
    the batch's size: compare batches of one size only.

    >>> rows = torch.tensor([[0.0], [2.0]])
    >>> float(batch_frechet_distance(rows + 3, rows.mean(0), torch.tensor([[2.0]]).sqrt()).round(decimals=4))
    9.0
    """
    centre = features.mean(0)
    spread = (features - centre) / (len(features) - 1) ** 0.5
    root = torch.linalg.matrix_norm(factor @ spread.T, "nuc")
    traces = spread.square().sum() + factor.square().sum()
    return (centre - mean).square().sum() + traces - 2 * root


def score_guidance(
    score: BatchScore, *, name: str, weight: float = 0.5, bound: Bound = UP_TO_REAL
) -> Alteration:
    """Training with ``weight`` (the paper's delta) times a bounded score taken from the generator's loss.

    ``name`` says what ``score`` is, evaluator and input size included: artefacts are kept under it. Weight 0
    changes nothing, bitwise. ``bound`` is :data:`UP_TO_REAL`, :data:`AS_PRINTED` or :func:`UNBOUNDED`.
    """
    check_positive(weight, name="weight", zero=True)
    if bound not in _WORDS:
        hint = "artefacts are kept under its name, which another function does not have"
        expected = "UP_TO_REAL, AS_PRINTED or UNBOUNDED"
        raise InputError(error_line("bound", expected=expected, got=repr(bound), hint=hint))

    def change(variant: Variant) -> Variant:
        if weight == 0:
            return variant

        def extra(fake: Tensor, real: Batch) -> Tensor:
            with torch.no_grad():
                reached = score(real.images)
            return variant.generator_extra(fake, real) - weight * bound(reached, score(fake))

        return replace(variant, generator_extra=extra)

    described = {"score": name, "weight": weight, "bound": _WORDS[bound]}
    return Alteration(description=described, change=change)


def without_adversary(variant: Variant) -> Variant:
    """The variant whose generator is not told what the discriminator says: only its extra losses are left.

    For Barratt and Sharma's (2018) warning: what a score alone is worth as an objective.
    """
    return replace(variant, generator_weights=lambda fake: fake.new_zeros(len(fake)))
