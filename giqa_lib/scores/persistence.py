"""Fitted scores on disk as safetensors and JSON, never a pickle.

``score.json`` holds the class, its parameters and the scalar learned attributes;
``score.safetensors`` the arrays. Both are readable without this library, and neither runs
code when it is read. The official GIQA code ships pickles, which change meaning with the
version of scikit-learn (its issue 13: a PCA of 774 components read as 38).
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file

from giqa_lib.checks import InputError, error_line

__all__ = ["read_state", "write_state"]

FORMAT = 1


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
    save_file(arrays, folder / "score.safetensors")
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
    state = json.loads(path.read_text())
    if state["format"] != FORMAT:
        hint = "read it with the version of giqa_lib that wrote it"
        expected, got = f"format {FORMAT}", f"format {state['format']}"
        raise InputError(error_line(str(path), expected=expected, got=got, hint=hint))
    if kind is not None and state["kind"] != kind:
        hint = f"use {state['kind']}.load, or load_score"
        raise InputError(error_line(str(path), expected=kind, got=state["kind"], hint=hint))
    for name, array in load_file(folder / "score.safetensors").items():
        group, _, attribute = name.partition(".")
        state[group][attribute] = array
    return state["parameters"], state["attributes"], state["kind"]
