"""What a training will cost, from one measured step of two images."""

from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from giqa_lib.gan.architecture import Architecture
from giqa_lib.gan.feeds import Feed
from giqa_lib.gan.trainer import TrainSettings, new_state, train

__all__ = ["CountedOperations", "TrainingCost", "training_cost"]

MEASURED = 2  # images: batch norm needs two
COPIES = 4  # of each weight: itself, its gradient, Adam's two moments
FLOAT = 4  # bytes


class CountedOperations(TorchDispatchMode):
    """Counts multiplications and additions of what runs inside; torch's own counter fails on a penalty of gradients.

    >>> with CountedOperations() as counted:
    ...     made = torch.zeros(2, 3) @ torch.zeros(3, 4)
    >>> counted.total
    48
    """

    def __init__(self) -> None:
        super().__init__()
        self.total = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        out = func(*args, **kwargs)
        count = flop_registry.get(func._overloadpacket)
        if count is not None:
            self.total += count(*args, **kwargs, out_val=out)
        return out


@dataclass(frozen=True, kw_only=True)
class TrainingCost:
    """``parameters`` of both players, operations and seconds (here) of the whole training, bytes at most at once."""

    parameters: int
    flops: float
    seconds: float
    memory: float


def training_cost(architecture: Architecture, settings: TrainSettings, feed: Feed) -> TrainingCost:
    """The cost of ``settings.steps`` steps, scaled from the first one with a batch of two.

    Operations and time are taken to grow with images and steps; a network that grows while it trains costs less.
    Memory is weights, gradients, moments and what one step keeps for its backward passes; the
    latter is counted once for each player though they take turns, so it is an upper bound. The first step also
    warms up, so ``seconds`` are of a second one.

    >>> from giqa_lib.gan import DCGANSettings, images_at_random
    >>> feed = images_at_random(torch.zeros(4, 1, 16, 16, dtype=torch.uint8))
    >>> made = DCGANSettings(image_size=16, width=4, latent=8)
    >>> one, two = (training_cost(made, TrainSettings(steps=n, batch_size=8), feed) for n in (10, 20))
    >>> two.flops / one.flops, one.memory == two.memory
    (2.0, True)
    """
    random = torch.Generator().manual_seed(0)
    generator, discriminator = architecture.networks(random)
    small = replace(settings, steps=2, batch_size=MEASURED)
    state = new_state(generator, discriminator, small, latent=architecture.latent, random=random,
                      average_decay=architecture.average_decay)  # fmt: skip
    steps = train(state, feed, small, at=[1, 2], variant=architecture.variant(discriminator))
    # Whole storages, so that no address is used twice while they are counted.
    kept: dict[int, torch.UntypedStorage] = {}

    def keep(saved: Tensor) -> Tensor:
        storage = saved.untyped_storage()
        kept[storage.data_ptr()] = storage
        return saved

    with CountedOperations() as counted, saved_tensors_hooks(keep, lambda saved: saved):
        next(steps)
    began = perf_counter()
    next(steps)
    seconds = perf_counter() - began
    weights = sum(p.numel() for network in (generator, discriminator) for p in network.parameters())
    scale = settings.batch_size / MEASURED
    return TrainingCost(
        parameters=weights,
        flops=float(counted.total) * scale * settings.steps,
        seconds=seconds * scale * settings.steps,
        memory=COPIES * FLOAT * weights
        + scale * sum(storage.nbytes() for storage in kept.values()),
    )
