"""The one training loop of all GANs: it reads top to bottom and yields its state.

What makes a variant is an object passed in: the networks, the objective, the weights of
generated images (OHEM), an extra loss of the discriminator (a gradient penalty) or of the generator (an
auxiliary score). The loop has no flag. All randomness comes from one generator that is part of the state,
so that a resumed run is the run that was never stopped.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn
from tqdm import tqdm

from giqa_lib.checks import GiqaError, check_images, check_positive, error_line
from giqa_lib.gan.objectives import NON_SATURATING, Objective

__all__ = ["TrainSettings", "TrainState", "Variant", "new_state", "to_pixels", "to_unit", "train"]


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


def _no_discriminator_loss(real: Tensor, fake: Tensor, random: torch.Generator) -> Tensor:
    return real.new_zeros(())


def _no_generator_loss(fake: Tensor) -> Tensor:
    return fake.new_zeros(())


@dataclass(frozen=True, kw_only=True)
class Variant:
    """What is particular to one kind of GAN.

    ``discriminator_weights`` and ``generator_weights`` give one weight (n,) for each generated image;
    the extra losses are added to a player's own. The defaults change nothing, bitwise.
    """

    objective: Objective = NON_SATURATING
    discriminator_weights: Callable[[Tensor], Tensor] = _equal_weights
    generator_weights: Callable[[Tensor], Tensor] = _equal_weights
    discriminator_extra: Callable[[Tensor, Tensor, torch.Generator], Tensor] = (
        _no_discriminator_loss
    )
    generator_extra: Callable[[Tensor], Tensor] = _no_generator_loss


@dataclass(kw_only=True)
class TrainState:
    """Everything that the next step depends on, and the losses so far."""

    generator: nn.Module
    discriminator: nn.Module
    generator_optimizer: torch.optim.Optimizer
    discriminator_optimizer: torch.optim.Optimizer
    random: torch.Generator
    latent: int
    step: int = 0
    losses: list[tuple[int, float, float]] = field(default_factory=list)


def new_state(
    generator: nn.Module,
    discriminator: nn.Module,
    settings: TrainSettings,
    *,
    latent: int,
    random: torch.Generator,
) -> TrainState:
    """A state at step 0 with an Adam optimiser for each player."""

    def adam(network: nn.Module, rate: float) -> torch.optim.Optimizer:
        return torch.optim.Adam(network.parameters(), lr=rate, betas=settings.betas, fused=True)

    return TrainState(
        generator=generator,
        discriminator=discriminator,
        generator_optimizer=adam(generator, settings.generator_rate),
        discriminator_optimizer=adam(discriminator, settings.discriminator_rate),
        random=random,
        latent=latent,
    )


def to_unit(images: UInt8[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
    """Pixels 0..255 to [-1, 1].

    >>> to_unit(torch.tensor([[[[0, 255]]]], dtype=torch.uint8)).flatten().tolist()
    [-1.0, 1.0]
    """
    return images.float() / 127.5 - 1


def to_pixels(images: Float[Tensor, "n c h w"]) -> UInt8[Tensor, "n c h w"]:
    """[-1, 1] to the nearest of 0..255.

    >>> to_pixels(torch.tensor([[[[-1.0, 1.0]]]])).flatten().tolist()
    [0, 255]
    """
    return ((images + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)


def train(
    state: TrainState,
    images: UInt8[Tensor, "n c h w"],
    settings: TrainSettings,
    *,
    at: Sequence[int],
    variant: Variant | None = None,
    device: str | torch.device = "cpu",
    progress: bool = False,
) -> Iterator[TrainState]:
    """Train from ``state.step`` to ``settings.steps``; yield the state at each step in ``at``.

    The state is changed in place. Each batch is a random draw of the images with replacement. A loss
    that is not finite raises with its step.
    """
    check_images(images)
    variant = Variant() if variant is None else variant
    objective, random = variant.objective, state.random
    wanted = set(at)

    def latents() -> Tensor:
        return torch.randn(settings.batch_size, state.latent, generator=random).to(device)

    def real_batch() -> Tensor:
        rows = torch.randint(len(images), (settings.batch_size,), generator=random)
        batch = to_unit(images[rows]).to(device)
        return batch.contiguous(memory_format=torch.channels_last)

    state.generator.train()
    state.discriminator.train()
    steps = range(state.step + 1, settings.steps + 1)
    for step in tqdm(
        steps,
        desc="training",
        unit="step",
        disable=not progress,
        initial=state.step,
        total=settings.steps,
    ):
        # The discriminator learns to tell real from generated.
        for _ in range(settings.discriminator_steps):
            real = real_batch()
            with torch.no_grad():
                fake = state.generator(latents())
            loss = objective.real_loss(state.discriminator(real)).mean()
            fake_loss = objective.fake_loss(state.discriminator(fake))
            loss = loss + (variant.discriminator_weights(fake) * fake_loss).mean()
            loss = loss + variant.discriminator_extra(real, fake, random)
            _update(state.discriminator_optimizer, loss, step, "discriminator")
        # The generator learns to be taken for real; the discriminator's own gradients are not needed.
        state.discriminator.requires_grad_(False)
        fake = state.generator(latents())
        own = objective.generator_loss(state.discriminator(fake))
        generator_loss = (variant.generator_weights(fake.detach()) * own).mean()
        generator_loss = generator_loss + variant.generator_extra(fake)
        state.discriminator.requires_grad_(True)  # the graph is built; restored even if it raises
        _update(state.generator_optimizer, generator_loss, step, "generator")
        state.step = step
        state.losses.append((step, float(loss.detach()), float(generator_loss.detach())))
        if step in wanted:
            yield state
            state.generator.train()  # whoever looked may have left them in evaluation mode
            state.discriminator.train()


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
