"""What a training step costs with and without a score."""

import time
from collections.abc import Sequence
from dataclasses import replace

import pandas as pd
import torch

from giqa_lib.applications.score_guided import ScoreStudy
from giqa_lib.gan import new_state, train

__all__ = ["step_seconds"]


def step_seconds(study: ScoreStudy, runs: Sequence[str], *, count: int) -> pd.DataFrame:
    """Seconds of ``count`` training steps of each run, taken in turn so that what else the machine does falls on all.

    One row a turn, a column a run; a first step of each is not counted.
    """
    made, settings = study.architecture, replace(study.settings.train, steps=count + 1)
    started = {}
    for run in runs:
        random = torch.Generator().manual_seed(study.study.seed)
        generator, discriminator = made.networks(random)
        players = generator.to(study.study.device), discriminator.to(study.study.device)
        alteration = study.alteration(run)
        state = new_state(*players, settings, latent=made.latent, random=random)
        state.companions = alteration.companions
        variant = alteration.change(made.variant(players[1]))
        every = range(1, settings.steps + 1)
        started[run] = train(
            state, study.feed, settings, at=every, variant=variant, device=study.study.device
        )
    turns = []
    for _ in range(settings.steps):
        turn = {}
        for run, steps in started.items():
            begun = time.perf_counter()
            next(steps)
            turn[run] = time.perf_counter() - begun
        turns.append(turn)
    return pd.DataFrame(turns[1:])
