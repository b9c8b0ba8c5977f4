"""Features for ``giqa score``, by several processes or machines.

    torchrun --nproc-per-node 4 -m giqa_lib.distributed SCORER IMAGES
    srun -n 16 python -m giqa_lib.distributed SCORER IMAGES      # one store, $GIQA_STORE, for all
    giqa score SCORER IMAGES --to scores                         # finds the features made

Exit status as of giqa: 0 done, 3 bad input, 4 not on this machine, 5 the system refused.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from giqa_lib.applications.folders import load_scorer
from giqa_lib.checks import DataUnavailable, GiqaError
from giqa_lib.data import open_images
from giqa_lib.distributed import extract_blocks, this_worker, threads_each
from giqa_lib.store import default_store

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one worker; returns the exit status.

    >>> main(["/nowhere", "/nowhere"])
    3
    """
    parser = argparse.ArgumentParser(
        prog="python -m giqa_lib.distributed",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("scorer", type=Path, help="what giqa fit wrote")
    parser.add_argument("images", type=Path, help="folder, .zip or .parquet file")
    parser.add_argument("--weights", type=Path, help="the extractor's weight file or classifier")
    parser.add_argument("--device", default="cpu", help="cpu, or cuda: each worker its own")
    parser.add_argument("--block", type=int, default=8192, help="images a block; default 8192")
    options = parser.parse_args(arguments)
    worker = this_worker()
    device = options.device
    if device == "cuda":
        device = f"cuda:{os.environ.get('LOCAL_RANK', os.environ.get('SLURM_LOCALID', '0'))}"
    elif "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(threads_each(worker, cores=os.cpu_count() or 1))
    try:
        scorer = load_scorer(options.scorer, weights=options.weights, device=device)
        found = extract_blocks(
            open_images(options.images),
            scorer.extractor,
            worker=worker,
            store=default_store(),
            block=options.block,
            batch_size=scorer.batch_size,
            progress=worker.rank == 0 and sys.stderr.isatty(),
        )
    except GiqaError as error:
        sys.stderr.write(f"giqa: {error}\n")
        return 4 if isinstance(error, DataUnavailable) else 3
    except OSError as error:
        sys.stderr.write(f"giqa: {error}\n")
        return 5
    sys.stdout.write(f"worker {worker.rank} of {worker.count}: {len(found)} features\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
