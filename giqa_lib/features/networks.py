"""What defines a named network: architecture, weights and how images are shown to it."""

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from giqa_lib.checks import DataUnavailable, InputError, error_line
from giqa_lib.features.folding import fold_batch_norm
from giqa_lib.features.module import ModuleExtractor, Resize

__all__ = [
    "NetworkSpec",
    "build_extractor",
    "check_input_size",
    "find_weights",
    "load_body_and_head",
    "load_by_name",
    "load_in_order",
    "read_weights",
]

StateDict = Mapping[str, Tensor]


@dataclass(frozen=True, kw_only=True)
class NetworkSpec:
    """A named network, frozen.

    Attributes
    ----------
    name, width, input_size : the name, d of its features, side of the square it is shown.
    build : input size -> the network with random weights, returning features (n, d).
    load : puts the weight file's tensors into the network, or raises InputError.
    files : names of the weight file, looked for in ``$GIQA_DATA/weights`` and torch's hub cache.
    source : where the weights are had, for the error message.
    package : path of the weight file inside an installed package, if there is one.
    head : the submodule from features to logits, which ``load`` takes off; empty if there is none.
    mean, std : of pixels in [0, 1].
    size_step : the input size must be a multiple of it and at least ``smallest``.
    resize_native : the network's own resize filter; the input size is then fixed.
    revision : raised when this definition changes in a way that changes features.
    """

    name: str
    width: int
    input_size: int
    build: Callable[[int], nn.Module]
    load: Callable[[nn.Module, StateDict], None]
    files: tuple[str, ...]
    source: str
    package: Callable[[], str] | None = None
    head: str = ""
    mean: tuple[float, float, float] = (0.5, 0.5, 0.5)
    std: tuple[float, float, float] = (0.5, 0.5, 0.5)
    smallest: int = 32
    size_step: int = 1
    resize_native: Resize | None = None
    revision: int = 1


def build_extractor(
    spec: NetworkSpec,
    *,
    weights: str | os.PathLike[str] | None = None,
    input_size: int | None = None,
    device: str | torch.device = "cpu",
) -> ModuleExtractor:
    """The extractor of ``spec``; its version is the revision and the weight file's hash.

    Raises :class:`giqa_lib.checks.DataUnavailable` if the weights are not on this machine
    (nothing is downloaded), InputError if they do not fit or the size cannot be taken.
    """
    size = check_input_size(spec, input_size)
    path = find_weights(spec, weights)
    network = spec.build(size)
    spec.load(network, read_weights(path))
    return ModuleExtractor(
        fold_batch_norm(network.eval()),
        name=spec.name if size == spec.input_size else f"{spec.name}@{size}",
        version=f"{spec.revision}-{_file_digest(path)}",
        input_size=size,
        mean=spec.mean,
        std=spec.std,
        resize_native=spec.resize_native,
        device=device,
    )


def load_body_and_head(
    spec: NetworkSpec, input_size: int, path: Path
) -> tuple[nn.Module, nn.Module]:
    """The network up to its features, in evaluation mode, and its layer from features to logits."""
    network = spec.build(input_size)
    head = network.get_submodule(spec.head)  # the spec takes it off once the weights are in
    spec.load(network, read_weights(path))
    return network.eval(), head.eval()


def read_weights(path: Path) -> StateDict:
    """A weight file's tensors by name: ``.safetensors``, or torch's format without pickled code."""
    from safetensors.torch import load_file

    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # zip, pickle and safetensors errors alike: not this kind of file
        got = f"{path} ({error!s:.120})"
        hint = "download it again"
        raise InputError(
            error_line("weights", expected="a weight file", got=got, hint=hint)
        ) from error
    if not isinstance(state, Mapping) or not all(isinstance(v, Tensor) for v in state.values()):
        hint = "save network.state_dict()"
        raise InputError(
            error_line("weights", expected="tensors by name", got=type(state).__name__, hint=hint)
        )
    return state


def load_by_name(network: nn.Module, state: StateDict) -> None:
    """Load tensors whose names are the network's own; every one must match."""
    try:
        network.load_state_dict(dict(state))
    except RuntimeError as error:
        got = " ".join(str(error).split())[:200]
        hint = "give the file made for this network"
        raise InputError(
            error_line("weights", expected="this network's tensors", got=got, hint=hint)
        ) from error


def load_in_order(network: nn.Module, state: StateDict) -> None:
    """Load tensors under other names, in the same order with the same shapes."""
    own = network.state_dict()
    if len(own) != len(state):
        got = f"{len(state)} tensors for {len(own)}"
        hint = "give the file made for this network"
        raise InputError(error_line("weights", expected="equal counts", got=got, hint=hint))
    for (name, value), (other, given) in zip(own.items(), state.items(), strict=True):
        if value.shape != given.shape:
            raise InputError(
                error_line(
                    f"weights {other}",
                    expected=f"shape {tuple(value.shape)} of {name}",
                    got=f"{tuple(given.shape)}",
                    hint="give the file made for this network",
                )
            )
    load_by_name(network, dict(zip(own, state.values(), strict=True)))


def check_input_size(spec: NetworkSpec, input_size: int | None) -> int:
    """The input size that was asked for, or the network's own; raises InputError for one it cannot take."""
    if input_size is None or input_size == spec.input_size:
        return spec.input_size
    if spec.resize_native is not None:
        hint = "the published values hold for no other"
        raise InputError(
            error_line(
                f"input_size of {spec.name}",
                expected=str(spec.input_size),
                got=str(input_size),
                hint=hint,
            )
        )
    if input_size < spec.smallest or input_size % spec.size_step:
        expected = f"a multiple of {spec.size_step} from {spec.smallest}"
        hint = f"leave it out for {spec.input_size}"
        raise InputError(
            error_line(
                f"input_size of {spec.name}", expected=expected, got=str(input_size), hint=hint
            )
        )
    return input_size


def find_weights(spec: NetworkSpec, weights: str | os.PathLike[str] | None) -> Path:
    """The weight file: the one given, the package's, or one in the known folders; else DataUnavailable."""
    if weights is not None:
        if not Path(weights).is_file():
            hint = f"{spec.source}, or leave the argument out"
            raise DataUnavailable(
                error_line(
                    f"weights of {spec.name}", expected="a file", got=str(weights), hint=hint
                )
            )
        return Path(weights)
    if spec.package is not None:
        return Path(spec.package())
    folders = [Path(torch.hub.get_dir()) / "checkpoints"]
    if os.environ.get("GIQA_DATA"):
        folders.insert(0, Path(os.environ["GIQA_DATA"]) / "weights")
    for folder in folders:
        for file in spec.files:
            if (folder / file).is_file():
                return folder / file
    places = " or ".join(map(str, folders))
    hint = f"{spec.source}; put it there, or pass weights=PATH"
    raise DataUnavailable(
        error_line(
            f"weights of {spec.name}",
            expected=f"{spec.files[0]} in {places}",
            got="no such file",
            hint=hint,
        )
    )


def _file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:8]
