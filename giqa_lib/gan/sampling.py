"""Images from a generator, the same for a seed whatever the batch size."""

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from giqa_lib.checks import check_positive
from giqa_lib.gan.pixels import to_pixels

__all__ = ["latents", "sample"]


def latents(count: int, width: int, *, seed: int) -> Float[Tensor, "n z"]:
    """``count`` standard normal latents; a larger count begins with the same ones.

    >>> bool((latents(3, 2, seed=0) == latents(5, 2, seed=0)[:3]).all())
    True
    """
    random = torch.Generator().manual_seed(seed)
    # One draw a row: torch fills a large matrix in another order than a small one.
    return torch.stack([torch.randn(width, generator=random) for _ in range(count)])


@torch.no_grad()  # not inference_mode: its tensors refuse to be changed in place later
def sample(
    generator: nn.Module,
    count: int,
    *,
    latent: int,
    seed: int,
    truncation: float = 1.0,
    batch_size: int = 256,
    device: str | torch.device = "cpu",
) -> UInt8[Tensor, "n c h w"]:
    """``count`` images (n, c, h, w) of 0..255 from latents drawn by ``seed``, scaled by ``truncation``.

    The generator runs in evaluation mode, with batch norm's running statistics, so that an image
    does not depend on its batch; its mode is restored. Early in training those statistics lag
    behind and images come out flat grey.
    """
    check_positive(count, name="count")
    check_positive(truncation, name="truncation", zero=True)
    z = latents(count, latent, seed=seed) * truncation
    training = generator.training
    generator.eval()
    try:
        parts = [to_pixels(generator(part.to(device))).cpu() for part in z.split(batch_size)]
    finally:
        generator.train(training)
    return torch.cat(parts).contiguous()
