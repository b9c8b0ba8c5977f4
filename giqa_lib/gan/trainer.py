"""The one training loop of all GANs: it reads top to bottom and yields its state.

What makes a variant is an object passed in: the networks, the objective, the weights of
generated images (OHEM), an extra loss of the discriminator (a gradient penalty) or of the generator (an
auxiliary score), what it pays where several discriminators judge (GMAN), a schedule (progressive growing).
The loop has no flag. All randomness comes from one generator that is part of the state, so that a resumed run is the run that was never stopped; layers that
draw for themselves (dropout, noise) use torch's global generator, which is seeded for each step and put back.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from giqa_lib.checks import GiqaError, InputError, check_positive, check_probability, error_line
from giqa_lib.gan.aggregation import Aggregate, sum_of_losses
from giqa_lib.gan.feeds import Batch, Feed
from giqa_lib.gan.objectives import (
    NON_SATURATING,
    Objective,
    losses_per_judge,
    summed,
    weighted,
)

__all__ = ["Companion", "TrainSettings", "TrainState", "Variant", "new_state", "train"]

STEP_SEED = 0x9E3779B97F4A7C15  # large, so that neighbouring steps of neighbouring seeds differ


@dataclass(frozen=True, kw_only=True)
class TrainSettings:
    """Length and step sizes of a training run; steps count the generator's updates."""

    steps: int
    batch_size: int = 64
    generator_rate: float = 2e-4
    discriminator_rate: float = 2e-4
    betas: tuple[float, float] = (0.5, 0.999)
    discriminator_steps: int = 1

    def __post_init__(self) -> None:
        for name in (
            "steps",
            "batch_size",
            "generator_rate",
            "discriminator_rate",
            "discriminator_steps",
        ):
            check_positive(getattr(self, name), name=name)


def _equal_weights(fake: Tensor) -> Tensor:
    return fake.new_ones(len(fake))


def _no_discriminator_loss(real: Batch, fake: Tensor, random: torch.Generator) -> Tensor:
    return fake.new_zeros(())


def _no_generator_loss(fake: Tensor, real: Batch) -> Tensor:
    return fake.new_zeros(())


def _no_schedule(state: "TrainState") -> None:
    return None


def _normal_latents(count: int, latent: int, random: torch.Generator) -> Tensor:
    return torch.randn(count, latent, generator=random)


@dataclass(frozen=True, kw_only=True)
class Variant:
    """What is particular to one kind of GAN.

    ``discriminator_weights`` and ``generator_weights`` give one weight (n,) for each generated image;
    ``aggregate`` is what the generator pays where several discriminators judge, each of which pays its own
    loss; the extra losses are added to a player's own; ``before_step`` may change the networks by the step
    that the state is about to leave; ``draw_latents`` gives (count, width) latents. The defaults change
    nothing, bitwise.
    """

    objective: Objective = NON_SATURATING
    discriminator_weights: Callable[[Tensor], Tensor] = _equal_weights
    generator_weights: Callable[[Tensor], Tensor] = _equal_weights
    discriminator_extra: Callable[[Batch, Tensor, torch.Generator], Tensor] = _no_discriminator_loss
    generator_extra: Callable[[Tensor, Batch], Tensor] = _no_generator_loss
    aggregate: Aggregate = sum_of_losses
    before_step: Callable[["TrainState"], None] = _no_schedule
    draw_latents: Callable[[int, int, torch.Generator], Tensor] = _normal_latents


@runtime_checkable
class Companion(Protocol):
    """A part of a training beside the two players, such as a classifier that learns with them."""

    def tensors(self) -> dict[str, Tensor]:
        """Its state as a checkpoint takes it."""
        ...

    def load_tensors(self, tensors: Mapping[str, Tensor]) -> None:
        """Back to what :meth:`tensors` gave."""
        ...

    def numbers(self) -> dict[str, float]:
        """What the losses say of it after a step, by column; always the same columns."""
        ...


@dataclass(kw_only=True)
class TrainState:
    """Everything that the next step depends on, and the losses so far.

    ``average`` is the exponential moving average of the generator's weights, if one is kept. ``losses`` has
    a row a step: the step, the discriminator's loss, the generator's, where several judge each one's own, and
    the companions' numbers.
    """

    generator: nn.Module
    discriminator: nn.Module
    generator_optimizer: torch.optim.Optimizer
    discriminator_optimizer: torch.optim.Optimizer
    random: torch.Generator
    latent: int
    average: AveragedModel | None = None
    companions: Mapping[str, Companion] = field(default_factory=dict)
    step: int = 0
    losses: list[tuple[int | float, ...]] = field(default_factory=list)

    @property
    def best_generator(self) -> nn.Module:
        """The generator to sample from: the average where there is one."""
        return self.generator if self.average is None else self.average.module


