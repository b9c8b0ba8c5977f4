"""The files of a saved scorer: read only where each is whole and of this format."""

import hashlib
import json
from pathlib import Path
from typing import Any

from giqa_lib.checks import InputError, error_line

__all__ = ["FILES", "FORMAT", "check_hash", "damaged", "file_hash", "read_json"]

FORMAT = 1
MOST_JSON = 2**24  # bytes

FILES = (
    "image_score.json",
    "density/score.json",
    "density/score.safetensors",
    "transform/pca.json",
    "transform/pca.safetensors",
    "calibration/score.json",
    "calibration/score.safetensors",
)


def read_json(folder: Path) -> dict[str, Any]:
    """What ``scorer.json`` of a saved scorer says; ``InputError`` where there is none, or of another format."""
    path = folder / "scorer.json"
    if not path.is_file():
        hint = "give the folder that `giqa fit` or Scorer.save wrote"
        raise InputError(
            error_line("scorer", expected="a saved scorer", got=f"no {path}", hint=hint)
        )
    if path.stat().st_size > MOST_JSON:
        raise damaged(path, f"{path.stat().st_size} bytes of JSON")
    state = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(state, dict) or "format" not in state:
        raise damaged(path, "no format number")
    if state["format"] != FORMAT:
        hint = (
            f"it was written by giqa_lib {state.get('giqa_lib')!s:.40}; use that, or fit it again"
        )
        expected, got = f"format {FORMAT}", f"format {state['format']!r:.40}"
        raise InputError(error_line(str(path), expected=expected, got=got, hint=hint))
    return state


def check_hash(path: Path, expected: object) -> None:
    """``InputError`` unless the file has the bytes whose SHA-256 was saved."""
    if not path.is_file():
        raise damaged(path, "no such file")
    if path.suffix == ".json" and path.stat().st_size > MOST_JSON:
        raise damaged(path, f"{path.stat().st_size} bytes of JSON")
    if file_hash(path) != expected:
        raise damaged(path, "other bytes than those that were saved")


def file_hash(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def damaged(path: Path, got: str) -> InputError:
    """The error for a part of a scorer that is not what was saved."""
    hint = "copy it again from where it was whole, or fit it again"
    return InputError(error_line(str(path), expected="an undamaged scorer", got=got, hint=hint))
