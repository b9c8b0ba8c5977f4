"""As many processes as cores: one thread each against PyTorch's default threads, and against twice the cores.

    python tests/benchmarks/bench_threads.py --quick --json rows.json
    python tests/benchmarks/bench_threads.py --full --json rows.json

The processes load, work once unmeasured and wait; then all do the same work at the same time, and the time is
that of the last one. The same processes take each number of threads in turn; the median over rounds counts.
``ratio`` is how many times longer that takes than with one thread each. The load average before the first round
tells whether the machine was otherwise idle.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
MARK = 1.0  # set before the first run: one thread each is never slower


def works(*, quick: bool) -> dict[str, Callable[[], object]]:
    """What each process does, by name; a fraction of a second each on a core of its own."""
    import numpy as np
    import torch

    from giqa_lib.features import ClassifierSettings, extractor, train_classifier
    from giqa_lib.scores import GaussianMixture

    count, rows, labelled = (2, 100, 20) if quick else (8, 300, 100)
    random, normal = torch.Generator().manual_seed(0), np.random.default_rng(0).normal
    images = torch.randint(0, 256, (count, 3, 64, 64), dtype=torch.uint8, generator=random)
    small = torch.randint(0, 256, (labelled, 1, 28, 28), dtype=torch.uint8, generator=random)
    network, mixture = extractor("efficientnet_lite0@64"), GaussianMixture(4, random_state=0)
    values, labels = normal(size=(rows, 16)), np.arange(labelled) % 10
    settings = ClassifierSettings(epochs=1, channels=8, width=32)
    return {
        f"EfficientNet-Lite0's features of {count} images of 64 px": lambda: network(images),
        f"a GMM fitted to {rows} x 16": lambda: mixture.fit(values),
        f"an epoch of a small classifier on {labelled} images": lambda: train_classifier(
            small, labels, settings=settings
        ),
    }


def worker(*, quick: bool) -> None:
    """Do each work once, then what each line says: a number of threads and the name of a work."""
    import torch
    from threadpoolctl import threadpool_limits

    known, default = works(quick=quick), torch.get_num_threads()
    torch.set_num_threads(1)
    for work in known.values():
        work()
    print(json.dumps({"names": list(known), "default": default}), flush=True)
    for line in sys.stdin:
        threads, name = json.loads(line)
        torch.set_num_threads(threads)
        with threadpool_limits(threads):
            known[name]()
        print("done", flush=True)


def start(count: int, *, quick: bool) -> list[subprocess.Popen[str]]:
    """``count`` workers whose threads nobody has set."""
    environment = {k: v for k, v in os.environ.items() if k not in VARIABLES}
    command = [sys.executable, "-W", "ignore", __file__, "--worker", *(["--quick"] * quick)]
    pipe = subprocess.PIPE
    return [
        subprocess.Popen(command, env=environment, text=True, stdin=pipe, stdout=pipe)
        for _ in range(count)
    ]


def together(processes: list[subprocess.Popen[str]], threads: int, name: str) -> float:
    """Seconds until the last of the processes has done the work ``name``."""
    started = time.perf_counter()
    for process in processes:
        process.stdin.write(json.dumps([threads, name]) + "\n")
        process.stdin.flush()
    for process in processes:
        if process.stdout.readline() != "done\n":
            raise RuntimeError(f"a process ended in the middle of: {name}")
    return time.perf_counter() - started


def measure(count: int, rounds: int, *, quick: bool) -> dict[str, dict[str, float]]:
    """Median seconds by work and by what the threads are."""
    processes = start(count, quick=quick)
    try:
        ready = [json.loads(process.stdout.readline()) for process in processes].pop()
        threads = {
            "one thread each": 1,
            f"PyTorch's default, {ready['default']} threads each": ready["default"],
            f"twice the cores, {2 * count} threads each": 2 * count,
        }
        seconds = {name: {label: [] for label in threads} for name in ready["names"]}
        for name in ready["names"]:
            for _ in range(rounds):
                for label, number in threads.items():
                    seconds[name][label].append(together(processes, number, name))
    finally:
        for process in processes:
            process.stdin.close()
            process.wait()
    return {
        name: {label: statistics.median(found) for label, found in by.items()}
        for name, by in seconds.items()
    }


def rows(count: int, rounds: int, *, quick: bool) -> list[dict[str, object]]:
    """One row for each work and each way to have too many threads."""
    load = os.getloadavg()[0]
    found = []
    for name, by in measure(count, rounds, quick=quick).items():
        (_, ours), *others = by.items()
        found += [
            {
                "task": f"{count} processes at once on {count} cores, one thread each",
                "size": name,
                "peer": label,
                "ours_seconds": ours,
                "peer_seconds": seconds,
                "ratio": seconds / ours,
                "mark": MARK,
                "note": f"Median of {rounds} rounds; load average before: {load:.1f}",
            }
            for label, seconds in others
        ]
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--full", action="store_true", help="the default")
    parser.add_argument("--worker", action="store_true", help="what this script starts itself as")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if options.worker:
        worker(quick=options.quick)
        return 0
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    found = rows(cores or 1, 1 if options.quick else 3, quick=options.quick)
    for row in found:
        print(f"{row['size']:55} {row['peer']:45} {row['ours_seconds']:.3f} {row['ratio']:6.2f}")
    if options.json is not None:
        options.json.write_text(json.dumps(found, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
