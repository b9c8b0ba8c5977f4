"""Memory and time from 10^4 to 10^6 images, and what 10^9 would take.

    make scale                    10^4 to 10^6 in five steps; writes book/results/scale.json
    make scale ARGS="--quick"     10^3 and 10^4; nothing is written

Features are synthetic (a Gaussian mixture, 256 dimensions, float32): what is measured is everything
but the network, whose cost an image does not depend on how many there are; its images per second are measured
beside it. Each measurement is a forked process; memory is the peak of its anonymous resident memory above
the start, at least a page (pages of mapped files, which the system may drop at any time, do not count). Core
seconds are the processor's: they, unlike seconds, do not grow when other programs run beside.
"""

import argparse
import datetime
import os
import pickle
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from giqa_lib.applications.folders import Scorer, ScorerSettings
from giqa_lib.evaluation import accumulate_moments, frechet_distance_from_moments
from giqa_lib.features import PCA, extractor
from giqa_lib.features.feature_store import FeatureFile, read_features
from giqa_lib.results import write_json
from giqa_lib.results.provenance import commit, device_name, versions
from giqa_lib.scores import GaussianMixture, fit_image_score

ROOT = Path(__file__).resolve().parent.parent.parent
WIDTH, BATCH = 256, 8192
WRITING = "features to the store"
FLAT = 256.0  # bytes an image that memory may grow by: a few numbers of its row in the table
LINEAR = 1.5  # how much slower an image may be at the largest number than at the smallest
PAGE = os.sysconf("SC_PAGE_SIZE")

# What 10^9 images are reckoned with; the first two are assumptions, not facts: put in your own.
CORE_HOUR = 0.05  # dollars
DISK = 0.02  # dollars a gigabyte and month
WORKERS = (16, 256)  # processes of one core each, for the stages that divide
MANY = 10**9


class Given:
    """An extractor in name only: features are given."""

    name, version, width = "synthetic", "1", WIDTH


