"""ImageNet classifiers as functions of images with gradients: what a generator can be trained by.

An extractor takes files' pixels and gives features to be stored; here images are a generator's, in [-1, 1], nothing is
rounded, and logits come with the features. The weights are an extractor's: same names, same files.
"""

import os

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn
from torch.nn import functional

from giqa_lib.checks import check_choice, check_images
from giqa_lib.features import efficientnet, mobilenet
from giqa_lib.features.folding import fold_batch_norm, fold_same_padding
from giqa_lib.features.networks import check_input_size, find_weights, load_body_and_head

__all__ = ["ImageNetClassifier", "imagenet_classifier"]

_SPECS = {spec.name: spec for family in (efficientnet, mobilenet) for spec in family.SPECS}


class ImageNetClassifier(nn.Module):
    """A frozen network: images (n, c, h, w) in [-1, 1] to logits (n, 1000), with gradients to the images.

    Images are enlarged bilinearly to ``input_size`` a side; grey is repeated in three channels.
    """

    scale: Tensor
    shift: Tensor

    def __init__(
        self,
        body: nn.Module,
        head: nn.Module,
        *,
        name: str,
        input_size: int,
        mean: tuple[float, float, float],
        std: tuple[float, float, float],
    ) -> None:
        super().__init__()
        self.body, self.head = body, head
        self.name, self.input_size = name, input_size
        spread = torch.tensor(std).view(1, 3, 1, 1)
        self.register_buffer("scale", 0.5 / spread)
        self.register_buffer("shift", (0.5 - torch.tensor(mean).view(1, 3, 1, 1)) / spread)
        self.requires_grad_(False)
        self.eval()

    def features(self, images: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d"]:
        """The penultimate layer."""
        size = (self.input_size, self.input_size)
        if images.shape[2:] != size:
            images = functional.interpolate(images, size, mode="bilinear", align_corners=False)
        shown = images.expand(-1, 3, -1, -1) * self.scale + self.shift
        return self.body(shown.contiguous(memory_format=torch.channels_last)).flatten(1)

    def forward(self, images: Float[Tensor, "n c h w"]) -> Float[Tensor, "n k"]:
        """Logits."""
        return self.head(self.features(images))

    @torch.no_grad()
    def probabilities(
        self, images: UInt8[Tensor, "n c h w"], *, batch_size: int = 64
    ) -> Float[Tensor, "n k"]:
        """Softmax of the logits of 8-bit images, rows sum to 1."""
        check_images(images)
        parts = images.split(batch_size)
        return torch.cat([self(part.float() / 127.5 - 1).softmax(1).cpu() for part in parts])


def imagenet_classifier(
    name: str = "efficientnet_lite0",
    *,
    input_size: int | None = None,
    weights: str | os.PathLike[str] | None = None,
    device: str | torch.device = "cpu",
) -> ImageNetClassifier:
    """The classifier of that name: ``efficientnet_lite0``, 1, 2 or ``mobilenet_v2``.

    ``input_size`` is the side that images are enlarged to; by default the network's own (224 and more). Raises
    :class:`giqa_lib.checks.DataUnavailable` if the weights are not on this machine.

    >>> network = imagenet_classifier(input_size=32)
    >>> network(torch.zeros(2, 1, 28, 28)).shape
    torch.Size([2, 1000])
    """
    spec = _SPECS[check_choice(name, sorted(_SPECS), name="name")]
    size = check_input_size(spec, input_size)
    network, head = load_body_and_head(spec, size, find_weights(spec, weights))
    body = fold_same_padding(fold_batch_norm(network))
    whole = ImageNetClassifier(
        body, head, name=f"{name}@{size}", input_size=size, mean=spec.mean, std=spec.std
    )
    return whole.to(device).to(memory_format=torch.channels_last)
