"""More than one process: features of one set by many workers, and scores as torchmetrics.

The metrics need torchmetrics, which is optional, and are imported by themselves:
``from giqa_lib.distributed.metrics import QualityScore``.
"""

from giqa_lib.distributed.blocks import extract_blocks
from giqa_lib.distributed.workers import Worker, this_worker

__all__ = ["Worker", "extract_blocks", "this_worker"]
