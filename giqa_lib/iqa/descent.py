"""One loop that follows gradients which are not those of one loss: Adam, a rate that falls in steps, exact resume.

The gradient comes from a function, so that training with and without meta-learning differ in nothing else. All
randomness comes from one generator that is part of the state.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
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

__all__ = ["DescentSettings", "Gradient", "descend"]

#: ``gradient(random)``: the gradient of each parameter by name at the module's present values, and a loss that falls.
Gradient = Callable[[torch.Generator], tuple[Mapping[str, Tensor], float]]
DROP = 5.0  # "reduced by 5", Section V-A of AttGF-IQA


@dataclass(frozen=True, kw_only=True)
class DescentSettings:
    """How many steps, Adam's rate and weight decay, and how often the rate is divided by five, evenly.

    The paper has a rate of 1e-5, a decay of 5e-5 and nine drops in a hundred epochs.
    """

    steps: int
    rate: float = 1e-3
    weight_decay: float = 5e-5
    drops: int = 2
    check_every: int = 100

    def __post_init__(self) -> None:
        for name in ("steps", "rate", "check_every"):
            check_positive(getattr(self, name), name=name)
        for name in ("weight_decay", "drops"):
            check_positive(getattr(self, name), name=name, zero=True)

    def rate_at(self, step: int) -> float:
        """The rate of step 0, 1, ...

        >>> [round(DescentSettings(steps=6, rate=1.0).rate_at(step), 2) for step in (0, 1, 2, 5)]
        [1.0, 1.0, 0.2, 0.04]
        """
        return self.rate / DROP ** (step * (self.drops + 1) // self.steps)


def descend(
    module: nn.Module,
    gradient: Gradient,
    settings: DescentSettings,
    *,
    random: torch.Generator,
    folder: Path | None = None,
    config: Mapping[str, Any] | None = None,
    progress: bool = False,
) -> list[float]:
    """Follow ``gradient`` with Adam, in place; the mean loss since the last check at each of them.

    With ``folder`` a killed run is taken up again, bitwise; a checkpoint of another ``config`` is refused. Raises
    :class:`giqa_lib.checks.GiqaError` with the step where the loss is not finite.

    >>> line = nn.Linear(1, 1, bias=False)
    >>> def towards_two(random): return {"weight": 2 * (line.weight.detach() - 2)}, float((line.weight.detach() - 2) ** 2)
    >>> _ = descend(line, towards_two, DescentSettings(steps=300, rate=0.1), random=torch.Generator())
    >>> round(float(line.weight.detach()), 2)
    2.0
    """
    parameters = dict(module.named_parameters())
    optimiser = torch.optim.Adam(
        parameters.values(), lr=settings.rate, weight_decay=settings.weight_decay
    )
    losses: list[float] = []
    start = 0
    found = None if folder is None else read_checkpoint(folder, config or {})
    if found is not None:
        tensors, start = found
        module.load_state_dict(below(tensors, "module"))
        load_optimizer(optimiser, below(tensors, "optimiser"))
        random.set_state(tensors["random"])
        losses = tensors["losses"].tolist()
    since: list[float] = []
    steps = range(start, settings.steps)
    bar = tqdm(steps, desc="descending", disable=not progress, initial=start, total=settings.steps)
    for step in bar:
        found_gradient, loss = gradient(random)
        if not torch.isfinite(torch.tensor(loss)):
            hint = "lower the rate, or look at the images"
            got = f"{loss} at step {step + 1}"
            raise GiqaError(error_line("loss", expected="a finite number", got=got, hint=hint))
        for group in optimiser.param_groups:
            group["lr"] = settings.rate_at(step)
        for name, parameter in parameters.items():
            parameter.grad = found_gradient[name]
        optimiser.step()
        since.append(loss)
        if (step + 1) % settings.check_every == 0 or step + 1 == settings.steps:
            losses.append(sum(since) / len(since))
            since = []
            if folder is not None:
                tensors = _tensors(module, optimiser, random, losses)
                write_checkpoint(folder, tensors, step=step + 1, config=config or {})
    if folder is not None:
        remove_checkpoints(folder)
    return losses


def _tensors(
    module: nn.Module,
    optimiser: torch.optim.Optimizer,
    random: torch.Generator,
    losses: list[float],
) -> dict[str, Tensor]:
    found = {
        "random": random.get_state(),
        "losses": torch.tensor(losses, dtype=torch.float64),
    }
    found |= {f"module.{name}": value for name, value in module.state_dict().items()}
    moments = optimizer_tensors(optimiser)
    return found | {f"optimiser.{name}": value for name, value in moments.items()}
