"""Density scores against scikit-learn, faiss, the official GIQA script and pyMDMA.

    python tests/benchmarks/bench_scores.py --quick --json rows.json
    python tests/benchmarks/bench_scores.py --full --json rows.json

Time: ours and the peer in turn, in one process with two threads, after one small warm-up;
``ratio`` is the median of the pairwise ratios peer / ours of wall seconds, beside them the
medians of wall and CPU seconds. Building (k-means excepted, which both are given; the KNN
index included) counts. Memory: each side once in its own process, the peak resident set
(VmHWM, reset after the data are made) over what was resident before. Optional peers that are
not installed give a row that says so. Data: synthetic, clusters with a power-law spectrum.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import warnings
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
from sklearn.cluster import KMeans  # noqa: E402
from sklearn.mixture import GaussianMixture as SklearnMixture  # noqa: E402
from sklearn.neighbors import NearestNeighbors  # noqa: E402

from giqa_lib.scores import GaussianMixture, KNearestNeighbours  # noqa: E402

torch.set_num_threads(THREADS)

WHY_SCORING = (
    "most of our time is the float32 screen of all components and the float64 measure of the few "
    "that matter (by torch's profiler); what is left out pays less here than in the fit"
)
WHY_FAISS = (
    "the distances to the nearest are computed again in float64, which faiss leaves out (see the "
    "agreement); the selection of K is where we gain, and it weighs more at a larger K"
)
WHY_BRUTE = (
    "both are bound by the same matrix product; the selection of K is where we gain, and it "
    "weighs more at a larger K"
)


@dataclass(frozen=True, kw_only=True)
class Task:
    name: str
    size: dict[str, int]
    peer: str
    package: str | None
    setup: Callable[[dict[str, int]], State]
    ours: Callable[[State], Any]
    theirs: Callable[[State], Any]
    agree: Callable[[State, Any, Any], str]
    mark: float | None
    repeats: int = 3
    peer_share: float = 1.0  # part of the queries that the peer is given; extrapolated
    why_missed: str = ""  # what is known of the cause, shown where the mark is not reached


def features(count: int, width: int, modes: int, seed: int) -> np.ndarray:
    spectrum = np.arange(1, width + 1) ** -0.5
    centres = np.random.default_rng(0).standard_normal((modes, width)) * spectrum * 1.5
    generator = np.random.default_rng(seed)
    rows = generator.standard_normal((count, width)) * spectrum
    rows += centres[generator.integers(modes, size=count)]
    return rows


# GMM


def setup_mixture(size: dict[str, int]) -> State:
    count, width, modes = size["N"], size["D"], size["M"]
    X = features(count, width, modes, 1)
    labels = KMeans(modes, n_init=1, random_state=0).fit(X).labels_
    start = GaussianMixture(modes, labels_init=labels, max_iter=0).fit(X)
    factor = start.precisions_cholesky_
    options = {
        "weights_init": start.weights_,
        "means_init": start.means_,
        "precisions_init": factor @ factor.transpose(0, 2, 1),
        "max_iter": size["iterations"],
        "tol": 0.0,  # a fixed number of iterations
    }
    state: State = {"X": X, "modes": modes, "options": options}
    if "queries" in size:
        state["queries"] = features(size["queries"], width, modes, 2)
        state["ours"] = GaussianMixture(modes, **options).fit(X)
        state["theirs"] = SklearnMixture(modes, **{**options, "max_iter": 1}).fit(X)
        for name in ("weights_", "means_", "covariances_", "precisions_cholesky_"):
            setattr(state["theirs"], name, getattr(state["ours"], name))
    return state


def fit_ours(state: State) -> GaussianMixture:
    return GaussianMixture(state["modes"], **state["options"]).fit(state["X"])


def fit_sklearn(state: State) -> SklearnMixture:
    return SklearnMixture(state["modes"], **state["options"]).fit(state["X"])


def agree_fit(state: State, ours: GaussianMixture, theirs: SklearnMixture) -> str:
    error = abs(ours.lower_bound_ / theirs.lower_bound_ - 1)
    held_out = state["X"][:500]
    score = np.abs(ours.score_samples(held_out) - theirs.score_samples(held_out)).max()
    return (
        f"log-likelihood within {error:.1e} relative (asked: 1e-9), a score within {score:.1e} "
        f"nats, {ours.n_iter_} and {theirs.n_iter_} iterations"
    )


def agree_scores(state: State, ours: np.ndarray, theirs: np.ndarray) -> str:
    return f"scores within {np.abs(ours - theirs).max():.1e} nats"


# KNN


def setup_neighbours(size: dict[str, int]) -> State:
    references = features(size["N"], size["D"], 30, 1).astype(np.float32)
    queries = features(size["queries"], size["D"], 30, 2).astype(np.float32)
    return {"R": references, "Q": queries, "K": size["K"]}


def neighbours_ours(state: State) -> np.ndarray:
    return KNearestNeighbours(state["K"]).fit(state["R"]).score_samples(state["Q"])


def neighbours_ours_l1(state: State) -> np.ndarray:
    return KNearestNeighbours.official(state["K"]).fit(state["R"]).score_samples(state["Q"])


def mean_inverse(squares: np.ndarray) -> np.ndarray:
    return (1.0 / np.sqrt(np.maximum(squares.astype(np.float64), 1e-12))).mean(1)


def neighbours_faiss(state: State) -> np.ndarray:
    import faiss

    faiss.omp_set_num_threads(THREADS)
    index = faiss.IndexFlatL2(state["R"].shape[1])
    index.add(state["R"])
    return mean_inverse(index.search(state["Q"], state["K"])[0])


def neighbours_sklearn(state: State) -> np.ndarray:
    index = NearestNeighbors(n_neighbors=state["K"], algorithm="brute").fit(state["R"])
    distances, _ = index.kneighbors(state["Q"])
    return mean_inverse(distances**2)


def neighbours_official(state: State) -> np.ndarray:
    """``knn_score.py``: the query repeated n times, L1, a Python sort, the sum."""
    references = torch.from_numpy(state["R"])
    scores = []
    for query in state["Q"][: state["few"]]:
        repeated = torch.from_numpy(query).repeat(len(references), 1)
        distances = torch.nn.functional.pairwise_distance(repeated, references, p=1)
        nearest = sorted(distances.tolist())[: state["K"]]
        scores.append(sum(1.0 / distance for distance in nearest))
    return np.array(scores)


def agree_neighbours(state: State, ours: np.ndarray, theirs: np.ndarray) -> str:
    rows = np.arange(0, len(ours), max(1, len(ours) // 20))
    exact = np.stack([direct(state["Q"][i], state["R"])[: state["K"]] for i in rows])
    exact = mean_inverse(exact)
    mine, other = ours[rows] / exact - 1, theirs[rows] / exact - 1
    return (
        f"relative error of the score to float64: ours {np.abs(mine).max():.1e}, "
        f"peer {np.abs(other).max():.1e}"
    )


def agree_official(state: State, ours: np.ndarray, theirs: np.ndarray) -> str:
    order = np.corrcoef(ours[: len(theirs)].argsort().argsort(), theirs.argsort().argsort())[0, 1]
    return (
        f"peer measured on {len(theirs)} queries and extrapolated; the peer sums inverse L1, "
        f"ours takes the mean of inverse L2: rank correlation {order:.3f}"
    )


def agree_official_l1(state: State, ours: np.ndarray, theirs: np.ndarray) -> str:
    error = np.abs(ours[: len(theirs)] / theirs - 1).max()
    return f"same score within {error:.1e}; peer measured on {len(theirs)} queries, extrapolated"


def direct(query: np.ndarray, references: np.ndarray) -> np.ndarray:
    difference = references.astype(np.float64) - query.astype(np.float64)
    return np.sort(np.einsum("ij,ij->i", difference, difference))


def setup_official(size: dict[str, int]) -> State:
    return {**setup_neighbours(size), "few": size["peer_queries"]}


def setup_duplicates(size: dict[str, int]) -> State:
    state = setup_neighbours({**size, "K": 1})
    noise = np.random.default_rng(3).standard_normal(state["Q"].shape)
    scales = np.logspace(-4, -1, len(noise))[:, None] / np.sqrt(size["D"])
    state["Q"] = (state["R"][: len(noise)] + noise * scales).astype(np.float32)
    return state


def agree_duplicates(state: State, ours: np.ndarray, theirs: np.ndarray) -> str:
    exact = np.array([direct(query, state["R"])[:1] for query in state["Q"]])
    exact = mean_inverse(exact)
    mine, other = np.abs(ours / exact - 1).max(), np.abs(theirs / exact - 1).max()
    return (
        f"1 / distance of near-duplicates (1e-4 to 1e-1), relative error to float64: "
        f"ours {mine:.1e} (asked: 1e-12), peer {other:.1e}"
    )


# pyMDMA


def setup_pymdma(size: dict[str, int]) -> State:
    good = features(size["queries"], size["D"], 7, 2)
    return {"X": features(size["N"], size["D"], 7, 1), "good": good, "bad": good * 3 + 2}


def pymdma_ours(state: State) -> np.ndarray:
    score = GaussianMixture(7, random_state=0).fit(state["X"])
    state["score"] = score
    return score.score_samples(state["good"])


def pymdma_theirs(state: State) -> np.ndarray:
    from pymdma.image.measures.synthesis_val import GIQA

    giqa = GIQA(n_components=7, cache_model=True)
    state["giqa"] = giqa
    _, values = giqa.compute(state["X"], state["good"]).value
    return np.array(values)


def agree_pymdma(state: State, ours: np.ndarray, theirs: np.ndarray) -> str:
    both = np.concatenate([state["good"], state["bad"]])
    count = len(ours)
    mine = np.abs(state["score"].score_samples(both)[:count] - ours).max()
    beside = np.array(state["giqa"].compute(state["X"], both).value[1])[:count]
    return (
        f"scored beside bad images our scores change by {mine:g}; the peer's mean goes from "
        f"{theirs.mean():.3f} to {beside.mean():.3f}"
    )


def tasks(full: bool) -> list[Task]:
    def size(**sizes: tuple[int, int]) -> dict[str, int]:
        return {name: pair[0] if full else pair[1] for name, pair in sizes.items()}

    wide = {"N": (20_000, 600), "D": (256, 40), "M": (20, 4)}
    many = {"N": (20_000, 600), "D": (128, 33), "M": (70, 6)}
    iterations = {"iterations": (10, 3)}
    knn = {"N": (60_000, 700), "D": (1280, 40)}
    found = []
    for shape in (wide, many):
        fit = size(**shape, **iterations)
        score = size(**shape, iterations=(2, 2), queries=(10_000, 300))
        common = {"peer": "scikit-learn", "package": "scikit-learn", "setup": setup_mixture}
        found += [
            Task(name="GMM fit, same start", size=fit, ours=fit_ours, theirs=fit_sklearn,
                 agree=agree_fit, mark=3.0, **common),
            Task(name="GMM scoring", size=score, agree=agree_scores, mark=3.0, repeats=15,
                 why_missed=WHY_SCORING,
                 ours=lambda s: s["ours"].score_samples(s["queries"]),
                 theirs=lambda s: s["theirs"].score_samples(s["queries"]), **common),
        ]  # fmt: skip
    for neighbours in ((3500, 40), (7000, 80)):
        options: dict[str, Any] = {"setup": setup_neighbours, "agree": agree_neighbours}
        whole = size(**knn, queries=(5000, 150), K=neighbours)
        some = size(**knn, queries=(5000, 150), K=neighbours, peer_queries=(6, 3))
        share = some["peer_queries"] / some["queries"]
        found += [
            Task(name="KNN", size=whole, peer="faiss-cpu IndexFlatL2", package="faiss-cpu",
                 ours=neighbours_ours, theirs=neighbours_faiss, mark=1.0, why_missed=WHY_FAISS, **options),
            Task(name="KNN", size=whole, peer="scikit-learn brute", package="scikit-learn",
                 ours=neighbours_ours, theirs=neighbours_sklearn, mark=2.5, why_missed=WHY_BRUTE, **options),
            Task(name="KNN", size=some, peer="official script's way", package=None,
                 setup=setup_official, ours=neighbours_ours, theirs=neighbours_official,
                 agree=agree_official, mark=100.0, repeats=1, peer_share=share),
        ]  # fmt: skip
    l1 = size(**knn, queries=(256, 30), K=(3500, 40), peer_queries=(6, 3))
    near = size(**knn, queries=(256, 60))
    mdma = size(N=(20_000, 400), D=(256, 16), queries=(5000, 100))
    found += [
        Task(name="KNN, the official score (L1)", size=l1, peer="official script's way",
             package=None, setup=setup_official, ours=neighbours_ours_l1,
             theirs=neighbours_official, agree=agree_official_l1, mark=None, repeats=1,
             peer_share=l1["peer_queries"] / l1["queries"]),
        Task(name="KNN near-duplicates, K = 1", size=near, peer="faiss-cpu IndexFlatL2",
             package="faiss-cpu", setup=setup_duplicates, ours=neighbours_ours,
             theirs=neighbours_faiss, agree=agree_duplicates, mark=None),
        Task(name="GIQA: fit and score", size=mdma, peer="pymdma GIQA", package="pymdma",
             setup=setup_pymdma, ours=pymdma_ours, theirs=pymdma_theirs, agree=agree_pymdma,
             mark=None, repeats=1),
    ]  # fmt: skip
    return found


def peer_version(package: str | None) -> str | None:
    return f"its steps, torch {torch.__version__}" if package is None else version(package)


def peak_memory(task: Task, side: str) -> int:
    """Bytes over the data, run in this process (a child)."""
    state = task.setup(task.size)
    before = resident("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # resets the peak
    (task.ours if side == "ours" else task.theirs)(state)
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
        "peer_version": peer_version(task.package),
        "mark": task.mark,
        "threads": THREADS,
    }
    state = task.setup(task.size)
    there = row["peer_version"] is not None
    runs = []
    for _ in range(task.repeats):
        ours, *mine = timed(task.ours, state)
        theirs, *other = timed(task.theirs, state) if there else (None, None, None)
        runs.append((*mine, *other))
    columns = list(zip(*runs, strict=True))
    row["ours_seconds"] = statistics.median(columns[0])
    row["ours_cpu_seconds"] = statistics.median(columns[1])
    weigh = full or index == 0  # a process each: in the quick run once, to show that it works
    row["ours_memory_bytes"] = child_memory(index, "ours", full) if weigh else None
    if not there:
        return {**row, "ratio": None, "agreement": "peer not installed"}
    row["peer_seconds"] = statistics.median(columns[2]) / task.peer_share
    row["peer_cpu_seconds"] = statistics.median(columns[3]) / task.peer_share
    ratios = [run[2] / run[0] / task.peer_share for run in runs]
    row["ratio"] = statistics.median(ratios)
    row["peer_memory_bytes"] = child_memory(index, "theirs", full) if weigh else None
    row["agreement"] = task.agree(state, ours, theirs)
    missed = task.mark is not None and row["ratio"] < task.mark
    row["note"] = task.why_missed if missed else ""
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
    warnings.simplefilter("ignore")  # no convergence in the fixed number of iterations
    every = tasks(options.full)
    if options.memory:
        print(peak_memory(every[int(options.memory[0])], options.memory[1]))
        return 0
    rows = []
    for index, task in enumerate(every):
        if options.task is not None and index not in options.task:
            continue
        rows.append(measure(index, task, options.full))
        print(json.dumps(rows[-1]), flush=True)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
