"""One notebook under many parameters: planned in a file, run by Snakemake, gathered in one table.

A run is named after its parameters, so that a sweep that was cut short, or is asked for more values,
does only what is missing. Each has a folder of its own: nothing of the book's records changes.
"""

import hashlib
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import jupytext
import pandas as pd

from giqa_lib.checks import GiqaError, InputError, check_choice, error_line
from giqa_lib.results import PROFILES, load_record, write_json
from giqa_lib.runner.execute import Paths, check_overrides, execute
from giqa_lib.runner.fingerprint import notebook_path
from giqa_lib.runner.parameters import declared_parameters

__all__ = [
    "Sweep",
    "SweepUnfinished",
    "gather_sweep",
    "load_sweep",
    "plan_sweep",
    "run_of_sweep",
    "run_sweep",
    "save_sweep",
]

PLAN, TABLE = "sweep.json", "results.csv"


class SweepUnfinished(GiqaError):  # noqa: N818, what happened, not what is raised
    """A run of a sweep failed, and failed again."""


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """A notebook, a profile, and the parameters of each run by its name."""

    notebook: str
    profile: str
    runs: Mapping[str, Mapping[str, Any]]

    def page(self, name: str) -> Path:
        """Where run ``name`` leaves its notebook, below the sweep's folder; it comes last, and whole."""
        return _notebooks(name) / f"{self.notebook}.ipynb"

    def record(self, name: str) -> Path:
        """Where run ``name`` leaves its numbers, below the sweep's folder."""
        return _results(name) / self.profile / f"{self.notebook}.json"


def _notebooks(name: str) -> Path:
    return Path("runs", name, "notebooks")


def _results(name: str) -> Path:
    return Path("runs", name, "results")


def _name(overrides: Mapping[str, Any]) -> str:
    text = json.dumps(overrides, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _combinations(over: Mapping[str, Sequence[Any]]) -> Iterator[dict[str, Any]]:
    for values in itertools.product(*over.values()):
        yield dict(zip(over, values, strict=True))


def plan_sweep(
    notebook: str,
    *,
    root: Path,
    profile: str,
    fixed: Mapping[str, Any],
    over: Mapping[str, Any],
) -> Sweep:
    """A run for each combination of the values in ``over``, with the ``fixed`` parameters besides.

    Raises ``InputError`` for a parameter that the notebook does not declare or a value of another
    type, for a name that is both fixed and swept, and where there is nothing to sweep.
    """
    check_choice(profile, PROFILES, name="profile")
    declared = declared_parameters(jupytext.read(notebook_path(notebook, root)))
    for name, values in over.items():
        if not isinstance(values, list) or not values:
            hint = "write --over seed=[0,1,2]"
            raise InputError(
                error_line(
                    f"--over {name}", expected="a list of values", got=repr(values), hint=hint
                )
            )
        if name in fixed:
            hint = "give it by -p or by --over, not by both"
            raise InputError(error_line(name, expected="given once", got="twice", hint=hint))
    if not over:
        hint = "for one run use: python -m giqa_lib.runner run"
        raise InputError(error_line("--over", expected="a parameter", got="none", hint=hint))
    runs = [check_overrides({**fixed, **some}, declared) for some in _combinations(over)]
    return Sweep(notebook=notebook, profile=profile, runs={_name(run): run for run in runs})


def save_sweep(sweep: Sweep, folder: Path) -> None:
    """Write the plan into ``folder``; refused where that holds another notebook's or profile's."""
    if (folder / PLAN).is_file():
        known = load_sweep(folder)
        if (known.notebook, known.profile) != (sweep.notebook, sweep.profile):
            got = f"a sweep of {known.notebook}, profile {known.profile}"
            hint = "choose another folder"
            raise InputError(error_line(str(folder), expected="no other sweep", got=got, hint=hint))
    write_json(folder / PLAN, asdict(sweep))


def load_sweep(folder: Path) -> Sweep:
    """The plan in ``folder``."""
    path = folder / PLAN
    if not path.is_file():
        hint = (
            "make it with: python -m giqa_lib.runner sweep NOTEBOOK --over NAME=[...] --to FOLDER"
        )
        raise InputError(error_line(str(path), expected="a sweep's plan", got="none", hint=hint))
    return Sweep(**json.loads(path.read_text(encoding="utf-8")))


def run_of_sweep(folder: Path, name: str, *, root: Path) -> Paths:
    """Do run ``name`` of the sweep in ``folder``."""
    sweep = load_sweep(folder)
    check_choice(name, sweep.runs, name="run")
    return execute(
        sweep.notebook,
        profile=sweep.profile,
        overrides=sweep.runs[name],
        root=root,
        results=folder / _results(name),
        pages=folder / _notebooks(name),
    )


def run_sweep(folder: Path, *, root: Path, jobs: int) -> None:
    """Do what is missing of the sweep in ``folder``, ``jobs`` runs at once, and gather it.

    Raises ``SweepUnfinished`` if a run failed twice; the others are done, and stay.
    """
    command = [
        sys.executable, "-m", "snakemake", "--snakefile", str(root / "sweep.smk"), "--cores", str(jobs),
        "--directory", str(folder), "--config", f"sweep={folder.resolve()}",
        "--quiet", "--keep-going", "--rerun-incomplete",
    ]  # fmt: skip
    if subprocess.run(command, check=False).returncode != 0:
        raise SweepUnfinished(
            f"{folder}: not every run ended well; the lines above say which and why."
            " Repeat the command: it does what is missing"
        )


def gather_sweep(folder: Path) -> pd.DataFrame:
    """The numbers of all runs as one table, kept as ``results.csv``; parameters are ``p.<name>``.

    Raises ``InputError`` if a run has left no record.
    """
    sweep, rows = load_sweep(folder), []
    for name, parameters in sweep.runs.items():
        record = load_record(folder / sweep.record(name))
        if record is None:
            hint = "repeat the command of the sweep: it does what is missing"
            raise InputError(error_line(f"run {name}", expected="a record", got="none", hint=hint))
        given = {f"p.{key}": value for key, value in parameters.items()}
        rows += [{"run": name, **given, **asdict(result)} for result in record.results]
    table = pd.DataFrame(rows)
    part = (folder / TABLE).with_suffix(".part")
    table.to_csv(part, index=False)
    os.replace(part, folder / TABLE)
    return table
