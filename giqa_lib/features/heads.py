"""Class probabilities from features that are already there: a named network's last layer alone.

A network's features and its answer to the same images are one pass and its last layer; whoever has extracted
the features (FID, densities) has all but the last matrix product of the Inception score. With ``inception_v3_fid``
(1008 logits) this is the published protocol of both.
"""

import os
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import ArrayLike, NDArray
from torch import nn

from giqa_lib.checks import DataUnavailable, check_choice, check_features
from giqa_lib.features import efficientnet, inception, mobilenet
from giqa_lib.features.networks import NetworkSpec, find_weights, load_body_and_head

__all__ = ["class_probabilities", "has_weights", "head_of"]

_SPECS = {
    spec.name: spec for family in (efficientnet, inception, mobilenet) for spec in family.SPECS
}
_ROWS = 4096  # of features in one product: 1000 classes of all rows need not be there twice


def class_probabilities(
    features: ArrayLike, name: str, *, weights: str | os.PathLike[str] | None = None
) -> Float[NDArray[np.float32], "n k"]:
    """Softmax of the logits of extractor ``name`` (with or without ``@size``) for its features (n, d); rows sum to 1.

    Raises :class:`giqa_lib.checks.DataUnavailable` if the weights are not on this machine, InputError for
    features of another network's width.

    >>> found = class_probabilities(np.zeros((2, 1280), dtype=np.float32), "efficientnet_lite0@32")
    >>> found.shape, float(found.sum().round(3))
    ((2, 1000), 2.0)
    """
    spec = _spec(name)
    rows = check_features(features, name="features", width=spec.width).astype(np.float32)
    head = head_of(name, weights=weights)
    with torch.inference_mode():
        parts = [head(part).softmax(1) for part in torch.from_numpy(rows).split(_ROWS)]
    return torch.cat(parts).numpy()


def head_of(name: str, *, weights: str | os.PathLike[str] | None = None) -> nn.Module:
    """The layer from features (n, d) to logits (n, k) of the network ``name``, frozen."""
    spec = _spec(name)
    path = find_weights(spec, weights)
    return _read(spec.name, path, path.stat().st_mtime_ns)


@lru_cache(maxsize=4)  # a second for each network, and a training is judged at many steps
def _read(name: str, path: Path, changed: int) -> nn.Module:
    spec = _SPECS[name]
    _, head = load_body_and_head(spec, spec.input_size, path)
    return head.requires_grad_(False)


def has_weights(name: str) -> bool:
    """Whether the weights of the network ``name`` are on this machine.

    >>> has_weights("efficientnet_lite0")
    True
    """
    try:
        find_weights(_spec(name), None)
    except DataUnavailable:
        return False
    return True


def _spec(name: str) -> NetworkSpec:
    return _SPECS[check_choice(name.partition("@")[0], sorted(_SPECS), name="name")]
