"""Lay out the sources of the rendered book: prose, executed notebooks, records.

jupyter-book reads ``_toc.yml`` in the folder it builds, where a notebook's page must stand
executed. So a site folder is assembled for each profile, from the checkout's prose and that
profile's runs; a file is copied only if it changed, so that Sphinx rebuilds only what it must.
A missing, failed or stale run stops it here, before a page could show old numbers.
"""

import filecmp
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from giqa_lib.checks import GiqaError
from giqa_lib.results import load_record, record_path
from giqa_lib.runner.fingerprint import fingerprint

__all__ = ["StaleRun", "assemble", "chapters"]


class StaleRun(GiqaError):  # noqa: N818, what happened, not what is raised
    """A page's run is missing or older than what it depends on."""


def _files(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        yield from ([node["file"]] if "file" in node else [])
        for value in node.values():
            yield from _files(value)
    elif isinstance(node, list):
        for item in node:
            yield from _files(item)


def chapters(root: Path) -> list[str]:
    """The notebooks that ``_toc.yml`` names, in reading order."""
    contents = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
    prefix = "notebooks/"
    return [file.removeprefix(prefix) for file in _files(contents) if file.startswith(prefix)]


def check_runs(root: Path, *, profile: str, pages: Path) -> None:
    """Raise unless every chapter has been run, with the sources as they now are."""
    problems = []
    for name in chapters(root):
        record = load_record(record_path(name, profile, root=root))
        if record is None or not (pages / f"{name}.ipynb").is_file():
            problems.append(f"{name} has not been run")
        elif record.run.get("fingerprint") != fingerprint(name, root, profile=profile):
            problems.append(f"{name} changed after its run")
    if problems:
        raise StaleRun(
            f"profile {profile}: {'; '.join(problems)}; run: make book PROFILE={profile}"
        )


def _sync(source: Path, target: Path) -> None:
    if target.is_file() and filecmp.cmp(source, target, shallow=False):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def _left_out(path: Path, root: Path, profile: str) -> bool:
    """Half-written and failed files, and quick records where another profile is shown."""
    if path.suffix in (".part", ".pyc") or path.name.endswith(".failed.ipynb"):
        return True
    return profile != "quick" and path.is_relative_to(root / "book" / "results" / "quick")


def assemble(root: Path, *, profile: str, pages: Path, site: Path) -> Path:
    """Fill ``site`` with everything jupyter-book needs; returns it."""
    check_runs(root, profile=profile, pages=pages)
    wanted = {Path(name): root / name for name in ("_config.yml", "_toc.yml")}
    for folder, prefix in ((root / "book", "book"), (pages, "notebooks")):
        for path in folder.rglob("*"):
            if path.is_file() and not _left_out(path, root, profile):
                wanted[Path(prefix) / path.relative_to(folder)] = path
    for relative, source in wanted.items():
        _sync(source, site / relative)
    for path in sorted(site.rglob("*")):
        if path.is_file() and path.relative_to(site) not in wanted:
            path.unlink()
    return site
