"""Images from a generator, the same for a seed whatever the batch size."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from giqa_lib.checks import check_positive, check_same_length
from giqa_lib.gan.pixels import to_pixels

__all__ = ["Truncatable", "latents", "sample"]


def latents(count: int, width: int, *, seed: int) -> Float[Tensor, "n z"]:
    """``count`` standard normal latents; a larger count begins with the same ones.

    >>> bool((latents(3, 2, seed=0) == latents(5, 2, seed=0)[:3]).all())
    True
    """
    random = torch.Generator().manual_seed(seed)
    # One draw a row: torch fills a large matrix in another order than a small one.
    return torch.stack([torch.randn(width, generator=random) for _ in range(count)])


@runtime_checkable
class Truncatable(Protocol):
    """A generator with a truncation of its own, such as StyleGAN's towards its average style."""

    def truncated(self, latents: Tensor, psi: float) -> Tensor:
        """Images (n, c, h, w) in [-1, 1]; psi 1 changes nothing, 0 leaves no variety."""
        ...


@torch.no_grad()  # not inference_mode: its tensors refuse to be changed in place later
def sample(
    generator: Callable[..., Tensor],
    count: int,
    *,
    latent: int,
    seed: int,
    condition: Sequence[Tensor] = (),
    truncation: float = 1.0,
    batch_size: int = 256,
    device: str | torch.device = "cpu",
) -> UInt8[Tensor, "n c h w"]:
    """``count`` images (n, c, h, w) of 0..255 from latents drawn by ``seed``.

    ``generator`` is any callable from latents (n, z), and from a ``condition`` of tensors with ``count`` rows, to
    images in [-1, 1]. With ``truncation`` below
    1 a :class:`Truncatable` one draws its styles to their average; the latents of any other are scaled by
    it. A module runs in evaluation mode, with batch norm's running statistics, so that an image
    does not depend on its batch; its mode is restored. Early in training those statistics lag
    behind and images come out flat grey.

    >>> sample(lambda z: z[:, :, None, None], 2, latent=1, seed=0).shape
    torch.Size([2, 1, 1, 1])
    """
    check_positive(count, name="count")
    check_positive(truncation, name="truncation", zero=True)
    for place, given in enumerate(condition):
        check_same_length(latents=range(count), **{f"condition[{place}]": given})
    inputs = (latents(count, latent, seed=seed), *condition)
    with evaluation_mode(generator):
        parts = [
            to_pixels(_images(generator, [part.to(device) for part in batch], truncation)).cpu()
            for batch in zip(*(each.split(batch_size) for each in inputs), strict=True)
        ]
    return torch.cat(parts).contiguous()


def _images(
    generator: Callable[..., Tensor], inputs: Sequence[Tensor], truncation: float
) -> Tensor:
    part, *condition = inputs
    if truncation == 1:
        return generator(part, *condition)
    if isinstance(generator, Truncatable):
        return generator.truncated(part, truncation)
    return generator(part * truncation, *condition)


@contextmanager
def evaluation_mode(generator: Callable[..., Tensor]) -> Iterator[None]:
    """A module in evaluation mode inside, as it was outside; any other callable as it is."""
    if not isinstance(generator, nn.Module):
        yield
        return
    training = generator.training
    generator.eval()
    try:
        yield
    finally:
        generator.train(training)
