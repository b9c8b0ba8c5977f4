r"""AttGF-IQA's training on pairs of several domains (Tian et al. 2022, Eq. 18 and 19, Algorithm 1), or without meta-learning."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float64
from numpy.typing import NDArray
from torch import Tensor
from torch.func import functional_call
from tqdm import tqdm

from giqa_lib.checkpoints import (
    below,
    load_optimizer,
    optimizer_tensors,
    read_checkpoint,
    remove_checkpoints,
    write_checkpoint,
)
from giqa_lib.checks import GiqaError, InputError, check_choice, check_positive, error_line
from giqa_lib.data import QualityDatabase
from giqa_lib.iqa.attgf import AttGF, AttGFSettings, attgf_inputs
from giqa_lib.iqa.meta_learning import META_ORDERS, meta_gradient
from giqa_lib.iqa.pair_objectives import centre_loss, focal_rank_loss, score_regression_loss

__all__ = ["AttGFTraining", "attgf_scores", "fit_attgf"]

Batch = tuple[
    Tensor, Tensor, Tensor, bool
]  # images and maps of (better, worse), pseudo-scores, regressed


@dataclass(frozen=True, kw_only=True)
class AttGFTraining:
    """Length, rate and weights; the weights lambda_0 to lambda_4 are the paper's (Section V-A).

    ``meta`` is "first" or "second" (the order of Algorithm 1's gradient) or "none": every domain's training loss and
    no inner step. ``regressed`` names the domain with the score regression of Eq. 17, or is empty.
    """

    steps: int
    pairs: int = 10
    learning_rate: float = 1e-3
    weight_decay: float = 5e-5
    inner_rate: float = 1e-3
    meta: str = "first"
    focus: float = 2.0
    rank: float = 10.0
    centre: float = 0.01
    regression: float = 1.0
    test_rank: float = 10.0
    test_centre: float = 0.01
    regressed: str = ""
    check_every: int = 100

    def __post_init__(self) -> None:
        check_choice(self.meta, (*META_ORDERS, "none"), name="meta")
        for name in ("steps", "pairs", "learning_rate", "check_every"):
            check_positive(getattr(self, name), name=name)
        for name in ("weight_decay", "inner_rate", "focus", "rank", "centre", "regression"):
            check_positive(getattr(self, name), name=name, zero=True)


def fit_attgf(
    database: QualityDatabase,
    settings: AttGFSettings,
    training: AttGFTraining,
    *,
    seed: int,
    folder: Path | None = None,
    progress: bool = False,
) -> AttGF:
    """A network trained on the database's pairs, in evaluation mode; resumes from a checkpoint in ``folder`` bitwise.

    Raises ``InputError`` for a domain without two images or without pairs, ``GiqaError`` with the step for a loss that
    is not finite.
    """
    _check_domains(database)
    random = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = AttGF(settings)
    optimizer = torch.optim.Adam(
        network.parameters(), lr=training.learning_rate, weight_decay=training.weight_decay
    )
    config = {**settings.describe(), "training": asdict(training), "seed": seed}
    begun = _resume(folder, network, optimizer, random, config)
    images, maps = attgf_inputs(database.images, database.maps, parts=settings.parts)
    for step in tqdm(range(begun + 1, training.steps + 1), desc="AttGF-IQA", unit="step",
                     disable=not progress, initial=begun, total=training.steps):  # fmt: skip
        network.train()
        batches = [
            _draw(database, images, maps, place, training, random)
            for place in range(len(database.domains))
        ]
        loss = _step(network, optimizer, batches, training)
        if not np.isfinite(loss):
            hint = "lower the learning rate, or look at the images for NaN"
            got = f"{loss} at step {step}"
            raise GiqaError(error_line("loss", expected="a finite number", got=got, hint=hint))
        if folder is not None and step % training.check_every == 0:
            write_checkpoint(folder, _tensors(network, optimizer, random), step=step, config=config)
    if folder is not None:
        remove_checkpoints(folder)
    return network.eval()


@torch.no_grad()
def attgf_scores(
    network: AttGF, database: QualityDatabase, *, batch: int = 64
) -> Float64[NDArray[np.float64], " n"]:
    """Scores (n,) of a database's images; they do not depend on the batch."""
    network.eval()
    parts = []
    for first in range(0, len(database), batch):
        rows = slice(first, first + batch)
        inputs = attgf_inputs(
            database.images[rows], database.maps[rows], parts=network.settings.parts
        )
        parts.append(network(*inputs)[0])
    return torch.cat(parts).double().numpy()


def _check_domains(database: QualityDatabase) -> None:
    for place, name in enumerate(database.domains):
        count = int((database.domain == place).sum())
        paired = int((database.domain[database.pairs[:, 0]] == place).sum())
        if count < 2 or paired == 0:
            hint = "a domain to train on needs two images and a pair of them, or leave it out"
            got = f"{count} images, {paired} pairs"
            raise InputError(
                error_line(f"domain {name}", expected="2 images and a pair", got=got, hint=hint)
            )


def _draw(
    database: QualityDatabase,
    images: Tensor,
    maps: Tensor,
    place: int,
    training: AttGFTraining,
    random: torch.Generator,
) -> Batch:
    own = (database.domain[database.pairs[:, 0]] == place).nonzero()[:, 0]
    chosen = own[torch.randint(len(own), (training.pairs,), generator=random)]
    better, worse = database.pairs[chosen].unbind(1)
    rows = torch.cat([better, worse])
    regressed = database.domains[place] == training.regressed
    return images[rows], maps[rows], database.pseudo[rows].float(), regressed


def _loss(
    network: AttGF,
    parameters: Mapping[str, Tensor],
    batch: Batch,
    training: AttGFTraining,
    rank: float,
    centre: float,
) -> Tensor:
    """Eq. 18's or 19's sum for one domain."""
    images, maps, pseudo, regressed = batch
    scores, features = functional_call(network, dict(parameters), (images, maps))
    half = len(images) // 2
    yes = torch.ones(half, dtype=torch.bool)
    loss = rank * focal_rank_loss(scores[:half], scores[half:], yes, focus=training.focus)
    centres = parameters["centres"]
    loss = loss + centre * centre_loss(features[:half], features[half:], yes, centres)
    if regressed:
        loss = loss + training.regression * score_regression_loss(scores, pseudo)
    return loss


def _step(
    network: AttGF, optimizer: torch.optim.Optimizer, batches: list[Batch], training: AttGFTraining
) -> float:
    parameters = dict(network.named_parameters())

    def train_loss(given: Mapping[str, Tensor], batch: Batch) -> Tensor:
        return _loss(network, given, batch, training, training.rank, training.centre)

    def test_loss(given: Mapping[str, Tensor], batch: Batch) -> Tensor:
        return _loss(network, given, batch, training, training.test_rank, training.test_centre)

    if training.meta == "none":
        loss = torch.stack([train_loss(parameters, batch) for batch in batches]).mean()
        found = torch.autograd.grad(loss, list(parameters.values()), materialize_grads=True)
        gradients, value = dict(zip(parameters, found, strict=True)), float(loss.detach())
    else:
        gradients, value = meta_gradient(train_loss, test_loss, parameters, batches,
                                         inner_rate=training.inner_rate, order=training.meta)  # fmt: skip
    for name, parameter in parameters.items():
        parameter.grad = gradients[name]
    optimizer.step()
    return value


def _tensors(
    network: AttGF, optimizer: torch.optim.Optimizer, random: torch.Generator
) -> dict[str, Tensor]:
    found = {"random": random.get_state()}
    found |= {f"network.{key}": value for key, value in network.state_dict().items()}
    moments = optimizer_tensors(optimizer)
    return found | {f"optimizer.{key}": value for key, value in moments.items()}


def _resume(
    folder: Path | None,
    network: AttGF,
    optimizer: torch.optim.Optimizer,
    random: torch.Generator,
    config: Mapping[str, Any],
) -> int:
    found = None if folder is None else read_checkpoint(folder, config)
    if found is None:
        return 0
    tensors, step = found
    network.load_state_dict(below(tensors, "network"))
    load_optimizer(optimizer, below(tensors, "optimizer"))
    random.set_state(tensors["random"])
    return step
