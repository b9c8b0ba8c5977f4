"""What the benchmarks share: a peer's version, time of one call, and resident memory."""

import importlib.metadata
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

State = dict[str, Any]


def version(package: str) -> str | None:
    """None if the peer is not installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def timed(function: Callable[[State], Any], state: State) -> tuple[Any, float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    value = function(state)
    return value, time.perf_counter() - wall, time.process_time() - cpu


def resident(field: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
