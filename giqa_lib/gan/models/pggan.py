r"""PGGAN (Karras et al. 2018): both networks grow from 4 pixels, each new resolution faded in.

``growth`` g says how far: after k whole doublings g = k; at :math:`g = k - 1 + \alpha` the new layers' image
is mixed in with weight :math:`\alpha`, and so is the new first layer of the discriminator. The
generator's image is enlarged to full size by repeating pixels and the discriminator averages what it
is given down to its own resolution, so that the training loop sees one size. Equalised
learning rate, pixel norm, minibatch standard deviation, WGAN-GP with a drift term, and a moving
average of the generator are the paper's. Departures: g follows the training steps rather than images
shown; real images are not faded (the official code does); the batch size stays.
"""

import itertools
import math
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from giqa_lib.checks import InputError, check_choice, check_positive, check_probability, error_line
from giqa_lib.gan.feeds import Batch
from giqa_lib.gan.models.construction import built
from giqa_lib.gan.models.equalised import (
    EqualisedConv2d,
    EqualisedLinear,
    minibatch_deviation,
    pixel_norm,
)
from giqa_lib.gan.objectives import WASSERSTEIN, gradient_penalty
from giqa_lib.gan.trainer import TrainSettings, TrainState, Variant

__all__ = ["GrowingDiscriminator", "GrowingGenerator", "PGGANSettings", "stage_widths"]

FIRST_SIDE = 4
LEAK = 0.2
DRIFT = 1e-3  # Appendix A.1: keeps the critic's values near 0


def check_growing_sizes(image_size: int, channels: int, width: int, most: int, latent: int) -> None:
    """Refuse what the growing networks cannot be built with."""
    for name, value in (("width", width), ("most_width", most), ("latent", latent)):
        check_positive(value, name=name)
    check_choice(str(channels), ("1", "3"), name="channels")
    known = [FIRST_SIDE * 2**k for k in range(1, 9)]
    if image_size not in known:
        hint, got = "pad or resize the images", str(image_size)
        raise InputError(error_line("image_size", expected="8, 16, ..., 1024", got=got, hint=hint))


