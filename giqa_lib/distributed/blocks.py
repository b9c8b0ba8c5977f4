"""Features of one image set by any number of workers, in blocks that the store keeps.

The set is cut into blocks of a fixed number of images, whatever the number of workers. A worker
extracts its own blocks and then those that are still missing; a block is an artefact of the
store, made once, under a lock that a killed process cannot keep, and resumed after its last
batch. So the result does not depend on how many workers there were, in which order they ran,
or which of them died; and as long as one is left it completes. The store must be a folder that
all machines share, on a file system with locks.

The joined features lie in the store under the key that :func:`giqa_lib.features.extract` looks
for: what follows (``giqa score``) finds them made.
"""

import numpy as np

from giqa_lib.checks import check_positive
from giqa_lib.data import ImageSet
from giqa_lib.distributed.workers import Worker
from giqa_lib.features import Extractor, Features, extract, join_features
from giqa_lib.store import Store

__all__ = ["extract_blocks"]


def extract_blocks(
    images: ImageSet,
    extractor: Extractor,
    *,
    worker: Worker,
    store: Store,
    block: int = 8192,
    batch_size: int = 256,
    progress: bool = False,
) -> Features:
    """Do this worker's share; returns the features of all ``images``.

    It returns when every block is there, whoever made it. ``block`` must be the same for all
    workers; a smaller one spreads better, a larger one makes fewer files.

    >>> import tempfile, torch
    >>> from giqa_lib.data import open_images
    >>> from giqa_lib.features import extractor
    >>> images = open_images(torch.zeros(5, 1, 4, 4, dtype=torch.uint8))
    >>> found = extract_blocks(images, extractor("pixels@4"), worker=Worker(), block=2,
    ...                        store=Store(tempfile.mkdtemp()))
    >>> found.values.shape
    (5, 48)
    """
    check_positive(block, name="block")
    starts = range(0, len(images), block)

    def part(number: int) -> Features:
        places = np.arange(starts[number], min(starts[number] + block, len(images)))
        return extract(
            images,
            extractor,
            batch_size=batch_size,
            store=store,
            progress=progress,
            indices=places,
        )

    for number in worker.order(len(starts)):
        part(number)
    return join_features(map(part, range(len(starts))), images, extractor, store=store)
