r"""Meta-IQA (Zhu et al., CVPR 2020) on known damage: a quality that adapts to a kind of damage from few examples.

Each kind of damage is a task. In a step some tasks are drawn, each with a batch to adapt to and another to answer for,

.. math:: \theta_t' = \mathrm{Adam}(L_{t,\text{support}}, \theta), \qquad
    g = \frac1T \sum_t \bigl(\nabla L_{t,\text{support}}(\theta) + \nabla L_{t,\text{query}}(\theta_t')\bigr),

the gradient at :math:`\theta'` taken for that at :math:`\theta`, as its code does. Losses are squared errors of quality. Known departures: the
code's outer step moves theta towards theta' and a second step after it, here Adam follows g; a small network from scratch
instead of ResNet-18; no fine-tuning on the target's opinions, since a measure is to judge what nobody has judged.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch
from jaxtyping import UInt8
from torch import Tensor
from torch.func import functional_call

from giqa_lib.checks import InputError, check_positive, error_line
from giqa_lib.data import degrade
from giqa_lib.iqa.baselines import NaturalScore
from giqa_lib.iqa.descent import DescentSettings, descend
from giqa_lib.iqa.examples import KINDS
from giqa_lib.iqa.meta_learning import InnerStep, domain_gradients, gradient_of, inner_step
from giqa_lib.learning import (
    NetworkSettings,
    check_pixels,
    content_digest,
    new_network,
    random_crops,
)
from giqa_lib.store import Store

__all__ = ["MetaIQASettings", "fetch_meta_iqa", "fit_meta_iqa"]

REVISION = 1  # raise it when a change of the code changes what is trained
LEVELS = 4  # of a damage in a batch

Parameters = Mapping[str, Tensor]


@dataclass(frozen=True, kw_only=True)
class MetaIQASettings:
    """Descent, the inner step, tasks a step, images a batch, the share of the side that a crop has, the network's width."""

    descent: DescentSettings
    inner: InnerStep = field(default_factory=InnerStep)
    tasks: int = 4
    batch_size: int = 16
    crop: float = 0.875
    width: int = 16

    def __post_init__(self) -> None:
        for name in ("tasks", "batch_size", "crop", "width"):
            check_positive(getattr(self, name), name=name)
        if self.tasks > len(KINDS):
            got, hint = str(self.tasks), "lower tasks"
            raise InputError(
                error_line("tasks", expected=f"at most {len(KINDS)}", got=got, hint=hint)
            )


def fit_meta_iqa(
    images: UInt8[Tensor, "n c h w"],
    settings: MetaIQASettings,
    *,
    seed: int,
    folder: Path | None = None,
    config: Mapping[str, Any] | None = None,
    device: str | torch.device = "cpu",
    progress: bool = False,
) -> NaturalScore:
    """Train on degraded copies of real images; a score like the baselines', that of RankIQA's kind: a crop to a number.

    >>> images = torch.randint(0, 255, (12, 1, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    >>> small = MetaIQASettings(descent=DescentSettings(steps=2), tasks=2, batch_size=8, width=4)
    >>> fit_meta_iqa(images, small, seed=0)(images).shape
    (12,)
    """
    check_pixels(images)
    random = torch.Generator().manual_seed(seed)
    side = max(4, round(min(images.shape[2:]) * settings.crop))
    shape = NetworkSettings(channels=images.shape[1], patch=side, outputs=1, width=settings.width)
    network = new_network(shape, random).to(device).train()
    buffers = dict(network.named_buffers())

    def batch(kind: str, random: torch.Generator) -> tuple[Tensor, Tensor]:
        size = (settings.batch_size,)
        chosen = images[torch.randint(len(images), size, generator=random)]
        parts, quality = [], []
        for group in chosen.tensor_split(min(LEVELS, len(chosen))):
            level = float(torch.rand((), generator=random))
            parts.append(degrade(group, kind, level, random))
            quality.append(torch.full((len(group),), 1 - level))
        crops = random_crops(torch.cat(parts), side, random)
        return crops.to(device), torch.cat(quality).to(device)

    def gradient(random: torch.Generator) -> tuple[Mapping[str, Tensor], float]:
        chosen = torch.randperm(len(KINDS), generator=random)[: settings.tasks].tolist()
        kinds = [KINDS[place] for place in chosen]
        support, query = ({kind: batch(kind, random) for kind in kinds} for _ in range(2))

        def losses(parameters: Parameters, testing: bool) -> dict[str, Tensor]:
            kept = {name: value.clone() for name, value in buffers.items()} if testing else buffers
            drawn = (query if testing else support).values()
            together = torch.cat([crops for crops, _ in drawn])  # normalised as when it scores
            outputs = functional_call(network, {**parameters, **kept}, (together,))
            parts = outputs[:, 0].split(settings.batch_size)
            return {
                kind: (part - quality).square().mean()
                for kind, part, (_, quality) in zip(kinds, parts, drawn, strict=True)
            }

        parameters = dict(network.named_parameters())
        taught, values = domain_gradients(losses, parameters, graph=False)
        total = {name: torch.zeros_like(value) for name, value in parameters.items()}
        value = sum(values.values()) / settings.tasks
        for kind in kinds:
            moved = inner_step(parameters, taught[kind], settings.inner)
            moved = {name: there.detach().requires_grad_() for name, there in moved.items()}
            tested = losses(moved, True)[kind]
            after = gradient_of(tested, moved, graph=False)
            for name in total:
                total[name] += (taught[kind][name] + after[name]) / settings.tasks
            value += float(tested.detach()) / settings.tasks
        return total, value

    descend(
        network,
        gradient,
        settings.descent,
        random=random,
        folder=folder,
        config=config,
        progress=progress,
    )
    return NaturalScore(measure="Meta-IQA", network=network.eval(), settings=shape)


def fetch_meta_iqa(
    store: Store,
    images: UInt8[Tensor, "n c h w"],
    settings: MetaIQASettings,
    *,
    seed: int,
    device: str | torch.device = "cpu",
    progress: bool = False,
) -> NaturalScore:
    """Meta-IQA from the store; trained first if it is not there, from a checkpoint if one is."""
    config = {
        "images": content_digest(images),
        "shape": list(images.shape),
        "settings": asdict(settings),
        "seed": seed,
        "revision": REVISION,
    }

    def make(folder: Path) -> NaturalScore:
        return fit_meta_iqa(
            images,
            settings,
            seed=seed,
            folder=folder,
            config=config,
            device=device,
            progress=progress,
        )

    return store.fetch_saved("meta_iqa", config, make, partial(NaturalScore.load, device=device))