def stage_widths(image_size: int, width: int, most: int) -> list[int]:
    """Channels at 4, 8, ..., ``image_size`` pixels: ``width`` at the last, doubled before it up to ``most``.

    >>> stage_widths(32, 16, 64)
    [64, 64, 32, 16]
    """
    doublings = int(math.log2(image_size // FIRST_SIDE))
    return [min(most, width * 2**k) for k in reversed(range(doublings + 1))]


def growing_training(steps: int, batch_size: int) -> TrainSettings:
    """Both papers' optimiser: Adam(1e-3; 0, 0.99), one discriminator step."""
    return TrainSettings(
        steps=steps,
        batch_size=batch_size,
        generator_rate=1e-3,
        discriminator_rate=1e-3,
        betas=(0.0, 0.99),
    )


@dataclass(frozen=True, kw_only=True)
class PGGANSettings:
    """``width`` channels at the image's resolution, doubled below it up to ``most_width``.

    Each of the 2k + 1 phases (4 pixels; fade in, then train, each doubling) takes ``phase_steps``; the
    last goes on to the end.
    """

    image_size: int = 32
    channels: int = 1
    width: int = 16
    most_width: int = 64
    latent: int = 64
    phase_steps: int = 500
    penalty: float = 10.0
    average_decay: float = 0.999

    def __post_init__(self) -> None:
        check_growing_sizes(
            self.image_size, self.channels, self.width, self.most_width, self.latent
        )
        check_positive(self.phase_steps, name="phase_steps")
        check_positive(self.penalty, name="penalty")
        check_probability(self.average_decay, name="average_decay")

    @classmethod
    def paper(cls, image_size: int = 1024) -> "PGGANSettings":
        """Table 2 of the paper: 512 channels up to 32 pixels, then half as many each doubling, 16 at 1024."""
        width = min(512, 16 * 1024 // image_size)
        settings = cls(image_size=image_size, channels=3, width=width, most_width=512, latent=512)
        return replace(settings, phase_steps=600_000 // 16)  # 600 k images a phase, batch 16

    @property
    def family(self) -> str:
        """Its name among the architectures."""
        return "pggan"

    def training(self, steps: int, *, batch_size: int = 64) -> TrainSettings:
        """Appendix A.1; see :func:`growing_training`."""
        return growing_training(steps, batch_size)

    def networks(self, random: torch.Generator) -> tuple[nn.Module, nn.Module]:
        """Both at 4 pixels.

        >>> made = PGGANSettings(width=4).networks(torch.Generator().manual_seed(0))
        >>> made[1](made[0](torch.zeros(2, 64))).shape
        torch.Size([2])
        """
        widths = stage_widths(self.image_size, self.width, self.most_width)
        return built(
            random,
            lambda: (
                GrowingGenerator(widths, self.channels, self.latent),
                GrowingDiscriminator(widths, self.channels),
            ),
        )

    def growth(self, step: int) -> float:
        """How far the networks have grown after ``step`` steps.

        >>> [PGGANSettings(phase_steps=10).growth(step) for step in (9, 15, 20, 29, 35, 999)]
        [0.0, 0.5, 1.0, 1.0, 1.5, 3.0]
        """
        phase = step / self.phase_steps
        done, within = divmod(max(phase - 1, 0.0), 2)
        doublings = math.log2(self.image_size // FIRST_SIDE)
        return min(done + min(within, 1.0), doublings)

    def variant(self, discriminator: nn.Module) -> Variant:
        """WGAN-GP with drift, and the schedule of growth."""

        def penalty(real: Batch, fake: Tensor, random: torch.Generator) -> Tensor:
            return self.penalty * gradient_penalty(discriminator, real.images, fake, random)

        def grow(state: TrainState) -> None:
            average = [] if state.average is None else [state.average.module]
            for network in (state.generator, state.discriminator, *average):
                network.growth.fill_(self.growth(state.step))  # type: ignore[operator]

        objective = replace(
            WASSERSTEIN,
            name="wasserstein with drift",
            real_loss=lambda values: -values + DRIFT * values.square(),
        )
        return Variant(objective=objective, discriminator_extra=penalty, before_step=grow)


class GrowingGenerator(nn.Module):
    """Latents (n, z) to images (n, c, h, w), of which all resolutions beyond ``growth`` are repeated pixels.

    The output is linear, as in the paper; :func:`giqa_lib.gan.to_pixels` cuts it to [-1, 1].
    """

    growth: Tensor

    def __init__(self, widths: list[int], channels: int, latent: int) -> None:
        super().__init__()
        self.first = EqualisedLinear(latent, widths[0] * FIRST_SIDE**2)
        blocks = [nn.ModuleList([EqualisedConv2d(widths[0], widths[0], 3)])]
        for before, after in itertools.pairwise(widths):
            convolutions = [EqualisedConv2d(before, after, 3), EqualisedConv2d(after, after, 3)]
            blocks.append(nn.ModuleList(convolutions))
        self.blocks = nn.ModuleList(blocks)
        self.to_image = nn.ModuleList(EqualisedConv2d(w, channels, 1, gain=1.0) for w in widths)
        self.register_buffer("growth", torch.zeros((), dtype=torch.float64))

    def forward(self, latents: Float[Tensor, "n z"]) -> Float[Tensor, "n c h w"]:
        """Generate at the resolution grown to, and enlarge."""
        growth = float(self.growth)
        stage = math.ceil(growth)
        features = self.first(pixel_norm(latents)).unflatten(1, (-1, FIRST_SIDE, FIRST_SIDE))
        features = pixel_norm(functional.leaky_relu(features, LEAK))
        before = features
        for place in range(stage + 1):
            before = features
            if place > 0:
                features = _double(features)
            for convolution in self.blocks[place].children():
                features = pixel_norm(functional.leaky_relu(convolution(features), LEAK))
        images = self.to_image[stage](features)
        if stage > growth:
            share = growth - (stage - 1)
            old = _double(self.to_image[stage - 1](before))
            images = torch.lerp(old, images, share)
        return _double(images, 2 ** (len(self.blocks) - 1 - stage))


class GrowingDiscriminator(nn.Module):
    """Images (n, c, h, w) of full size to values (n,), seen at the resolution grown to."""

    growth: Tensor

    def __init__(self, widths: list[int], channels: int, *, growth: float = 0.0) -> None:
        super().__init__()
        self.from_image = nn.ModuleList(EqualisedConv2d(channels, w, 1) for w in widths)
        blocks: list[nn.Module] = [nn.ModuleList([EqualisedConv2d(widths[0] + 1, widths[0], 3)])]
        for after, before in itertools.pairwise(widths):
            convolutions = [EqualisedConv2d(before, before, 3), EqualisedConv2d(before, after, 3)]
            blocks.append(nn.ModuleList(convolutions))
        self.blocks = nn.ModuleList(blocks)
        self.dense = EqualisedLinear(widths[0] * FIRST_SIDE**2, widths[0])
        self.last = EqualisedLinear(widths[0], 1, gain=1.0)
        self.register_buffer("growth", torch.full((), growth, dtype=torch.float64))

    def forward(self, images: Float[Tensor, "n c h w"]) -> Float[Tensor, " n"]:
        """One value an image; the minibatch deviation makes it depend on its group."""
        growth = float(self.growth)
        stage = math.ceil(growth)
        images = _halve(images, 2 ** (len(self.blocks) - 1 - stage))
        features = functional.leaky_relu(self.from_image[stage](images), LEAK)
        for place in range(stage, 0, -1):
            features = _halve(self._block(place, features))
            if place == stage and stage > growth:
                old = functional.leaky_relu(self.from_image[place - 1](_halve(images)), LEAK)
                features = torch.lerp(old, features, growth - (stage - 1))
        features = self._block(0, minibatch_deviation(features)).flatten(1)
        return self.last(functional.leaky_relu(self.dense(features), LEAK)).squeeze(1)

    def _block(self, place: int, features: Tensor) -> Tensor:
        for convolution in self.blocks[place].children():
            features = functional.leaky_relu(convolution(features), LEAK)
        return features


def _double(images: Tensor, factor: int = 2) -> Tensor:
    return functional.interpolate(images, scale_factor=factor) if factor > 1 else images


def _halve(images: Tensor, factor: int = 2) -> Tensor:
    return functional.avg_pool2d(images, factor) if factor > 1 else images
