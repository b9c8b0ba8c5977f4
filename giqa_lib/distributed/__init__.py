"""More than one process: features of one set by many workers, GANs trained by several, scores as torchmetrics.

Lightning Fabric is optional too; what is given here is the ``Fabric`` that the caller has launched. The metrics need torchmetrics, which is optional, and are imported by themselves:
``from giqa_lib.distributed.metrics import QualityScore``.
"""

from giqa_lib.distributed.blocks import extract_blocks
from giqa_lib.distributed.fabric import Processes, fabric_worker
from giqa_lib.distributed.training import (
    average_gradients,
    join_batch_norms,
    joint_score,
    share_training,
)
from giqa_lib.distributed.workers import Worker, this_worker, threads_each

__all__ = [
    "Processes",
    "Worker",
    "average_gradients",
    "extract_blocks",
    "fabric_worker",
    "join_batch_norms",
    "joint_score",
    "share_training",
    "this_worker",
    "threads_each",
]
