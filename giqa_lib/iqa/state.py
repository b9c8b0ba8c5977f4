"""A measure's network on disk: weights as safetensors, the rest as JSON, never a pickle."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from giqa_lib.checks import InputError, error_line

__all__ = ["read_network", "write_network"]

WEIGHTS, DETAILS = "network.safetensors", "network.json"


def write_network(
    folder: str | os.PathLike[str], network: nn.Module, described: Mapping[str, Any]
) -> Path:
    """Write weights, then what they are; a folder without the second file is not finished."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    state = network.state_dict()
    plain = {key: value.detach().cpu().contiguous().clone() for key, value in state.items()}
    save_file(plain, folder / WEIGHTS)
    part = folder / f"{DETAILS}.part"
    part.write_text(json.dumps(dict(described), indent=1) + "\n")
    os.replace(part, folder / DETAILS)
    return folder


def read_network(folder: str | os.PathLike[str]) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Weights and description of what :func:`write_network` wrote."""
    folder = Path(folder)
    if not (folder / DETAILS).is_file():
        got, hint = f"no {folder / DETAILS}", "give the folder that save() wrote"
        raise InputError(error_line("folder", expected="a saved measure", got=got, hint=hint))
    return load_file(folder / WEIGHTS), json.loads((folder / DETAILS).read_text())