def new_state(
    generator: nn.Module,
    discriminator: nn.Module,
    settings: TrainSettings,
    *,
    latent: int,
    random: torch.Generator,
    average_decay: float | None = None,
) -> TrainState:
    """A state at step 0 with an Adam optimiser for each player.

    With ``average_decay`` b the generator is averaged over steps, w' <- b w' + (1 - b) w; buffers are copied.
    """

    def adam(network: nn.Module, rate: float) -> torch.optim.Optimizer:
        return torch.optim.Adam(network.parameters(), lr=rate, betas=settings.betas, fused=True)

    average = None
    if average_decay is not None:
        check_probability(average_decay, name="average_decay")
        average = AveragedModel(generator, multi_avg_fn=get_ema_multi_avg_fn(average_decay))
    return TrainState(
        average=average,
        generator=generator,
        discriminator=discriminator,
        generator_optimizer=adam(generator, settings.generator_rate),
        discriminator_optimizer=adam(discriminator, settings.discriminator_rate),
        random=random,
        latent=latent,
    )


def train(
    state: TrainState,
    feed: Feed,
    settings: TrainSettings,
    *,
    at: Sequence[int],
    variant: Variant | None = None,
    device: str | torch.device = "cpu",
    progress: bool = False,
) -> Iterator[TrainState]:
    """Train from ``state.step`` to ``settings.steps``; yield the state at each step in ``at``.

    The state is changed in place. A loss that is not finite raises with its step.
    """
    variant = Variant() if variant is None else variant
    wanted = set(at)
    steps = range(state.step + 1, settings.steps + 1)
    for step in tqdm(
        steps,
        desc="training",
        unit="step",
        disable=not progress,
        initial=state.step,
        total=settings.steps,
    ):
        state.generator.train()  # whoever looked may have left them in evaluation mode
        state.discriminator.train()
        with _seeded(state.random.initial_seed() + STEP_SEED * step, device):
            losses = _step(state, feed, settings, variant, device)
        state.step = step
        beside = [n for each in state.companions.values() for n in each.numbers().values()]
        state.losses.append((step, *losses, *beside))
        if step in wanted:
            yield state


def _step(
    state: TrainState,
    feed: Feed,
    settings: TrainSettings,
    variant: Variant,
    device: str | torch.device,
) -> tuple[float, ...]:
    """One update of the generator after one or more of the discriminator; both losses, and each judge's."""
    objective, random, step = variant.objective, state.random, state.step + 1

    def latents() -> Tensor:
        return variant.draw_latents(settings.batch_size, state.latent, random).to(device)

    variant.before_step(state)
    # The discriminator learns to tell real from generated.
    for _ in range(settings.discriminator_steps):
        real = feed(settings.batch_size, random).to(device)
        with torch.no_grad():
            fake = state.generator(latents(), *real.condition)
        _check_same_size(real.images, fake)
        judged = state.discriminator(real.images, *real.condition)
        real_losses = losses_per_judge(objective.real_loss, judged)
        loss = summed(real_losses).mean()
        judged = state.discriminator(fake, *real.condition)
        fake_losses = losses_per_judge(objective.fake_loss, judged)
        fake_losses = weighted(fake_losses, variant.discriminator_weights(fake))
        loss = loss + summed(fake_losses).mean()
        loss = loss + variant.discriminator_extra(real, fake, random)
        _update(state.discriminator_optimizer, loss, step, "discriminator")
    # The generator learns to be taken for real; the discriminator's own gradients are not needed.
    state.discriminator.requires_grad_(False)
    try:
        fake = state.generator(latents(), *real.condition)
        judged = state.discriminator(fake, *real.condition)
        weights = variant.generator_weights(fake.detach())
        generator_loss = variant.aggregate(objective.generator_loss, judged, weights)
        generator_loss = generator_loss + variant.generator_extra(fake, real)
    finally:
        state.discriminator.requires_grad_(True)  # the graph is built
    _update(state.generator_optimizer, generator_loss, step, "generator")
    if state.average is not None:
        state.average.update_parameters(state.generator)
    both = float(loss.detach()), float(generator_loss.detach())
    return both if len(real_losses) == 1 else (*both, *_own_losses(real_losses, fake_losses))


def _check_same_size(real: Tensor, fake: Tensor) -> None:
    """A convolutional discriminator would judge larger images in parts, and nobody would notice."""
    if real.shape[1:] != fake.shape[1:]:
        expected = f"(n, {', '.join(map(str, fake.shape[1:]))}) as the generator's"
        got = f"shape {tuple(real.shape)}"
        hint = "resize or pad the images, or change the networks' image_size and channels"
        raise InputError(error_line("real images", expected=expected, got=got, hint=hint))


def _own_losses(real: Sequence[Tensor], fake: Sequence[Tensor]) -> list[float]:
    """What each of several judges pays."""
    return [float((r.mean() + f.mean()).detach()) for r, f in zip(real, fake, strict=True)]


@contextmanager
def _seeded(seed: int, device: str | torch.device) -> Iterator[None]:
    """Torch's global generator at ``seed`` inside, as it was outside."""
    place = torch.device(device)
    devices = [place] if place.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed % 2**63)
        yield


def _update(optimizer: torch.optim.Optimizer, loss: Tensor, step: int, player: str) -> None:
    if not torch.isfinite(loss):
        hint = "lower its learning rate, or look at the images for NaN"
        got = f"{float(loss.detach())} at step {step}"
        raise GiqaError(
            error_line(f"{player} loss", expected="a finite number", got=got, hint=hint)
        )
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