def rows(count: int, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    centres = np.random.default_rng(0).normal(size=(7, WIDTH)).astype(np.float32)
    values = random.standard_normal((count, WIDTH), dtype=np.float32)
    return values + 2 * centres[random.integers(7, size=count)]


def scorer() -> Scorer:
    real = rows(20_000, seed=1)
    score = fit_image_score(
        extractor=Given(),
        transform=PCA(max_components=64),
        density=GaussianMixture(7),
        real_features=real[:16_000],
        held_out_features=real[16_000:],
        batch_size=256,
    )
    return Scorer(score=score, settings=ScorerSettings(), real={}, version="1")


def write(folder: Path, count: int) -> None:
    with FeatureFile(folder, width=WIDTH) as file:
        for start in range(0, count, BATCH):
            part = rows(min(BATCH, count - start), seed=start + 2)
            places = np.arange(start, start + len(part))
            file.append(part, places, done=start + len(part), failures={})
        file.finish()


def anonymous() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("no RssAnon in /proc/self/status: this needs Linux")


def measured(work: Callable[[], object]) -> dict[str, float]:
    """Seconds, core seconds and extra anonymous memory of ``work`` in a process of its own."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        before, peak, done = anonymous(), [0], threading.Event()

        def watch() -> None:
            while not done.wait(0.005):
                peak[0] = max(peak[0], anonymous())

        watcher = threading.Thread(target=watch)
        watcher.start()
        started, core = time.perf_counter(), time.process_time()
        work()
        seconds, core = time.perf_counter() - started, time.process_time() - core
        done.set()
        watcher.join()
        memory = max(PAGE, peak[0] - before) / 2**20
        found = {"seconds": seconds, "core seconds": core, "extra memory, MiB": memory}
        os.write(writing, pickle.dumps(found))
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        data = pipe.read()
    if os.waitpid(child, 0)[1] != 0:
        raise RuntimeError("a measurement failed")
    return pickle.loads(data)


def network_speed() -> float:
    """Images a core second of EfficientNet-Lite0 at 224 pixels."""
    network = extractor("efficientnet_lite0")
    images = torch.randint(0, 256, (32, 3, 224, 224), dtype=torch.uint8)
    network(images)
    started = time.process_time()
    network(images)
    return 32 / (time.process_time() - started)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small; nothing is written")
    options = parser.parse_args()
    torch.set_num_threads(1)
    counts = (1000, 10_000) if options.quick else (10_000, 30_000, 100_000, 300_000, 1_000_000)
    fitted, table = scorer(), []
    moments = accumulate_moments([rows(20_000, seed=1)])
    for count in counts:
        with tempfile.TemporaryDirectory(prefix="giqa-scale-") as name:
            folder = Path(name)
            stages: dict[str, Callable[[], object]] = {
                WRITING: lambda folder=folder, n=count: write(folder, n),
                "scores, ranks and table": lambda folder=folder: fitted.score_features(
                    read_features(folder)[0]
                ),
                "FID from streamed moments": lambda folder=folder: streamed(folder, moments),
            }
            for stage, work in stages.items():
                found = measured(work)
                each = {"core microseconds an image": 1e6 * found["core seconds"] / count}
                table.append({"stage": stage, "images": count} | found | each)
    wrong = [
        problem
        for stage in dict.fromkeys(row["stage"] for row in table)
        for problem in problems(stage, table)
    ]
    for row in table:
        print(row)
    print(*wrong, sep="\n")
    if not options.quick:
        scored = fitted.score_features(rows(1000, seed=2)).dtypes
        save(table, network_speed(), sum(kind.itemsize for kind in scored))
    return 1 if wrong else 0


def streamed(folder: Path, real: object) -> float:
    values = read_features(folder)[0]
    found = accumulate_moments(
        values[start : start + BATCH] for start in range(0, len(values), BATCH)
    )
    return frechet_distance_from_moments(
        real_mean=real.mean, real_covariance=real.covariance,
        generated_mean=found.mean, generated_covariance=found.covariance,
    )  # fmt: skip


def bytes_an_image(rows: list[dict[str, object]]) -> float:
    """By how much a stage's memory grows from its smallest to its largest number of images."""
    first, last = rows[0], rows[-1]
    grown = (last["extra memory, MiB"] - first["extra memory, MiB"]) * 2**20
    return grown / (last["images"] - first["images"])


def problems(stage: str, table: list[dict[str, object]]) -> list[str]:
    """Where memory grows by more than a few numbers an image, or time by more than its number."""
    mine = [row for row in table if row["stage"] == stage]
    first, last = mine[0], mine[-1]
    growth = bytes_an_image(mine)
    slower = last["core microseconds an image"] / first["core microseconds an image"]
    found = [f"{stage}: {growth:.0f} bytes an image"] if growth > FLAT else []
    return found + ([f"{stage}: {slower:.2f} times slower an image"] if slower > LINEAR else [])


def reckoned(table: list[dict[str, object]], speed: float) -> list[dict[str, object]]:
    """What each stage would take for 10^9 images, on one core and on more.

    Time is linear from the largest measurement. The network's part and the writing of features divide over
    workers; a ranking is of all images, and is made by one process.
    """
    rows = [cost("the network, EfficientNet-Lite0 at 224 px", 1 / speed, divides=True)]
    for stage in dict.fromkeys(row["stage"] for row in table):
        mine = [row for row in table if row["stage"] == stage]
        seconds = mine[-1]["core seconds"] / mine[-1]["images"]
        memory = max(0.0, bytes_an_image(mine)) * MANY / 1e9
        rows.append(cost(stage, seconds, divides=stage == WRITING) | {"extra memory, GB": memory})
    return rows


def cost(stage: str, seconds: float, *, divides: bool) -> dict[str, object]:
    """Hours and dollars of 10^9 images at so many core seconds each."""
    hours = seconds * MANY / 3600
    workers = {f"hours, {count} workers": hours / count if divides else hours for count in WORKERS}
    return (
        {"for 10^9 images": stage, "core hours": hours} | workers | {"dollars": hours * CORE_HOUR}
    )


def stored(scored: int) -> list[dict[str, object]]:
    """What 10^9 images take on disk, ``scored`` bytes an image for the table of scores."""
    sizes = {
        "features, 1280 float32": 1280 * 4,
        "features, 64 float32 after PCA": 64 * 4,
        "scores and ranks": scored,
    }
    return [
        {"for 10^9 images": name, "bytes an image": each, "terabytes": each * MANY / 1e12, "dollars a month": each * MANY / 1e9 * DISK}
        for name, each in sizes.items()
    ]  # fmt: skip


def save(table: list[dict[str, object]], speed: float, scored: int) -> None:
    tables = [
        {"name": "measured", "caption": f"Time and memory by the number of images: synthetic features of {WIDTH} dimensions, one thread.", "rows": table},
        {"name": "hours", "caption": f"What a thousand million images would take, from the largest measurement and {speed:.0f} images a second of the network on one core of this machine; dollars at {CORE_HOUR} a core hour, an assumption. Ranking and FID are the work of one process, however many workers there are.", "rows": reckoned(table, speed)},
        {"name": "disk", "caption": f"What they take on disk; dollars at {DISK} a gigabyte and month, an assumption.", "rows": stored(scored)},
    ]  # fmt: skip
    run = {"date": datetime.date.today().isoformat(), "commit": commit(ROOT), "device": device_name("cpu"), "versions": versions(), "command": "make scale"}  # fmt: skip
    # JSON's keys are sorted, a table's columns are not
    tables = [part | {"columns": list(part["rows"][-1])} for part in tables]
    write_json(ROOT / "book" / "results" / "scale.json", {"run": run, "tables": tables})


if __name__ == "__main__":
    sys.exit(main())
