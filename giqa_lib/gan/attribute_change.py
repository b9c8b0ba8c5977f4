"""Changing attributes: what a training step is given, and faces changed to wanted attributes."""

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from giqa_lib.checks import check_images, check_same_length
from giqa_lib.gan.feeds import Batch, Feed
from giqa_lib.gan.pixels import to_pixels, to_unit
from giqa_lib.gan.sampling import evaluation_mode

__all__ = ["attributes_at_random", "change_attributes"]


def attributes_at_random(
    images: UInt8[Tensor, "n c h w"], attributes: Float[Tensor, "n k"]
) -> Feed:
    """Batches of images whose condition is: themselves, wanted attributes, and their own.

    What is wanted are the attributes of another image of the batch, as in StarGAN's official code.

    >>> feed = attributes_at_random(torch.zeros(5, 3, 8, 8, dtype=torch.uint8), torch.ones(5, 2))
    >>> [part.shape for part in feed(4, torch.Generator()).condition]
    [torch.Size([4, 3, 8, 8]), torch.Size([4, 2]), torch.Size([4, 2])]
    """
    check_images(images)
    check_same_length(images=images, attributes=attributes)

    def draw(size: int, random: torch.Generator) -> Batch:
        rows = torch.randint(len(images), (size,), generator=random)
        chosen, own = to_unit(images[rows]), attributes[rows]
        wanted = own[torch.randperm(size, generator=random)]
        return Batch(images=chosen, condition=(chosen, wanted, own))

    return draw


@torch.no_grad()  # not inference_mode: its tensors refuse to be changed in place later
def change_attributes(
    generator: nn.Module,
    images: UInt8[Tensor, "n c h w"],
    wanted: Float[Tensor, "n k"],
    *,
    batch_size: int = 64,
    device: str | torch.device = "cpu",
) -> UInt8[Tensor, "n c h w"]:
    """Images changed by ``generator`` to the ``wanted`` attributes, 0 or 1 each.

    >>> class Same(nn.Module):
    ...     def forward(self, latents, images, wanted, own):
    ...         return images
    >>> change_attributes(Same(), torch.full((1, 1, 1, 1), 9, dtype=torch.uint8), torch.ones(1, 1)).item()
    9
    """
    check_images(images)
    check_same_length(images=images, wanted=wanted)
    with evaluation_mode(generator):
        parts = []
        for part, told in zip(
            images.split(batch_size), wanted.to(device).split(batch_size), strict=True
        ):
            latents = told.new_zeros(len(part), 0)
            parts.append(to_pixels(generator(latents, to_unit(part).to(device), told, told)).cpu())
    return torch.cat(parts)
