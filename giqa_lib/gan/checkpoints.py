"""Checkpoints: one safetensors file that holds a training state, written atomically, resumed bitwise.

Networks, optimisers, the random generator's state, the step, the losses and the configuration go into
one file; a digest of the tensors tells a damaged file from a whole one. The file before
it is kept, so that a kill at any moment leaves one that can be read.
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
from giqa_lib.gan.trainer import TrainState

__all__ = ["CheckpointError", "load_checkpoint", "save_checkpoint"]

CURRENT, PREVIOUS = "checkpoint.safetensors", "checkpoint-previous.safetensors"


class CheckpointError(GiqaError):
    """A checkpoint cannot be read, or belongs to another configuration."""


def _optimizer_tensors(name: str, optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    state = optimizer.state_dict()["state"]
    return {
        f"{name}.{index}.{field}": torch.as_tensor(value)
        for index, values in state.items()
        for field, value in values.items()
    }


def _tensors(state: TrainState) -> dict[str, Tensor]:
    found: dict[str, Tensor] = {"random": state.random.get_state()}
    for name in ("generator", "discriminator"):
        network = getattr(state, name).state_dict()
        found |= {f"{name}.{key}": value for key, value in network.items()}
        found |= _optimizer_tensors(f"{name}_optimizer", getattr(state, f"{name}_optimizer"))
    found["losses"] = torch.tensor(state.losses, dtype=torch.float64).reshape(-1, 3)
    # safetensors wants plain memory; channels_last weights come back to their format on load.
    return {key: value.detach().cpu().contiguous().clone() for key, value in found.items()}


def _digest(tensors: Mapping[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for key in sorted(tensors):
        digest.update(key.encode() + tensors[key].flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def save_checkpoint(folder: Path, state: TrainState, config: Mapping[str, Any]) -> Path:
    """Write ``state`` to ``folder``; what was there becomes the previous checkpoint."""
    tensors = _tensors(state)
    details = {
        "step": str(state.step),
        "config": json.dumps(config, sort_keys=True),
        "digest": _digest(tensors),
    }
    part, current = folder / "checkpoint.part", folder / CURRENT
    save_file(tensors, part, metadata=details)
    with part.open("rb") as file:
        os.fsync(file.fileno())
    if current.exists():
        os.replace(current, folder / PREVIOUS)
    os.replace(part, current)
    return current


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
                warnings.warn(f"{problems[0]}; the one before it is used", stacklevel=3)
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


def load_checkpoint(folder: Path, state: TrainState, config: Mapping[str, Any]) -> bool:
    """Bring ``state`` to the newest whole checkpoint in ``folder``; False if there is none.

    Raises ``InputError`` listing every difference if the checkpoint was made with another ``config``.
    """
    found = _newest(folder)
    if found is None:
        return False
    tensors, details = found
    _refuse_changes(json.loads(details["config"]), json.loads(json.dumps(config)))
    for name in ("generator", "discriminator"):
        network = getattr(state, name)
        network.load_state_dict(_below(tensors, name))
        _load_optimizer(getattr(state, f"{name}_optimizer"), _below(tensors, f"{name}_optimizer"))
    state.random.set_state(tensors["random"])
    state.step = int(details["step"])
    state.losses = [(int(s), d, g) for s, d, g in tensors["losses"].tolist()]
    return True


def _below(tensors: Mapping[str, Tensor], name: str) -> dict[str, Tensor]:
    return {
        key.removeprefix(f"{name}."): value
        for key, value in tensors.items()
        if key.startswith(f"{name}.")
    }


def _load_optimizer(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
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
