"""Frechet distance against pytorch-fid, precision/recall/density/coverage against prdc.

    python tests/benchmarks/bench_evaluation.py --quick --json rows.json
    python tests/benchmarks/bench_evaluation.py --full --json rows.json

Time: from features to the number(s), ours and the peer in turn, in one process with two
threads; ``ratio`` is the median of the pairwise ratios peer / ours of wall seconds, beside
them the medians of wall and CPU seconds. Memory: each side once in its own process, the peak
resident set (VmHWM, reset after the data are made) over what was resident before. Exactness:
against a closed form at the same size, and against 40 digits by mpmath. Peers that are not
installed give a row that says so. Data: synthetic Gaussian rows of a power-law spectrum.
"""

import argparse
import contextlib
import io
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

THREADS = 2
for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = str(THREADS)  # before NumPy and torch are loaded

import numpy as np  # noqa: E402
import torch  # noqa: E402
from measuring import State, resident, timed, version  # noqa: E402

from giqa_lib.evaluation import (  # noqa: E402
    frechet_distance,
    frechet_distance_from_moments,
    precision_recall_density_coverage,
)

torch.set_num_threads(THREADS)
GOLDEN = Path(__file__).resolve().parent.parent / "golden" / "frechet.json"
NAMES = ("precision", "recall", "density", "coverage")
MEMORY_ASKED = 2**30
EXACT_ASKED = 1e-8
SELF_ASKED = 1e-9


@dataclass(frozen=True, kw_only=True)
class Task:
    name: str
    size: dict[str, int]
    peer: str
    setup: Callable[[dict[str, int]], State]
    ours: Callable[[State], Any]
    theirs: Callable[[State], Any]
    agree: Callable[[State, Any, Any], str]
    mark: float
    repeats: int = 3


def features(count: int, width: int, seed: int) -> np.ndarray:
    spectrum = np.arange(1, width + 1) ** -0.5
    return np.random.default_rng(seed).standard_normal((count, width)) * spectrum


def setup(size: dict[str, int]) -> State:
    real = features(size["N"], size["D"], 1)
    return {"real": real, "generated": features(size["N"], size["D"], 2) * 1.1 + 0.01}


def frechet_ours(state: State) -> float:
    return frechet_distance(real=state["real"], generated=state["generated"])


def frechet_theirs(state: State) -> float:
    from pytorch_fid.fid_score import calculate_frechet_distance

    moments = []
    for rows in (state["real"], state["generated"]):  # as its calculate_activation_statistics
        moments += [np.mean(rows, axis=0), np.cov(rows, rowvar=False)]
    with contextlib.redirect_stdout(io.StringIO()):
        return float(calculate_frechet_distance(*moments))


def setup_moments(size: dict[str, int]) -> State:
    """Means and covariances, as files of statistics hold them."""
    state = {}
    for side, rows in setup(size).items():
        state[f"{side}_mean"] = rows.mean(axis=0)
        state[f"{side}_covariance"] = np.cov(rows, rowvar=False)
    return state


def moments_ours(state: State) -> float:
    return frechet_distance_from_moments(**state)


def moments_theirs(state: State) -> float:
    from pytorch_fid.fid_score import calculate_frechet_distance

    with contextlib.redirect_stdout(io.StringIO()):
        return float(calculate_frechet_distance(*state.values()))


def agree_frechet(state: State, ours: float, theirs: float) -> str:
    return f"ours {ours:.10g}, peer {theirs:.10g}, difference {ours - theirs:.1e}"


def balls_ours(state: State) -> dict[str, float]:
    found = precision_recall_density_coverage(**state)
    return {name: getattr(found, name) for name in NAMES}


def balls_theirs(state: State) -> dict[str, float]:
    from prdc import compute_prdc

    with contextlib.redirect_stdout(io.StringIO()):
        return compute_prdc(state["real"], state["generated"], 5)


def agree_balls(state: State, ours: dict[str, float], theirs: dict[str, float]) -> str:
    apart = {name: abs(ours[name] - float(theirs[name])) for name in NAMES}
    values = ", ".join(f"{name} {ours[name]:.4f}" for name in NAMES)
    # A mean of the same counts in another order of summation differs by rounding only.
    return f"{'equal' if max(apart.values()) < 1e-12 else 'NOT EQUAL'}: {values}; " + (
        f"largest difference {max(apart.values()):.1e}"
    )


def tasks(full: bool) -> list[Task]:
    def size(full_size: dict[str, int], quick: dict[str, int]) -> dict[str, int]:
        return full_size if full else quick

    frechet: dict[str, Any] = {
        "name": "FID from features",
        "peer": "pytorch-fid",
        "setup": setup,
        "ours": frechet_ours,
        "theirs": frechet_theirs,
        "agree": agree_frechet,
    }
    return [
        Task(size=size({"N": 6000, "D": 2048}, {"N": 400, "D": 96}), mark=10.0, **frechet),
        Task(
            size=size({"N": 6000, "D": 2048}, {"N": 400, "D": 96}),
            mark=10.0,
            **{
                **frechet,
                "name": "FID from statistics (the sqrtm route)",
                "setup": setup_moments,
                "ours": moments_ours,
                "theirs": moments_theirs,
            },
        ),
        Task(size=size({"N": 500, "D": 2048}, {"N": 60, "D": 256}), mark=25.0, **frechet),
        Task(
            name="precision, recall, density, coverage",
            peer="prdc",
            size=size({"N": 10_000, "D": 2048}, {"N": 500, "D": 128}),
            setup=setup,
            ours=balls_ours,
            theirs=balls_theirs,
            agree=agree_balls,
            mark=3.0,
        ),
    ]


