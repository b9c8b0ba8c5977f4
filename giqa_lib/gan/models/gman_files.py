"""The tensor names of the GMAN report's published weights, and the networks they belong to.

Its notebooks name their parts DC1 (convolutional: the report's DCGAN and DCGMAN) and DC2 (dense: GAN and GMAN);
``netG`` and ``netD`` are the plain players, ``MnetG`` and ``netD1`` to ``netD5`` those of the multi-adversarial game.
The files hold no counts of batches, which evaluation does not need.
"""

import re
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from giqa_lib.checks import InputError, error_line
from giqa_lib.gan.models.gman import GMANDiscriminator, GMANGenerator, GMANSettings

__all__ = ["load_report_player"]

# Names in the files, as patterns, to names in our networks.
_NAMES = {
    "DC1_G": {"deconv1": "project.1", "deconv1_bn": "project.2"}
    | {f"deconv{n + 2}": f"layers.{3 * n}" for n in range(3)}
    | {f"deconv{n + 2}_bn": f"layers.{3 * n + 1}" for n in range(2)},
    "DC1_D": {
        "conv1": "layers.0",
        "conv2": "layers.2",
        "conv2_bn": "layers.3",
        "conv3": "layers.5",
        "conv3_bn": "layers.6",
        "conv4": "last",
    },
    "DC2_G": {"fc.0": "project.0", "fc.1": "project.1"}
    | {f"main.{n}": f"layers.{n}" for n in (0, 1, 3, 4, 6)},
    "DC2_D": {"fc.0": "last"} | {f"main.{n}": f"layers.{n}" for n in (0, 2, 3, 5, 6)},
}
_FILE = re.compile(r"(?P<part>DC[12])_(?P<data>MNIST|CIFAR)_(?P<multi>M?)net(?P<player>[GD])\d?")


def load_report_player(path: Path) -> nn.Module:
    """A generator or discriminator of the report, in evaluation mode, by its file ``DC1_MNIST_netD3.safetensors``.

    Raises ``InputError`` for another name, or if a tensor is missing, left over or of another shape.
    """
    found = _FILE.fullmatch(path.stem)
    if found is None:
        hint = "keep the names under which the weights were published"
        expected = "DC<1 or 2>_<MNIST or CIFAR>_<netG, MnetG or netD>"
        raise InputError(error_line("file", expected=expected, got=path.stem, hint=hint))
    mnist = found["data"] == "MNIST"
    settings = GMANSettings(
        layers="convolutional" if found["part"] == "DC1" else "dense",
        image_size=28 if mnist and found["part"] == "DC1" else 32,
        channels=1 if mnist else 3,
    )
    kind = GMANGenerator if found["player"] == "G" else GMANDiscriminator
    with torch.random.fork_rng(devices=[]):  # initial weights are drawn, and replaced
        network = kind(settings)
    tensors = _renamed(load_file(path), _NAMES[f"{found['part']}_{found['player']}"], path)
    wanted = {
        name: each for name, each in network.state_dict().items() if "num_batches" not in name
    }
    if set(wanted) != set(tensors):
        got = f"without {sorted(set(wanted) - set(tensors))}, with {sorted(set(tensors) - set(wanted))}"
        hint = "take the published file"
        raise InputError(error_line(path.name, expected="its tensors", got=got, hint=hint))
    # A dense layer's matrix (1, c * 4 * 4) is a convolution's (1, c, 4, 4), value by value.
    shaped = {name: tensor.reshape(wanted[name].shape) for name, tensor in tensors.items()}
    network.load_state_dict(shaped, strict=False)
    return network.eval()


def _renamed(
    tensors: Mapping[str, Tensor], names: Mapping[str, str], path: Path
) -> dict[str, Tensor]:
    renamed = {}
    for key, tensor in tensors.items():
        layer, _, what = key.rpartition(".")
        if layer not in names:
            hint = "take the published file"
            expected = f"layers {', '.join(names)}"
            raise InputError(error_line(path.name, expected=expected, got=layer, hint=hint))
        renamed[f"{names[layer]}.{what}"] = tensor
    return renamed
