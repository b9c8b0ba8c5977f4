"""Networks whose initial weights come from a given random generator."""

from collections.abc import Callable
from typing import TypeVar

import torch

__all__ = ["built"]

Made = TypeVar("Made")


def built(random: torch.Generator, make: Callable[[], Made]) -> Made:
    """``make()`` with torch's global generator seeded by a draw from ``random``, and put back.

    Layers draw their first weights from the global generator as they are made.

    >>> layers = [built(torch.Generator().manual_seed(0), lambda: torch.nn.Linear(1, 1)) for _ in "ab"]
    >>> bool(layers[0].weight == layers[1].weight)
    True
    """
    seed = int(torch.randint(2**62, (), generator=random))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make()
