"""What a notebook's numbers depend on, as a list of files and one hash of them.

A notebook is stale when its source, a module of ``giqa_lib`` that it imports (directly or
through others), or the committed numbers it shows have changed since it ran. Imports are
read from the source, not executed; relative imports, of which the library has none, and
imports by a computed name are not seen.
"""

import ast
import hashlib
from collections.abc import Iterator
from pathlib import Path

from giqa_lib.checks import InputError, error_line
from giqa_lib.results import record_path

__all__ = ["dependencies", "fingerprint", "notebook_path"]


def notebook_path(name: str, root: Path) -> Path:
    """The source of notebook ``name``, for example ``1_giqa/density_scores``."""
    path = root / "notebooks" / f"{name}.py"
    if not path.is_file():
        known = sorted(
            p.relative_to(root / "notebooks").with_suffix("").as_posix()
            for p in (root / "notebooks").rglob("*.py")
        )
        hint = "names are given without notebooks/ and .py"
        raise InputError(
            error_line("notebook", expected=f"one of {', '.join(known)}", got=repr(name), hint=hint)
        )
    return path


def _imports(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _module_files(module: str, root: Path) -> Iterator[Path]:
    """The files that importing ``module`` runs: itself and the packages above it."""
    parts = module.split(".")
    if parts[0] != "giqa_lib":
        return
    for depth in range(1, len(parts) + 1):
        place = root.joinpath(*parts[:depth])
        for candidate in (place / "__init__.py", place.with_suffix(".py")):
            if candidate.is_file():
                yield candidate


def dependencies(name: str, root: Path, *, profile: str) -> list[Path]:
    """The files that decide what a run of ``name`` shows: its source first, then the rest sorted.

    They are the modules of the library that it imports, the papers' numbers, and its committed
    ``cpu`` record, except for a ``cpu`` run, which makes that.
    """
    source = notebook_path(name, root)
    found: set[Path] = set()
    waiting = [source]
    while waiting:
        for module in _imports(waiting.pop().read_text(encoding="utf-8")):
            for path in _module_files(module, root):
                if path not in found:
                    found.add(path)
                    waiting.append(path)
    data = [root / "book" / "papers" / "values.csv"]
    data += [] if profile == "cpu" else [record_path(name, "cpu", root=root)]
    return [source, *sorted(found), *(path for path in data if path.is_file())]


def fingerprint(name: str, root: Path, *, profile: str) -> str:
    """A hash of the names and contents of all ``dependencies``, 16 hex digits."""
    digest = hashlib.sha256()
    for path in dependencies(name, root, profile=profile):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{path.relative_to(root).as_posix()} {content}\n".encode())
    return digest.hexdigest()[:16]
