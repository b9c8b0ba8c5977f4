"""What a training step costs, in seconds and in operations: with and without a score, in one arithmetic and another."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import replace

import pandas as pd
import torch

from giqa_lib.applications.scoregan.score_guided import ScoreStudy
from giqa_lib.gan import CountedOperations, TrainState, new_state, train

__all__ = ["step_operations", "step_seconds"]


def step_seconds(runs: Mapping[str, tuple[ScoreStudy, str]], *, count: int) -> pd.DataFrame:
    """Seconds of ``count`` training steps of each run, taken in turn so that what else the machine does falls on all.

    ``runs`` are studies with the name of one of their runs. One row a turn, a column a run; a first step of each is
    not counted.
    """
    started = {name: _steps(study, run, count=count + 1) for name, (study, run) in runs.items()}
    turns = []
    for _ in range(count + 1):
        turn = {}
        for run, steps in started.items():
            begun = time.perf_counter()
            next(steps)
            turn[run] = time.perf_counter() - begun
        turns.append(turn)
    return pd.DataFrame(turns[1:])


def step_operations(study: ScoreStudy, run: str) -> int:
    """Multiplications and additions of one training step of a run: what it costs whatever else the machine does."""
    with CountedOperations() as counted:
        next(_steps(study, run, count=1))
    return counted.total


def _steps(study: ScoreStudy, run: str, *, count: int) -> Iterator[TrainState]:
    """A training from the start that yields after each step."""
    made, settings = study.architecture, replace(study.settings.train, steps=count)
    random, device = torch.Generator().manual_seed(study.study.seed), study.study.device
    generator, discriminator = (network.to(device) for network in made.networks(random))
    alteration = study.alteration(run)
    state = new_state(generator, discriminator, settings, latent=made.latent, random=random)
    state.companions = alteration.companions
    variant = alteration.change(made.variant(discriminator))
    every = range(1, count + 1)
    return train(state, study.feed, settings, at=every, variant=variant, device=device)
