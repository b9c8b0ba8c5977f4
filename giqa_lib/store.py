"""The store of expensive artefacts: features, checkpoints, samples, fitted scores.

An artefact is a folder named by the hash of everything that decides its content. Whoever
asks first makes it, under a lock, in a ``.partial`` folder that survives a kill; it gets
its name by one atomic rename when it is complete. So a chapter runs alone, none recomputes
what another made, and what stands under a final name is whole.
"""

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, TypeVar, runtime_checkable

from filelock import FileLock

from giqa_lib.checks import InputError, error_line

__all__ = ["Store", "config_hash", "default_store"]

Make = Callable[[Path], None]
T = TypeVar("T")


@runtime_checkable
class Saves(Protocol):
    """What can write itself to a folder."""

    def save(self, folder: Path) -> object:
        """Write it; what comes back is not looked at."""
        ...


def config_hash(config: Mapping[str, Any]) -> str:
    """SHA-256 of a configuration's canonical JSON, 16 hex digits.

    Only what JSON can hold may decide an artefact: an object's repr, with its address,
    would give a new hash each run.

    >>> config_hash({"a": 1, "b": 2}) == config_hash({"b": 2, "a": 1})
    True
    """
    try:
        text = json.dumps(config, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError) as error:
        hint = "describe it by numbers, strings, lists and dictionaries"
        raise InputError(
            error_line("config", expected="JSON values", got=str(error), hint=hint)
        ) from error
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class Store:
    """Artefacts below one folder, keyed by kind and configuration.

    >>> import tempfile
    >>> store = Store(tempfile.mkdtemp())
    >>> made = store.fetch("note", {"n": 1}, lambda folder: (folder / "x").write_text("1"))
    >>> (made / "x").read_text()
    '1'
    """

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = Path(root)

    def __repr__(self) -> str:
        return f"Store({str(self.root)!r})"

    def path(self, kind: str, config: Mapping[str, Any]) -> Path:
        """Where the complete artefact lies or would lie."""
        return self.root / kind / config_hash(config)

    def holds(self, kind: str, config: Mapping[str, Any]) -> bool:
        """Whether the artefact is complete."""
        return self.path(kind, config).is_dir()

    def fetch(self, kind: str, config: Mapping[str, Any], make: Make) -> Path:
        """The artefact's folder; ``make(folder)`` fills it if it is not there yet.

        ``make`` may find the files of an interrupted attempt in its folder: it resumes from
        them or overwrites them. A second process that asks meanwhile waits. If ``make``
        raises, the partial folder stays for the next attempt and no artefact appears.
        """
        final = self.path(kind, config)
        if final.is_dir():
            return final
        final.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(final.with_suffix(".lock")):
            if not final.is_dir():
                partial = final.with_suffix(".partial")
                partial.mkdir(exist_ok=True)
                make(partial)
                (partial / "config.json").write_text(
                    json.dumps(config, sort_keys=True, indent=1) + "\n"
                )
                os.replace(partial, final)
        return final

    def fetch_saved(
        self,
        kind: str,
        config: Mapping[str, Any],
        make: Callable[[Path], Saves],
        load: Callable[[Path], T],
    ) -> T:
        """``load`` of the artefact's folder, to which what ``make(folder)`` gave was saved if it was not there.

        What has just been made is read back too, so that the first to ask gets what all others get.
        """
        return load(self.fetch(kind, config, lambda folder: _save(make(folder), folder)))


def _save(made: Saves, folder: Path) -> None:
    made.save(folder)


def default_store() -> Store:
    """The store at ``$GIQA_STORE``, else in the user's cache folder.

    >>> isinstance(default_store(), Store)
    True
    """
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Store(os.environ.get("GIQA_STORE") or Path(cache) / "giqa_lib")
