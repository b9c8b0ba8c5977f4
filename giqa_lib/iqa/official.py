"""Official weights from a file, and pyiqa's measures where that package is installed.

What the files are called and whether they load as they are:

========  ==========================================================================================
NIMA      PyTorch ports on MobileNet-v2 or VGG-16 of torchvision with ten outputs: as they are, or
          renamed by ``rename``. The original (TensorFlow) is to be converted.
DeepIQA   released as a Chainer ``.model``: to be converted to safetensors with the names of
          :class:`giqa_lib.iqa.patches.WeightedPatches` around ``vgg`` of the user's choice.
RankIQA   released as a Caffe model of VGG-16 with one output: to be converted.
========  ==========================================================================================

A file is read as tensors only, never as a pickle that can run code.
"""

import pickle
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np
import torch
from jaxtyping import UInt8
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor, nn

from giqa_lib.checks import InputError, check_images, error_line

__all__ = ["PyiqaScore", "load_weights", "pyiqa_score"]


def load_weights(
    network: nn.Module, path: Path, *, rename: Mapping[str, str] = MappingProxyType({})
) -> nn.Module:
    """The network with the weights of a ``.safetensors``, ``.pt`` or ``.pth`` file, in evaluation mode.

    ``rename`` maps the beginning of a name in the file to its beginning in the network. Missing, surplus and wrongly shaped
    tensors are listed in one error; nothing is loaded then.
    """
    found = _read(path)
    for old, new in rename.items():
        found = {
            new + name.removeprefix(old) if name.startswith(old) else name: value
            for name, value in found.items()
        }
    wanted = network.state_dict()
    problems = [f"{name} is missing" for name in wanted if name not in found]
    problems += [f"{name} is not of the network" for name in found if name not in wanted]
    problems += [
        f"{name} is {tuple(found[name].shape)}, not {tuple(value.shape)}"
        for name, value in wanted.items()
        if name in found and found[name].shape != value.shape
    ]
    if problems:
        shown = "; ".join(problems[:5]) + (
            f"; and {len(problems) - 5} more" if len(problems) > 5 else ""
        )
        hint = "give the network that the file is of, or rename its tensors"
        raise InputError(
            error_line(str(path), expected="the network's tensors", got=shown, hint=hint)
        )
    network.load_state_dict(found)
    return network.eval()


def _read(path: Path) -> dict[str, Tensor]:
    if not path.is_file():
        hint = "download it from its authors, see the library's page on data"
        raise InputError(error_line("weights", expected="a file", got=str(path), hint=hint))
    if path.suffix == ".safetensors":
        return load_file(path)
    if path.suffix in (".pt", ".pth"):
        try:
            found = torch.load(path, map_location="cpu", weights_only=True)
        except pickle.UnpicklingError as error:
            hint = "save network.state_dict() as safetensors"
            expected, got = "tensors and nothing else", "a pickle with code"
            raise InputError(
                error_line(str(path), expected=expected, got=got, hint=hint)
            ) from error
        found = found.get("state_dict", found) if isinstance(found, dict) else {}
        if found and all(isinstance(value, Tensor) for value in found.values()):
            return found
        got, hint = "something else", "save network.state_dict()"
        raise InputError(error_line(str(path), expected="named tensors", got=got, hint=hint))
    hint = "convert it to safetensors first"
    expected = ".safetensors, .pt or .pth"
    raise InputError(error_line("weights", expected=expected, got=path.name, hint=hint))


class PyiqaScore:
    """A measure of pyiqa as images uint8 (n, c, h, w) to scores (n,), turned so that higher is better."""

    def __init__(
        self, name: str, metric: Callable[[Tensor], Tensor], *, lower_better: bool
    ) -> None:
        self.name = name
        self._metric = metric
        self._sign = -1.0 if lower_better else 1.0

    def __call__(self, images: UInt8[Tensor, "n c h w"]) -> NDArray[np.float64]:
        """One score an image; each is scored alone, since some measures look at the batch."""
        check_images(images)
        pictures = images.expand(-1, 3, -1, -1).float() / 255
        values = [float(self._metric(picture[None])) for picture in pictures]
        return self._sign * np.asarray(values, dtype=np.float64)


def pyiqa_score(name: str, *, device: str = "cpu") -> PyiqaScore:
    """A measure of the optional package pyiqa, by its name there (``nima``, ``niqe``, ``brisque``, ...).

    pyiqa is for non-commercial use and brings some ninety packages, so no extra of this library installs it.
    """
    try:
        import pyiqa
    except ImportError as error:
        hint = "pip install pyiqa (its licence allows non-commercial use only)"
        raise InputError(
            error_line("pyiqa", expected="the package", got="not installed", hint=hint)
        ) from error
    metric = pyiqa.create_metric(name, device=device)
    return PyiqaScore(name, metric, lower_better=bool(metric.lower_better))
