"""Which of how many workers this process is, and which share of the work it takes first.

Workers do not talk to each other: each knows its rank, and the store's locks and finished
artefacts do the rest. So there is nothing to initialise, nothing to hang when one dies, and
machines may join late.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from giqa_lib.checks import InputError, check_positive, error_line

__all__ = ["Worker", "this_worker", "threads_each"]

#: Where launchers write rank and number of workers: torchrun (and ``fabric run``), then Slurm.
LAUNCHERS = (("RANK", "WORLD_SIZE"), ("SLURM_PROCID", "SLURM_NTASKS"))


@dataclass(frozen=True, kw_only=True)
class Worker:
    """Worker ``rank`` of ``count``, counted from 0.

    >>> Worker(rank=1, count=2).order(5)
    [1, 3, 2, 4, 0]
    """

    rank: int = 0
    count: int = 1

    def __post_init__(self) -> None:
        check_positive(self.count, name="count")
        if not 0 <= self.rank < self.count:
            expected, hint = f"0 to {self.count - 1}", "count from 0"
            raise InputError(error_line("rank", expected=expected, got=str(self.rank), hint=hint))

    def order(self, total: int) -> list[int]:
        """All ``total`` pieces, the worker's own first, then those that others may not get to."""
        own = list(range(self.rank, total, self.count))
        others = [piece for piece in range(total) if piece % self.count != self.rank]
        start = sum(piece < self.rank for piece in others)
        return own + others[start:] + others[:start]


def this_worker(environment: Mapping[str, str] | None = None) -> Worker:
    """The worker that the launcher made this process: torchrun, ``fabric run`` or Slurm; else alone.

    In a script that launches Fabric itself: :func:`giqa_lib.distributed.fabric_worker`.

    >>> this_worker({"RANK": "1", "WORLD_SIZE": "4"})
    Worker(rank=1, count=4)
    """
    known = os.environ if environment is None else environment
    for rank, count in LAUNCHERS:
        if rank in known and count in known:
            return Worker(rank=int(known[rank]), count=int(known[count]))
    return Worker()


def threads_each(
    worker: Worker, *, cores: int, environment: Mapping[str, str] | None = None
) -> int:
    """The threads that fall to this process, so that the workers of a machine have no more than its ``cores``.

    Under Slurm the cores of the task; else the machine's cores over the workers on it (over all
    workers, where the launcher does not say how many are on this machine).

    >>> threads_each(Worker(rank=0, count=4), cores=8, environment={})
    2
    """
    known = os.environ if environment is None else environment
    if "SLURM_CPUS_PER_TASK" in known:
        return int(known["SLURM_CPUS_PER_TASK"])
    return max(1, cores // int(known.get("LOCAL_WORLD_SIZE", worker.count)))
