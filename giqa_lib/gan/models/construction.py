"""Two players whose initial weights come from a given random generator."""

from collections.abc import Callable

import torch
from torch import nn

__all__ = ["built"]


def built(
    random: torch.Generator, make: Callable[[], tuple[nn.Module, nn.Module]]
) -> tuple[nn.Module, nn.Module]:
    """``make()`` with torch's global generator seeded by a draw from ``random``, and put back.

    Layers draw their first weights from the global generator as they are made. The players' weights are laid
    out channels last, which convolutions are faster on.

    >>> make = lambda: (nn.Linear(1, 1), nn.Linear(1, 1))
    >>> one, two = (built(torch.Generator().manual_seed(0), make) for _ in range(2))
    >>> bool(one[0].weight == two[0].weight)
    True
    """
    seed = int(torch.randint(2**62, (), generator=random))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        pair = make()
    for network in pair:
        network.to(memory_format=torch.channels_last)
    return pair
