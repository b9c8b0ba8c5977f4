"""Fitted scores on disk as safetensors and JSON, never a pickle.

``score.json`` holds the class, its parameters and the scalar learned attributes;
``score.safetensors`` the arrays. Both are readable without this library, and neither runs
code when it is read. The official GIQA code ships pickles, which change meaning with the
version of scikit-learn (its issue 13: a PCA of 774 components read as 38).
"""

import json
import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from giqa_lib.checks import InputError, error_line

__all__ = ["check_learned", "read_state", "write_state"]

FORMAT = 1
_GROUPS = ("parameters", "attributes")


def write_state(
    folder: str | os.PathLike[str],
    *,
    kind: str,
    parameters: Mapping[str, Any],
    attributes: Mapping[str, Any],
) -> Path:
    """Write one fitted object to ``folder`` (made if need be); returns the folder.

    Arrays go to safetensors, everything else must be JSON. A random state that is no
    integer is written as null: what was learned does not need it.

    >>> import tempfile
    >>> folder = tempfile.mkdtemp()
    >>> _ = write_state(folder, kind="T", parameters={"k": 1}, attributes={"m_": np.ones(2)})
    >>> read_state(folder, kind="T")[0]
    {'k': 1}
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, np.ndarray] = {}
    plain: dict[str, dict[str, Any]] = {"parameters": {}, "attributes": {}}
    for group, values in (("parameters", parameters), ("attributes", attributes)):
        for name, value in values.items():
            if name == "random_state" and not isinstance(value, int | np.integer):
                value = None
            if isinstance(value, np.ndarray) and value.dtype == object:
                value = value.tolist()
            if isinstance(value, np.ndarray):
                arrays[f"{group}.{name}"] = np.ascontiguousarray(value).reshape(value.shape)
            elif isinstance(value, np.generic):
                plain[group][name] = value.item()
            else:
                plain[group][name] = value
    text = json.dumps({"format": FORMAT, "kind": kind, **plain}, indent=1)
    # save_file's file could be read by its owner alone, whatever the umask
    (folder / "score.safetensors").write_bytes(save(arrays))
    (folder / "score.json").write_text(text + "\n")
    return folder


def read_state(
    folder: str | os.PathLike[str], *, kind: str | None = None
) -> tuple[dict[str, Any], dict[str, Any], str]:
    """Parameters, attributes and kind of what ``write_state`` wrote; checks ``kind`` if given.

    >>> read_state("/nowhere", kind="T")
    Traceback (most recent call last):
    giqa_lib.checks.InputError: folder: expected a saved score, got no /nowhere/score.json; ...
    """
    folder = Path(folder)
    path = folder / "score.json"
    if not path.is_file():
        hint = "give the folder that save() wrote"
        raise InputError(
            error_line("folder", expected="a saved score", got=f"no {path}", hint=hint)
        )
    state = _read_json(path)
    if kind is not None and state["kind"] != kind:
        hint = f"use {state['kind']}.load, or load_score"
        raise InputError(error_line(str(path), expected=kind, got=state["kind"], hint=hint))
    for name, array in _read_arrays(folder / "score.safetensors").items():
        group, _, attribute = name.partition(".")
        if group not in _GROUPS:
            raise _damaged(folder / "score.safetensors", f"an array {name!r}")
        state[group][attribute] = array
    return state["parameters"], state["attributes"], state["kind"]


def check_learned(
    parameters: Mapping[str, Any], attributes: Mapping[str, Any], *, known: Collection[str]
) -> None:
    """Raise unless what was read are a class's ``known`` parameters and learned attributes.

    A learned attribute ends in ``_``: nothing else may take the place of a method.

    >>> check_learned({"k": 1}, {"mean_": 0.0}, known=["k"])
    """
    odd = [name for name in parameters if name not in known]
    odd += [name for name in attributes if name.startswith("_") or not name.endswith("_")]
    if odd:
        expected = f"parameters {', '.join(sorted(known)) or 'none'} and names ending in _"
        hint = "fit and save the score again"
        raise InputError(
            error_line("saved score", expected=expected, got=", ".join(odd), hint=hint)
        )


def _read_json(path: Path) -> dict[str, Any]:
    try:
        state = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise _damaged(path, f"no JSON ({str(error).splitlines()[0]})") from error
    if not isinstance(state, dict) or "format" not in state:
        raise _damaged(path, "no format number")
    if state["format"] != FORMAT:
        hint = "read it with the version of giqa_lib that wrote it"
        expected, got = f"format {FORMAT}", f"format {state['format']!r}"
        raise InputError(error_line(str(path), expected=expected, got=got, hint=hint))
    if not isinstance(state.get("kind"), str):
        raise _damaged(path, "no kind")
    for group in _GROUPS:
        if not isinstance(state.get(group), dict):
            raise _damaged(path, f"no {group}")
    return state


def _read_arrays(path: Path) -> dict[str, np.ndarray]:
    try:
        arrays = load_file(path)
    except (SafetensorError, OSError, ValueError, KeyError) as error:
        raise _damaged(path, f"no safetensors ({str(error).splitlines()[0]})") from error
    for name, array in arrays.items():
        if np.issubdtype(array.dtype, np.floating) and not np.isfinite(array).all():
            raise _damaged(path, f"NaN or infinity in {name}")
    return arrays


def _damaged(path: Path, got: str) -> InputError:
    hint = "fit and save it again, or copy it again from where it was whole"
    return InputError(error_line(str(path), expected="an undamaged file", got=got, hint=hint))
