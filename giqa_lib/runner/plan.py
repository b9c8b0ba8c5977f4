"""What a run of the whole book would do, without doing it.

Chapters' times are those of the last recorded runs; they are not scaled from one profile to another. The
cost of the GAN trainings, which is nearly all of the ``paper`` profile's, is estimated from a measured step of each.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jupytext

from giqa_lib.checks import InputError, check_choice, check_positive, error_line
from giqa_lib.data import dataset_card, dataset_names, find
from giqa_lib.results import PROFILES, records
from giqa_lib.runner.fingerprint import notebook_path
from giqa_lib.runner.parameters import check_parameters, declared_parameters
from giqa_lib.runner.site import chapters
from giqa_lib.store import Store

__all__ = ["ChapterPlan", "plan", "plan_text", "training_lines"]


@dataclass(frozen=True, kw_only=True)
class ChapterPlan:
    """One chapter's parameters, its data set, and the seconds its recorded runs took."""

    notebook: str
    parameters: dict[str, Any]
    dataset: str
    found: str  # where the data set lies, else empty
    access: str  # how it is had
    seconds: dict[str, float]  # by profile, only what was measured
    devices: dict[str, str]


def plan(root: Path, *, profile: str, overrides: Mapping[str, Any]) -> list[ChapterPlan]:
    """One entry a chapter, in reading order.

    ``overrides`` go to the chapters that declare them; one that no chapter declares is refused.
    """
    check_choice(profile, PROFILES, name="profile")
    used: set[str] = set()
    entries = []
    for name in chapters(root):
        declared = declared_parameters(jupytext.read(notebook_path(name, root)))
        mine = {key: value for key, value in overrides.items() if key in declared}
        used |= set(mine)
        given = check_parameters(mine | {"profile": profile}, declared)
        parameters = {key: p.default for key, p in declared.items() if key != "output"} | given
        entries.append(_entry(name, parameters, root))
    unknown = [key for key in overrides if key not in used]
    if unknown:
        hint = "check the spelling"
        expected = "a parameter that some chapter declares"
        got = ", ".join(unknown)
        raise InputError(error_line("parameter", expected=expected, got=got, hint=hint))
    return entries


def _entry(name: str, parameters: dict[str, Any], root: Path) -> ChapterPlan:
    dataset = str(parameters.get("dataset", ""))
    known = dataset in dataset_names()
    path = find(dataset) if known else None
    runs = {profile: record.run for profile, record in records(root, name).items()}
    return ChapterPlan(
        notebook=name,
        parameters=parameters,
        dataset=dataset,
        found="" if path is None else str(path),
        access=dataset_card(dataset).access if known else "giqa_lib.data does not know this name",
        seconds={profile: run["seconds"] for profile, run in runs.items()},
        devices={profile: run["device"] for profile, run in runs.items()},
    )


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _time(entry: ChapterPlan, profile: str) -> str:
    if profile not in entry.seconds:
        return "not measured"
    return f"{_duration(entry.seconds[profile])} on {entry.devices[profile]}"


def plan_text(entries: list[ChapterPlan], *, profile: str) -> str:
    """The plan for a terminal."""
    lines = [f"{len(entries)} chapters, profile {profile}; nothing is run.", ""]
    for entry in entries:
        where = f"found at {entry.found}" if entry.found else f"NOT on this machine: {entry.access}"
        lines += [
            entry.notebook,
            "  parameters  " + " ".join(f"{k}={v!r}" for k, v in entry.parameters.items()),
            f"  data set    {entry.dataset}: {where}",
            *(f"  time, {p:<5} {_time(entry, p)}" for p in PROFILES),
        ]
    lines.append("")
    for name in PROFILES:
        measured = [entry.seconds[name] for entry in entries if name in entry.seconds]
        total = _duration(sum(measured)) if measured else "not measured"
        lines.append(f"{name:<5} {total} ({len(measured)} of {len(entries)} chapters measured)")
    lines.append(
        "Wall-clock times of recorded runs, other jobs beside them or not; none is a guess."
    )
    return "\n".join(lines)


def training_lines(profile: str, *, dataset: str, store: Store, sustained: float) -> Iterator[str]:
    """A line a GAN training, as soon as a step of it has been measured: hours here and at ``sustained`` TFLOP/s, memory.

    Hours are of one seed. The rate of a GPU is for the reader to say: none is measured here.
    """
    # here, for every run of a sweep starts this package anew and most need no network
    from giqa_lib.applications.planned_trainings import planned_trainings

    check_positive(sustained, name="sustained")
    yield (
        f"Trainings of one seed on {dataset}, estimated from one step of two images each "
        f"(hours here on one thread; hours at an assumed {sustained:g} TFLOP/s; memory at most):"
    )
    total = 0.0
    for one in planned_trainings(profile, dataset=dataset, store=store):
        cost = one.cost()
        total += (hours := cost.flops / (sustained * 1e12) / 3600)
        yield (
            f"  {one.part:<11} {one.name:<22} {one.train.steps:>7,} steps of {one.train.batch_size:<3} "
            f"{cost.flops:8.1e} FLOP {_hours(cost.seconds / 3600):>9} here {_hours(hours):>9} there "
            f"{cost.memory / 2**30:5.1f} GiB"
        )
    yield f"  all of them {_hours(total)} at {sustained:g} TFLOP/s, for each seed"


def _hours(value: float) -> str:
    return f"{value:,.0f} h" if value >= 10 else f"{value:.2g} h"
