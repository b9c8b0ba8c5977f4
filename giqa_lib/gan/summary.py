"""A network's layers as a table, from the network itself."""

import pandas as pd
import torch
from torch import Tensor, nn

__all__ = ["layer_table"]


def layer_table(network: nn.Module, *inputs: Tensor) -> pd.DataFrame:
    """Layers in the order in which they are called: ``layer``, ``output`` (shape of one image's), ``parameters``.

    A layer is a part of the network that is not a mere sequence or list of others. The network runs once, in
    evaluation mode and without gradients.

    >>> layer_table(nn.Sequential(nn.Linear(3, 2), nn.ReLU()), torch.zeros(1, 3)).values.tolist()
    [['Linear', '2', 8], ['ReLU', '2', 0]]
    """
    rows: list[dict[str, object]] = []

    def note(module: nn.Module, given: object, output: Tensor) -> None:
        shape = " x ".join(map(str, output.shape[1:]))
        parameters = sum(each.numel() for each in module.parameters())
        rows.append({"layer": _name(module), "output": shape, "parameters": parameters})

    handles = [part.register_forward_hook(note) for part in _parts(network)]
    training = network.training
    try:
        with torch.no_grad():
            network.eval()(*inputs)
    finally:
        network.train(training)
        for handle in handles:
            handle.remove()
    return pd.DataFrame(rows, columns=["layer", "output", "parameters"])


def _parts(network: nn.Module) -> list[nn.Module]:
    found: list[nn.Module] = []
    for child in network.children():
        inside = isinstance(child, nn.Sequential | nn.ModuleList)
        found += _parts(child) if inside else [child]
    return found


def _name(module: nn.Module) -> str:
    # A parametrised layer (spectral norm) is of a class made for it, named after its own.
    return type(module).__name__.removeprefix("Parametrized")
