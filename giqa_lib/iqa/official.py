"""Official weights from a file, and pyiqa's measures where that package is installed.

What the files are called and whether they load as they are:

========  ==========================================================================================
NIMA      PyTorch ports on MobileNet-v2 or VGG-16 of torchvision with ten outputs: as they are, or
          renamed by ``rename``. The original (TensorFlow) is to be converted.
DeepIQA   released as a Chainer ``.model``: to be converted to safetensors with the names of
          :class:`giqa_lib.iqa.patches.WeightedPatches` around ``vgg`` of the user's choice.
RankIQA   released as a Caffe model of VGG-16 with one output: to be converted.
========  ==========================================================================================

A file is read as tensors only, never as a pickle that can run code. A network of ``giqa_lib.learning`` puts its own
scaling of the pixels to [-1, 1] before torchvision's, so its names begin with ``1.``: that is
``rename={"": "1."}``. Weights trained on pixels scaled by ImageNet's mean and deviation, as most ports are, want that
folded into their first convolution, or their scores are shifted.
"""

import pickle
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from jaxtyping import UInt8
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor, nn

from giqa_lib.checks import InputError, error_line
from giqa_lib.learning.batches import check_pixels

__all__ = ["PyiqaScore", "load_weights", "pyiqa_score"]


def load_weights(
    network: nn.Module, path: Path, *, rename: Mapping[str, str] = MappingProxyType({})
) -> nn.Module:
    """The network with the weights of a ``.safetensors``, ``.pt`` or ``.pth`` file, in evaluation mode.

    ``rename`` maps the beginning of a name in the file to its beginning in the network; of several that fit the
    first counts. Missing, surplus and wrongly shaped tensors are listed in one error; nothing is loaded then.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "line.pt"
    >>> torch.save({"module.weight": torch.ones(1, 2), "module.bias": torch.zeros(1)}, path)
    >>> load_weights(nn.Linear(2, 1), path, rename={"module.": ""})(torch.ones(1, 2)).item()
    2.0
    """
    read = _read(path)
    found = {_renamed(name, rename): value for name, value in read.items()}
    if len(found) < len(read):
        expected, got = "a new name for each tensor", f"{len(found)} names for {len(read)}"
        hint = "rename by longer beginnings"
        raise InputError(error_line("rename", expected=expected, got=got, hint=hint))
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


def _renamed(name: str, rename: Mapping[str, str]) -> str:
    for old, new in rename.items():
        if name.startswith(old):
            return new + name.removeprefix(old)
    return name


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
    """A measure of pyiqa as images uint8 (n, c, h, w) to scores (n,), turned so that higher is better.

    ``metric`` takes float pictures (1, 3, h, w) in [0, 1] and gives one number.

    >>> mean = PyiqaScore("mean", lambda picture: picture.mean(), lower_better=True)
    >>> mean(torch.full((2, 1, 4, 4), 255, dtype=torch.uint8))
    array([-1., -1.])
    """

    def __init__(
        self,
        name: str,
        metric: Callable[[Tensor], Tensor],
        *,
        lower_better: bool,
        device: str | torch.device = "cpu",
    ) -> None:
        self.name = name
        self.device = device
        self._metric = metric
        self._sign = -1.0 if lower_better else 1.0

    def __call__(self, images: UInt8[Tensor, "n c h w"]) -> NDArray[np.float64]:
        """One score an image; each is scored alone, since some measures look at the batch."""
        check_pixels(images)
        values = [self._one(image) for image in images]
        return self._sign * np.asarray(values, dtype=np.float64)

    @torch.no_grad()
    def _one(self, image: Tensor) -> float:
        picture = image.to(self.device).expand(3, -1, -1)[None].float() / 255
        return float(self._metric(picture))

    def describe(self) -> dict[str, Any]:
        """What an output must name. JSON."""
        rule = "minus pyiqa's value" if self._sign < 0 else "pyiqa's value"
        return {"score": f"pyiqa:{self.name}", "rule": rule}


def pyiqa_score(name: str, *, device: str = "cpu") -> PyiqaScore:
    """A measure of the optional package pyiqa, by its name there (``nima``, ``niqe``, ``brisque``, ...).

    pyiqa is for non-commercial use and brings some ninety packages, so no extra of this library installs it: ``pip install pyiqa``. Raises ``InputError`` where it is not installed.
    """
    try:
        import pyiqa
    except ImportError as error:
        hint = "pip install pyiqa (its licence allows non-commercial use only)"
        raise InputError(
            error_line("pyiqa", expected="the package", got="not installed", hint=hint)
        ) from error
    metric = pyiqa.create_metric(name, device=device)
    return PyiqaScore(name, metric, lower_better=bool(metric.lower_better), device=device)
