"""Saved scorers changed by someone who knows the format, at random from a seed: each must be refused."""

import hashlib
import json
import os
import pickle
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

__all__ = ["SCORERS", "edit", "resign"]

ARRAYS = ("density/score.safetensors", "transform/pca.safetensors")


def resign(folder: Path) -> None:
    """Give a changed scorer the right hashes, as someone with ill intent would."""
    state = json.loads((folder / "scorer.json").read_text())
    state["files"] = {
        name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in state["files"]
    }
    (folder / "scorer.json").write_text(json.dumps(state))


def edit(path: Path, **changes: object) -> None:
    """Change fields of a JSON file."""
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


class _Payload:
    """Unpickled, it leaves a file behind."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return os.mkdir, (str(self.trace),)


def _version(folder: Path, random: np.random.Generator) -> None:
    edit(folder / "scorer.json", format=int(random.integers(2, 100)), giqa_lib="9.1")


def _weights(folder: Path, random: np.random.Generator) -> None:
    edit(folder / "scorer.json", version=f"1-{random.bytes(4).hex()}")


def _pickled(folder: Path, random: np.random.Generator) -> None:
    state = json.loads((folder / "scorer.json").read_text())
    name = sorted(state["files"])[random.integers(len(state["files"]))]
    (folder / name).write_bytes(pickle.dumps(_Payload(folder.parent / "unpickled")))
    resign(folder)


def _method(folder: Path, random: np.random.Generator) -> None:
    path = folder / "density" / "score.json"
    name = ("score_samples", "fit", "log_prob", "__class__", "__init__")[random.integers(5)]
    edit(path, attributes=json.loads(path.read_text())["attributes"] | {name: "x"})
    resign(folder)


def _parameter(folder: Path, random: np.random.Generator) -> None:
    path = folder / "density" / "score.json"
    changed = ({"reg_covar": float(random.uniform(1, 1e9))}, {"unheard": 1})[random.integers(2)]
    edit(path, parameters=json.loads(path.read_text())["parameters"] | changed)
    resign(folder)


def _batch(folder: Path, random: np.random.Generator) -> None:
    edit(folder / "image_score.json", batch_size=int(10 ** random.integers(6, 18)))
    resign(folder)


def _nan(folder: Path, random: np.random.Generator) -> None:
    path = folder / ARRAYS[random.integers(len(ARRAYS))]
    arrays = load_file(path)
    name = max(arrays, key=lambda key: arrays[key].size)
    poisoned = arrays[name].copy()
    poisoned.flat[random.integers(poisoned.size)] = (np.nan, np.inf)[random.integers(2)]
    save_file(arrays | {name: poisoned}, path)
    resign(folder)


def _link(folder: Path, random: np.random.Generator) -> None:
    path = folder / "calibration" / "score.json"
    path.unlink()
    path.symlink_to(("/dev/zero", "/etc/passwd", "../../scorer.json")[random.integers(3)])


def _deep(folder: Path, random: np.random.Generator) -> None:
    (folder / "scorer.json").write_bytes(b"[" * int(random.integers(10_000, 1_000_000)))


#: What was done to a scorer, and how.
SCORERS: Mapping[str, Callable[[Path, np.random.Generator], None]] = {
    "a scorer of another version": _version,
    "a scorer of other weights": _weights,
    "a scorer with a pickle for a file": _pickled,
    "a scorer that replaces a method": _method,
    "a scorer with parameters that its settings do not make": _parameter,
    "a scorer whose batch would fill the memory": _batch,
    "a scorer with NaN or infinity in its arrays": _nan,
    "a scorer with a link out of its folder": _link,
    "a scorer of JSON without end": _deep,
}