def exactness(full: bool) -> list[dict[str, Any]]:
    """Errors against known values; ``reached`` where the mark is no ratio."""
    rows = []

    def add(task: str, size: str, error: float, asked: float, against: str) -> None:
        rows.append(
            {
                "task": task,
                "size": size,
                "peer": against,
                "peer_version": None,
                "ours_seconds": None,
                "peer_seconds": None,
                "ratio": None,
                "ours_memory_bytes": None,
                "peer_memory_bytes": None,
                "agreement": f"error {error:.1e}, asked: at most {asked:g}",
                "mark": None,
                "reached": "yes" if error <= asked else "no",
                "threads": THREADS,
                "note": "",
            }
        )

    for count, width in ((6000, 2048), (500, 2048)) if full else ((400, 96), (60, 256)):
        real = features(count, width, 1) + 0.05
        # A set and its multiple have commuting covariances: the distance is known exactly.
        mean, trace = real.mean(axis=0), real.var(axis=0, ddof=1).sum()
        expected = 0.4**2 * float(mean @ mean + trace)
        found = frechet_distance(real=real, generated=1.4 * real)
        label = f"N={count}, D={width}"
        add("FID exactness", label, abs(found - expected), EXACT_ASKED, "closed form")
        itself = frechet_distance(real=real, generated=real[::-1])
        add("FID of a set with itself", label, abs(itself), SELF_ASKED, "zero")
    for case in json.loads(GOLDEN.read_text()):
        real, generated = np.array(case["real"]), np.array(case["generated"])
        found = frechet_distance(real=real, generated=generated)
        label = f"N={len(real)}, M={len(generated)}, D={real.shape[1]}"
        error = abs(found - float(case["distance"]))
        add("FID exactness", label, error, EXACT_ASKED, "mpmath, 40 digits")
    return rows


def peak_memory(task: Task, side: str) -> int:
    """Bytes over the data, run in this process (a child)."""
    warm = task.setup({"N": 50, "D": 8})
    run = task.ours if side == "ours" else task.theirs
    run(warm)  # imports and thread pools are not the algorithm's
    state = task.setup(task.size)
    before = resident("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # resets the peak
    run(state)
    return max(0, resident("VmHWM") - before)


def child_memory(index: int, side: str, full: bool) -> int | None:
    command = [sys.executable, __file__, "--full" if full else "--quick"]
    command += ["--memory", str(index), side]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return int(done.stdout) if done.returncode == 0 else None


def measure(index: int, task: Task, full: bool) -> dict[str, Any]:
    row: dict[str, Any] = {
        "task": task.name,
        "size": ", ".join(f"{name}={value}" for name, value in task.size.items()),
        "peer": task.peer,
        "peer_version": version(task.peer),
        "ours_seconds": None,
        "peer_seconds": None,
        "ratio": None,
        "ours_memory_bytes": child_memory(index, "ours", full),
        "peer_memory_bytes": None,
        "agreement": "",
        "mark": task.mark,
        "threads": THREADS,
        "note": "",
    }
    there = row["peer_version"] is not None
    warm = task.setup({"N": 50, "D": 8})
    task.ours(warm)
    if there:
        task.theirs(warm)
    state = task.setup(task.size)
    runs = []
    for _ in range(task.repeats):
        ours, *mine = timed(task.ours, state)
        theirs, *other = timed(task.theirs, state) if there else (None, None, None)
        runs.append((*mine, *other))
    columns = list(zip(*runs, strict=True))
    row["ours_seconds"] = statistics.median(columns[0])
    row["ours_cpu_seconds"] = statistics.median(columns[1])
    if not there:
        return {**row, "note": "peer not installed"}
    row["peer_seconds"] = statistics.median(columns[2])
    row["peer_cpu_seconds"] = statistics.median(columns[3])
    row["ratio"] = statistics.median(run[2] / run[0] for run in runs)
    row["peer_memory_bytes"] = child_memory(index, "theirs", full)
    row["agreement"] = task.agree(state, ours, theirs)
    memory = row["ours_memory_bytes"]
    if task.name == "FID from features":
        row["note"] = "both sides form two covariances where N > D, and that time is common"
    if task.peer == "prdc" and memory is not None:
        kept = "kept" if memory < MEMORY_ASKED else "NOT kept"
        row["note"] = f"extra memory {memory / 2**20:.0f} MiB (asked: under 1024, {kept})"
    return row


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    group = parser.add_mutually_exclusive_group(required=True)
    group.add_argument("--quick", action="store_true", help="tiny sizes: shows that it runs")
    group.add_argument("--full", action="store_true")
    parser.add_argument("--json", type=Path, help="where to write the rows")
    parser.add_argument("--task", type=int, nargs="*", help="only these, by number")
    parser.add_argument("--memory", nargs=2, metavar=("TASK", "SIDE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    every = tasks(options.full)
    if options.memory:
        print(peak_memory(every[int(options.memory[0])], options.memory[1]))
        return 0
    rows = []
    for index, task in enumerate(every):
        if options.task is None or index in options.task:
            rows.append(measure(index, task, options.full))
            print(json.dumps(rows[-1]), flush=True)
    if options.task is None:
        for row in exactness(options.full):
            rows.append(row)
            print(json.dumps(row), flush=True)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
