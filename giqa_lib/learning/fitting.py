"""One loop that fits a network to images and targets, for learned scores and natural-image measures alike.

A method is a network, a source of batches and a loss, all passed in, so that methods differ in
nothing else: AdamW, its rate falling to zero by a half cosine, the best weights kept by a validation value that
the caller defines, an early stop when it no longer rises. Known departure: GIQA's official code descends by plain gradients
with momentum and divides the rate by ten at each quarter of 112 epochs; in the few epochs that a CPU can
do, that left BC-GIQA where it began. All randomness comes from one
generator that is part of the state: a run that was killed ends bitwise as if it had not been.
"""

import copy
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike
from scipy.stats import spearmanr
from torch import Tensor, nn
from tqdm import tqdm

from giqa_lib.checkpoints import (
    below,
    load_optimizer,
    optimizer_tensors,
    read_checkpoint,
    remove_checkpoints,
    write_checkpoint,
)
from giqa_lib.checks import GiqaError, check_positive, error_line

__all__ = ["FitSettings", "Fitted", "fit", "rank_correlation"]

Draw = Callable[[torch.Generator], tuple[Tensor, Tensor]]
Loss = Callable[[Tensor, Tensor], Tensor]
Validate = Callable[[nn.Module], float]


@dataclass(frozen=True, kw_only=True)
class FitSettings:
    """Length and step size.

    Attributes
    ----------
    steps : at most so many updates.
    batch_size : images an update.
    learning_rate, weight_decay : AdamW's; the rate is that of the first step.
    check_every : updates between validations (and checkpoints).
    patience : validations without a better value before it stops.
    """

    steps: int
    batch_size: int = 64
    learning_rate: float = 3e-3
    weight_decay: float = 5e-4
    check_every: int = 50
    patience: int = 6

    def __post_init__(self) -> None:
        for name in ("steps", "batch_size", "learning_rate", "check_every", "patience"):
            check_positive(getattr(self, name), name=name)
        check_positive(self.weight_decay, name="weight_decay", zero=True)


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """The network with its best weights, in evaluation mode, and how it got there.

    ``history`` has one row a validation: ``step``, ``loss`` (the mean since the last one), ``value``.
    """

    network: nn.Module
    best_step: int
    best_value: float
    history: pd.DataFrame


@dataclass(kw_only=True)
class _State:
    network: nn.Module
    optimizer: torch.optim.Optimizer
    random: torch.Generator
    best: dict[str, Tensor]
    best_step: int = 0
    best_value: float = -math.inf
    step: int = 0

    def __post_init__(self) -> None:
        self.history: list[tuple[int, float, float]] = []


def fit(
    network: nn.Module,
    draw: Draw,
    loss: Loss,
    validate: Validate,
    settings: FitSettings,
    *,
    random: torch.Generator,
    folder: Path | None = None,
    config: Mapping[str, Any] | None = None,
    device: str | torch.device = "cpu",
    progress: bool = False,
) -> Fitted:
    """Fit ``network`` in place.

    Parameters
    ----------
    draw : ``draw(random)`` gives one batch, images and targets, first axes of one length or as the loss wants them.
    loss : ``loss(outputs, targets)``, a number that falls.
    validate : a number of the network (in evaluation mode) that rises; the best is kept.
    folder, config : where to keep checkpoints, and what decides the run; a checkpoint of another ``config`` is refused.

    Raises :class:`giqa_lib.checks.GiqaError` with the step if the loss is not finite.

    >>> x = torch.linspace(-1, 1, 8)[:, None]
    >>> settings = FitSettings(steps=200, check_every=50, learning_rate=0.1)
    >>> line = nn.Linear(1, 1)
    >>> found = fit(line, lambda random: (x, 2 * x), nn.functional.mse_loss,
    ...             lambda network: -float((network(x) - 2 * x).square().mean()), settings,
    ...             random=torch.Generator().manual_seed(0))
    >>> found.best_value > -0.1
    True
    """
    network = network.to(device)
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
    )
    state = _State(network=network, optimizer=optimizer, random=random, best=_weights(network))
    if folder is not None:
        _resume(folder, state, config or {})
    _run(state, draw, loss, validate, settings, folder, config or {}, device, progress)
    network.load_state_dict(state.best)
    if folder is not None:
        remove_checkpoints(folder)
    return Fitted(
        network=network.eval(),
        best_step=state.best_step,
        best_value=state.best_value,
        history=pd.DataFrame(state.history, columns=["step", "loss", "value"]),
    )


