r"""What MBC-, BC- and IR-GIQA learn: targets and loss of each (GIQA, Section 3.1).

MBC-GIQA trains N binary classifiers on the labels of Eq. 2 by the cross-entropy of Eq. 3,

.. math:: L = -\sum_{i=1}^N \bigl( c_i \log \hat c_i + (1 - c_i) \log(1 - \hat c_i) \bigr),

BC-GIQA is its case N = 1 (real or not), IR-GIQA regresses the label of Eq. 1 by squared error. All three
give a mean of sigmoids (Eq. 4). Known departure: the loss of Eq. 3 is averaged over the batch;
the official code averages it over the classifiers too (``mean_cross_entropy_loss``), which
divides the learning rate by N.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, mse_loss

from giqa_lib.scores.pseudo_labels import binary_labels

__all__ = [
    "BC",
    "IR",
    "Method",
    "cross_entropy_loss",
    "mbc",
    "mean_cross_entropy_loss",
    "regression_loss",
]

Loss = Callable[[Tensor, Tensor], Tensor]


def cross_entropy_loss(
    logits: Float[Tensor, "n k"], targets: Float[Tensor, "n k"]
) -> Float[Tensor, ""]:
    """Eq. 3 for each image, summed over the classifiers, averaged over the batch; >= 0, in nats.

    >>> round(float(cross_entropy_loss(torch.zeros(1, 2), torch.ones(1, 2))), 4)
    1.3863
    """
    return logits.shape[1] * mean_cross_entropy_loss(logits, targets)


def mean_cross_entropy_loss(
    logits: Float[Tensor, "n k"], targets: Float[Tensor, "n k"]
) -> Float[Tensor, ""]:
    """Eq. 3 averaged over batch and classifiers, as the official code has it; >= 0, in nats.

    >>> round(float(mean_cross_entropy_loss(torch.zeros(1, 2), torch.ones(1, 2))), 4)
    0.6931
    """
    return binary_cross_entropy_with_logits(logits, targets)


def regression_loss(
    logits: Float[Tensor, "n 1"], targets: Float[Tensor, "n 1"]
) -> Float[Tensor, ""]:
    """Mean squared error of the sigmoid against the label of Eq. 1, in [0, 1] (the official IR-GIQA).

    >>> float(regression_loss(torch.zeros(1, 1), torch.ones(1, 1)))
    0.25
    """
    return mse_loss(torch.sigmoid(logits), targets)


@dataclass(frozen=True, kw_only=True)
class Method:
    """A name, the targets (n, outputs) it makes of labels (n,), and the loss between logits and targets."""

    name: str
    outputs: int
    targets: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    loss: Loss
    thresholds: tuple[float, ...] = ()


def mbc(thresholds: Sequence[float], *, loss: Loss = mean_cross_entropy_loss) -> Method:
    """MBC-GIQA with these thresholds: ``even_thresholds(8)``, ``official_thresholds()`` or one's own.

    >>> mbc((0.5, 1.0)).outputs
    2
    """
    kept = tuple(thresholds)
    binary_labels(np.ones(1), kept)  # refuses wrong thresholds now, not at the first step
    return Method(
        name=f"MBC-GIQA, N={len(kept)}",
        outputs=len(kept),
        targets=lambda labels: binary_labels(labels, kept),
        loss=loss,
        thresholds=kept,
    )


#: One classifier: real or not.
BC = Method(
    name="BC-GIQA",
    outputs=1,
    targets=lambda labels: binary_labels(labels, (1.0,)),
    loss=mean_cross_entropy_loss,
    thresholds=(1.0,),
)

#: Regression of the label.
IR = Method(name="IR-GIQA", outputs=1, targets=lambda labels: labels[:, None], loss=regression_loss)
