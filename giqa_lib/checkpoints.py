"""Checkpoints: one safetensors file of a training's tensors, written atomically, read back whole or not at all.

Tensors, the step and the configuration go into one file; a digest of the tensors tells a damaged file from
a whole one. The file before it is kept, so that a kill at any moment leaves one that can be
read. What a training consists of (networks, optimisers, random state) is its own affair: see
``giqa_lib.gan.checkpoints`` and ``giqa_lib.learning.fitting``.
"""

import hashlib
import json
import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from giqa_lib.checks import GiqaError, InputError, error_line

__all__ = [
    "CheckpointError",
    "below",
    "load_optimizer",
    "optimizer_tensors",
    "read_checkpoint",
    "remove_checkpoints",
    "write_checkpoint",
]

CURRENT, PREVIOUS = "checkpoint.safetensors", "checkpoint-previous.safetensors"


class CheckpointError(GiqaError):
    """A checkpoint cannot be read, or belongs to another configuration."""


def write_checkpoint(
    folder: Path, tensors: Mapping[str, Tensor], *, step: int, config: Mapping[str, Any]
) -> Path:
    """Write ``tensors`` to ``folder``; what was there becomes the previous checkpoint.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = write_checkpoint(folder, {"w": torch.ones(2)}, step=3, config={"rate": 0.1})
    >>> read_checkpoint(folder, {"rate": 0.1})[1]
    3
    """
    # safetensors wants plain memory; channels_last weights come back to their format on load
    plain = {key: value.detach().cpu().contiguous().clone() for key, value in tensors.items()}
    details = {
        "step": str(step),
        "config": json.dumps(config, sort_keys=True),
        "digest": _digest(plain),
    }
    part, current = folder / "checkpoint.part", folder / CURRENT
    save_file(plain, part, metadata=details)
    with part.open("rb") as file:
        os.fsync(file.fileno())
    if current.exists():
        os.replace(current, folder / PREVIOUS)
    os.replace(part, current)
    return current


def read_checkpoint(
    folder: Path, config: Mapping[str, Any]
) -> tuple[dict[str, Tensor], int] | None:
    """Tensors and step of the newest whole checkpoint in ``folder``; None if there is none.

    Raises ``InputError`` listing every difference if it was made with another ``config``,
    :class:`CheckpointError` if no file there is whole.
    """
    found = _newest(folder)
    if found is None:
        return None
    tensors, details = found
    _refuse_changes(json.loads(details["config"]), json.loads(json.dumps(config)))
    return tensors, int(details["step"])


def remove_checkpoints(folder: Path) -> None:
    """Delete the checkpoints of a training that is finished."""
    for leftover in folder.glob("checkpoint*"):
        leftover.unlink()


def below(tensors: Mapping[str, Tensor], name: str) -> dict[str, Tensor]:
    """The tensors whose keys begin with ``name.``, without it.

    >>> below({"a.x": torch.zeros(1), "b.x": torch.ones(1)}, "b")
    {'x': tensor([1.])}
    """
    return {
        key.removeprefix(f"{name}."): value
        for key, value in tensors.items()
        if key.startswith(f"{name}.")
    }


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """An optimiser's moments, keyed ``parameter.field``."""
    state = optimizer.state_dict()["state"]
    return {
        f"{index}.{field}": torch.as_tensor(value)
        for index, values in state.items()
        for field, value in values.items()
        if value is not None
    }


def load_optimizer(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Bring an optimiser to what :func:`optimizer_tensors` gave."""
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        index, _, field = key.partition(".")
        state.setdefault(int(index), {})[field] = value
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": state, "param_groups": groups})
    # The fused kernel walks a parameter and its moments side by side in memory, so moments need
    # the parameter's layout (channels_last), which a file does not keep.
    for parameter, values in optimizer.state.items():
        for field, value in values.items():
            if value.shape == parameter.shape:
                values[field] = torch.empty_like(parameter).copy_(value)


def _digest(tensors: Mapping[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for key in sorted(tensors):
        digest.update(key.encode() + tensors[key].flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
            details = file.metadata()
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path}: {error}") from error
    if not details or _digest(tensors) != details.get("digest"):
        raise CheckpointError(f"{path}: its content does not match its digest")
    return tensors, details


def _newest(folder: Path) -> tuple[dict[str, Tensor], dict[str, str]] | None:
    problems = []
    for name in (CURRENT, PREVIOUS):
        if (folder / name).exists():
            try:
                found = _read(folder / name)
            except CheckpointError as error:
                problems.append(str(error))
                continue
            if problems:
                warnings.warn(f"{problems[0]}; the one before it is used", stacklevel=4)
                (folder / CURRENT).unlink()  # or the next save would put it over the good one
            return found
    if problems:
        hint = "delete the folder to train anew"
        raise CheckpointError(
            error_line("checkpoint", expected="a whole file", got="; ".join(problems), hint=hint)
        )
    return None


def _refuse_changes(stored: Mapping[str, Any], config: Mapping[str, Any]) -> None:
    keys = sorted({*stored, *config})
    changed = [
        f"{key}: {stored.get(key, 'absent')} then, {config.get(key, 'absent')} now"
        for key in keys
        if stored.get(key, "absent") != config.get(key, "absent")
    ]
    if changed:
        hint = "use the same settings, or another folder"
        raise InputError(
            error_line(
                "checkpoint", expected="the same configuration", got="; ".join(changed), hint=hint
            )
        )
