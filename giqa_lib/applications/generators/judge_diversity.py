r"""How different the discriminators of one GAN are, by what each says of the same images.

The report Xu et al. 2018 (Section 6.3) holds that five equal discriminators are "too similar to using 1"; Durugkar et al.
2017 make theirs different by dropout rates and separate batches. With :math:`a_{ij}` the logit of judge i on image j:

- *correlation*: Pearson correlation of two judges' logits over the images, in [-1, 1];
- *disagreement*: the share of images that one takes for real and the other for generated, in [0, 1];
- *spread*: half the absolute difference of two judges' probabilities, mean over the images, in [0, 1/2];

each the mean over all pairs of judges. Of one judge there is no pair, and nothing to say.
"""

from itertools import combinations

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import ArrayLike
from scipy.special import expit
from torch import Tensor, nn

from giqa_lib.checks import InputError, check_features, error_line
from giqa_lib.gan import Ensemble

__all__ = ["judge_diversity", "judge_verdicts"]


@torch.no_grad()
def judge_verdicts(
    discriminator: nn.Module, images: Float[Tensor, "n c h w"], *, batch_size: int = 250
) -> Float[Tensor, "n judges"]:
    """Logits of every judge of an ensemble on every image in [-1, 1], a column a judge; one of a plain network.

    In the mode that the network is in: give it in evaluation mode, or dropout itself makes judges differ.
    Judges that were trained on separate images see all of them here.

    >>> judge_verdicts(nn.Flatten(0), torch.zeros(2, 1, 1, 1)).shape
    torch.Size([2, 1])
    """
    judges = list(discriminator.judges) if isinstance(discriminator, Ensemble) else [discriminator]
    parts = images.split(batch_size)
    return torch.cat([torch.stack([judge(part) for judge in judges], dim=1) for part in parts])


def judge_diversity(logits: ArrayLike) -> dict[str, float]:
    """``correlation``, ``disagreement`` and ``spread`` of judges whose logits (n, judges) are the columns.

    A judge that says the same of every image has no correlation: NaN.

    >>> judge_diversity(np.array([[1.0, 2.0], [-1.0, 2.0], [-2.0, -3.0]]))["disagreement"]
    0.3333333333333333
    """
    values = check_features(logits, name="logits", at_least=2)
    if values.shape[1] < 2:
        hint = "take a run with several discriminators"
        expected = "two judges or more"
        raise InputError(
            error_line("logits", expected=expected, got=f"{values.shape[1]}", hint=hint)
        )
    pairs = list(combinations(range(values.shape[1]), 2))
    real, probability = values >= 0, expit(values)
    return {
        "correlation": float(np.mean([_correlation(values[:, i], values[:, j]) for i, j in pairs])),
        "disagreement": float(np.mean([(real[:, i] != real[:, j]).mean() for i, j in pairs])),
        "spread": float(
            np.mean([abs(probability[:, i] - probability[:, j]).mean() / 2 for i, j in pairs])
        ),
    }


def _correlation(first: np.ndarray, second: np.ndarray) -> float:
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return float("nan")
    return float(np.corrcoef(first, second)[0, 1])