def _run(
    state: _State,
    draw: Draw,
    loss: Loss,
    validate: Validate,
    settings: FitSettings,
    folder: Path | None,
    config: Mapping[str, Any],
    device: str | torch.device,
    progress: bool,
) -> None:
    losses: list[float] = []
    steps = range(state.step + 1, settings.steps + 1)
    bar = tqdm(
        steps,
        desc="fitting",
        unit="step",
        disable=not progress,
        initial=state.step,
        total=settings.steps,
    )
    for step in bar:
        if _exhausted(state, settings):
            break
        for group in state.optimizer.param_groups:
            group["lr"] = settings.learning_rate * _half_cosine((step - 1) / settings.steps)
        images, targets = draw(state.random)
        state.network.train()
        with _drawing_by(state.random.initial_seed() + step, torch.device(device)):
            value = loss(state.network(images.to(device)), targets.to(device))
        if not torch.isfinite(value):
            hint = "lower the learning rate, or look at the images for NaN"
            got = f"{float(value.detach())} at step {step}"
            raise GiqaError(error_line("loss", expected="a finite number", got=got, hint=hint))
        state.optimizer.zero_grad(set_to_none=True)
        value.backward()
        state.optimizer.step()
        state.step = step
        losses.append(float(value.detach()))
        if step % settings.check_every == 0 or step == settings.steps:
            _check(state, validate, sum(losses) / len(losses))
            losses = []
            if folder is not None:
                write_checkpoint(folder, _tensors(state), step=step, config=config)


def rank_correlation(scores: ArrayLike, labels: ArrayLike) -> float:
    """Spearman's, in [-1, 1], to choose weights by; 0 for a constant score, which orders nothing.

    >>> rank_correlation([1.0, 1.0, 1.0], [0.0, 1.0, 2.0]), round(rank_correlation([1.0, 3.0, 2.0], [0.0, 1.0, 2.0]), 3)
    (0.0, 0.5)
    """
    first, second = np.asarray(scores, dtype=float), np.asarray(labels, dtype=float)
    return 0.0 if np.ptp(first) == 0 else float(spearmanr(first, second).statistic)


def _half_cosine(share: float) -> float:
    """From 1 at the start to 0 at the end."""
    return 0.5 * (1 + math.cos(math.pi * share))


@contextmanager
def _drawing_by(seed: int, device: torch.device) -> Iterator[None]:
    """Layers that draw by themselves (dropout) draw by the step, so that a resumed run draws the same."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed % 2**63)
        yield


def _check(state: _State, validate: Validate, mean_loss: float) -> None:
    state.network.eval()
    with torch.no_grad():
        value = validate(state.network)
    state.history.append((state.step, mean_loss, value))
    if value > state.best_value:
        state.best_value, state.best_step = value, state.step
        state.best = _weights(state.network)


def _exhausted(state: _State, settings: FitSettings) -> bool:
    since = [step for step, _, _ in state.history if step > state.best_step]
    return len(since) >= settings.patience


def _weights(network: nn.Module) -> dict[str, Tensor]:
    return copy.deepcopy(network.state_dict())


def _tensors(state: _State) -> dict[str, Tensor]:
    found = {
        "random": state.random.get_state(),
        "history": torch.tensor(state.history, dtype=torch.float64).reshape(-1, 3),
        "best_step": torch.tensor(state.best_step),
    }
    found |= {f"network.{key}": value for key, value in state.network.state_dict().items()}
    found |= {f"best.{key}": value for key, value in state.best.items()}
    moments = optimizer_tensors(state.optimizer)
    return found | {f"optimizer.{key}": value for key, value in moments.items()}


def _resume(folder: Path, state: _State, config: Mapping[str, Any]) -> None:
    found = read_checkpoint(folder, config)
    if found is None:
        return
    tensors, state.step = found
    state.network.load_state_dict(below(tensors, "network"))
    state.best = below(tensors, "best")
    load_optimizer(state.optimizer, below(tensors, "optimizer"))
    state.random.set_state(tensors["random"])
    state.history = [(int(s), loss, value) for s, loss, value in tensors["history"].tolist()]
    state.best_step = int(tensors["best_step"])
    state.best_value = max((value for _, _, value in state.history), default=-math.inf)
