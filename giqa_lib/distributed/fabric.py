"""What the library needs of Lightning Fabric: the number of this process, means over all and rows of all.

Fabric (the optional package ``lightning-fabric``, Apache-2.0) starts the processes and carries tensors
between them, by gloo on CPUs and by NCCL on GPUs. Only the four members below are used, so nothing here imports it.
"""

from typing import Any, Protocol, runtime_checkable

from torch import Tensor

from giqa_lib.distributed.workers import Worker

__all__ = ["Processes", "fabric_worker", "rows_of_all"]


@runtime_checkable
class Processes(Protocol):
    """A launched ``lightning_fabric.Fabric``."""

    @property
    def global_rank(self) -> int:
        """Number of this process, from 0."""
        ...

    @property
    def world_size(self) -> int:
        """How many processes there are."""
        ...

    def all_reduce(self, data: Any, group: Any = None, reduce_op: Any = "mean") -> Any:
        """The mean over processes, without gradients."""
        ...

    def all_gather(self, data: Any, group: Any = None, sync_grads: bool = False) -> Any:
        """The tensors of all processes, stacked."""
        ...


def fabric_worker(fabric: Processes) -> Worker:
    """The worker that Fabric made this process, for :func:`extract_blocks`.

    Of processes that ``Fabric.launch`` starts itself :func:`this_worker` knows too little: Fabric leaves no
    ``RANK`` in the environment.

    >>> class Second:
    ...     global_rank, world_size, all_reduce, all_gather = 1, 2, max, max
    >>> fabric_worker(Second())
    Worker(rank=1, count=2)
    """
    return Worker(rank=fabric.global_rank, count=fabric.world_size)


def rows_of_all(rows: Tensor, fabric: Processes) -> Tensor:
    """Rows (n, ...) of each process to (world n, ...), in the order of their ranks, with gradients.

    What a process does with another's rows comes back to the other as a gradient, added over processes.
    """
    stacked: Tensor = fabric.all_gather(rows, sync_grads=True)
    return stacked.reshape(-1, *rows.shape[1:])
