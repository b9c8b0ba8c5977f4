"""What a trained discriminator says of images, as a probability: of one network, or of several as their mean."""

import copy
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from giqa_lib.checks import check_positive
from giqa_lib.gan.models.ensemble import Ensemble
from giqa_lib.gan.sampling import evaluation_mode

__all__ = ["probability_of_real", "with_batch_statistics"]


def probability_of_real(
    discriminator: nn.Module, *, batch_size: int = 100, device: str | torch.device = "cpu"
) -> Callable[[Tensor], Tensor]:
    r"""A function of images (n, c, h, w) in [-1, 1] that gives :math:`\sigma(D(x))` (n,), float64 on the CPU.

    Of an :class:`Ensemble` every judge sees every image, also of those that were trained on separate ones, and the
    probability is their mean. In evaluation mode, so that a verdict does not depend on the batch, unless the
    network is one :func:`with_batch_statistics`.

    >>> judge = probability_of_real(nn.Flatten(0))
    >>> judge(torch.zeros(2, 1, 1, 1))
    tensor([0.5000, 0.5000], dtype=torch.float64)
    """
    check_positive(batch_size, name="batch_size")
    judges = list(discriminator.judges) if isinstance(discriminator, Ensemble) else [discriminator]

    @torch.no_grad()
    def judged(images: Float[Tensor, "n c h w"]) -> Tensor:
        with evaluation_mode(discriminator):
            parts = [
                torch.stack([judge(part.to(device)).double().sigmoid() for judge in judges])
                for part in images.split(batch_size)
            ]
        return torch.cat(parts, dim=1).mean(0).cpu()

    return judged


def with_batch_statistics(network: nn.Module) -> nn.Module:
    """A copy whose batch norm uses the mean and variance of the batch it is shown, as in training.

    For networks whose running statistics mix real and generated batches, as a discriminator's do; its
    verdict on an image then depends on the batch.

    >>> norm = with_batch_statistics(nn.BatchNorm1d(1)).eval()
    >>> norm(torch.tensor([[0.0], [2.0]])).round().flatten().tolist()
    [-1.0, 1.0]
    """
    made = copy.deepcopy(network)
    for module in made.modules():
        if isinstance(module, _BatchNorm):
            module.track_running_stats = False
            module.running_mean = module.running_var = None
    return made
