"""A sweep of many runs by Snakemake, one killed; and what its plan refuses."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from scratch_book import CHAPTER, NUMBER, RUN, Book

from giqa_lib.checks import InputError
from giqa_lib.runner import gather_sweep, load_sweep, plan_sweep, save_sweep

RUNS, VICTIM = 50, 7
NOTEBOOK = f"""\
# %% tags=["parameters"]
profile: str = "quick"
seed: int = 0
log: str = ""
output: str = ""

# %%
import json, os, time
from pathlib import Path

def note(what):
    with open(log, "a") as file:  # one short line is written whole
        file.write(f"{{what}} {{seed}} {{os.getppid()}}\\n")

# %%
first = f"begun {{seed}} " not in (Path(log).read_text() if Path(log).exists() else "")
note("begun")
if seed == {VICTIM} and first:
    time.sleep(600)  # until the kill

# %%
record = Path(output) / profile / "{CHAPTER}.json"
record.parent.mkdir(parents=True)
number = {NUMBER!r} | {{"value": 2.0 * seed, "seeds": [seed]}}
record.write_text(json.dumps({{"run": {RUN!r}, "results": [number]}}))
note("ended")
"""


@pytest.fixture
def swept(book: Book, root: Path) -> Book:
    """A book whose chapter notes when it begins and ends; the run of one seed waits to be killed."""
    shutil.copy(root / "sweep.smk", book.root)
    (book.root / "notebooks" / f"{CHAPTER}.py").write_text(NOTEBOOK)
    return book


def start(book: Book, folder: Path, log: Path) -> subprocess.Popen[str]:
    command = [
        sys.executable, "-m", "giqa_lib.runner", "sweep", CHAPTER, "--over", f"seed={list(range(RUNS))}",
        "-p", f"log={log}", "--to", str(folder), "--jobs", "2",
    ]  # fmt: skip
    own = {"PYTHONPATH": str(book.root), "XDG_CACHE_HOME": str(book.root / "cache")}
    return subprocess.Popen(
        command, cwd=book.root, env={**os.environ, **own}, stderr=subprocess.PIPE, text=True
    )


def noted(log: Path, what: str) -> list[tuple[int, int]]:
    """Seed and process of the runs that have begun or ended."""
    lines = [line.split() for line in log.read_text().splitlines()] if log.exists() else []
    return [(int(seed), int(process)) for kind, seed, process in lines if kind == what]


@pytest.mark.slow
def test_fifty_runs_by_two_workers_one_killed_end_complete(swept: Book, tmp_path: Path) -> None:
    folder, log = tmp_path / "sweep", tmp_path / "log"
    sweep = start(swept, folder, log)
    while VICTIM not in (victims := dict(noted(log, "begun"))) and sweep.poll() is None:
        time.sleep(0.1)
    assert VICTIM in victims, f"the sweep ended before its run began: {sweep.communicate()[1]}"
    os.kill(victims[VICTIM], signal.SIGKILL)
    said = sweep.communicate()[1]
    assert sweep.returncode == 0, said
    # Every run ended once, and only the killed one began twice.
    assert sorted(seed for seed, _ in noted(log, "ended")) == list(range(RUNS))
    assert sorted(seed for seed, _ in noted(log, "begun")) == sorted([*range(RUNS), VICTIM])
    # A page and a record each, whole, with the numbers of its own parameters; nothing besides.
    table = pd.read_csv(folder / "results.csv")
    assert sorted(table["p.seed"]) == list(range(RUNS))
    assert (table["value"] == 2 * table["p.seed"]).all()
    plan = load_sweep(folder)
    kept = [
        *(folder / plan.page(n) for n in plan.runs),
        *(folder / plan.record(n) for n in plan.runs),
    ]
    assert set((folder / "runs").rglob("*.*")) == set(kept)
    for path in kept:
        json.loads(path.read_text())
    # Asked again, it does nothing.
    before = log.read_text()
    again = start(swept, folder, log)
    said = again.communicate()[1]
    assert again.returncode == 0, said
    assert log.read_text() == before


@pytest.mark.slow
def test_the_slurm_profile_plans_every_run(swept: Book, root: Path, tmp_path: Path) -> None:
    pytest.importorskip("snakemake_executor_plugin_slurm")
    save_sweep(plan(swept, over={"seed": [0, 1, 2]}), tmp_path)
    command = [
        sys.executable, "-m", "snakemake", "--snakefile", str(swept.root / "sweep.smk"), "--dry-run",
        "--profile", str(root / "profiles" / "slurm"), "--config", f"sweep={tmp_path}",
    ]  # fmt: skip
    own = {"PYTHONPATH": str(swept.root), "XDG_CACHE_HOME": str(swept.root / "cache")}
    done = subprocess.run(
        command, cwd=swept.root, env={**os.environ, **own}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    said = done.stdout + done.stderr
    assert len(re.findall(r"^rule notebook:", said, flags=re.MULTILINE)) == 3
    assert said.count("slurm_extra=--gres=gpu:1") == 3


def plan(book: Book, **given: object):
    return plan_sweep(CHAPTER, root=book.root, profile="quick", **{"fixed": {}, **given})


def test_a_plan_has_every_combination_once_and_names_that_stay(book: Book) -> None:
    wide = plan(book, fixed={"rate": 1}, over={"n": [5, 6], "seed": [0, 1, 1]})
    assert sorted((r["n"], r["seed"]) for r in wide.runs.values()) == [
        (5, 0),
        (5, 1),
        (6, 0),
        (6, 1),
    ]
    assert {r["rate"] for r in wide.runs.values()} == {1.0}
    narrow = plan(book, fixed={"rate": 1.0}, over={"seed": [1], "n": [6]})
    assert set(narrow.runs) < set(wide.runs)


@pytest.mark.parametrize(
    ("fixed", "over", "message"),
    [
        ({}, {}, "--over: expected a parameter"),
        ({}, {"seed": 3}, "--over seed: expected a list of values, got 3"),
        ({}, {"seed": []}, "--over seed: expected a list of values"),
        ({"seed": 1}, {"seed": [1, 2]}, "seed: expected given once"),
        ({}, {"sed": [1]}, "parameter: expected one of"),
        ({}, {"seed": [1, "a"]}, "parameter seed: expected int"),
        ({}, {"output": ["a"]}, "the runner sets it"),
    ],
)
def test_what_cannot_be_swept_is_refused(
    book: Book, fixed: dict[str, object], over: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        plan(book, fixed=fixed, over=over)


def test_a_folder_holds_one_sweep_and_is_gathered_when_complete(book: Book, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected a sweep's plan"):
        load_sweep(tmp_path)
    made = plan(book, over={"seed": [0, 1]})
    save_sweep(made, tmp_path)
    assert load_sweep(tmp_path) == made
    save_sweep(plan(book, over={"seed": [0, 1, 2]}), tmp_path)
    assert len(load_sweep(tmp_path).runs) == 3
    other = plan_sweep(CHAPTER, root=book.root, profile="cpu", fixed={}, over={"seed": [0]})
    with pytest.raises(InputError, match="expected no other sweep"):
        save_sweep(other, tmp_path)
    with pytest.raises(InputError, match=r"run \w+: expected a record, got none"):
        gather_sweep(tmp_path)
    assert not (tmp_path / "results.csv").exists()
