"""GAN, GMAN, DCGAN and DCGMAN of a project report (Xu et al. 2018), at 28 and 32 pixels.

Their layers are those of the authors' notebooks (part DC2 for GAN and GMAN, "dense"; DC1 for DCGAN and DCGMAN,
"convolutional"). A dense layer over a 4 x 4 map is a 4 x 4 convolution, and one from a latent to a 4 x 4 map a
transposed one: what the report calls fully connected differs from the other kind in widths, initial weights
and the first batch norm (one mean a unit, not one a channel), and in nothing else. At 28 pixels the step
between 4 and 7 pixels has stride 1 and no padding.

Known departures: the discriminator returns logits, the objectives take them; dropout, if asked for, follows
the first two layers as in Durugkar et al.'s code, which the report does not use.
"""

import itertools
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor, nn

from giqa_lib.checks import (
    InputError,
    check_choice,
    check_positive,
    check_probability,
    error_line,
)
from giqa_lib.gan.aggregation import Aggregation, MeanOfProbabilities
from giqa_lib.gan.models.construction import built
from giqa_lib.gan.models.ensemble import Ensemble, SeparateEnsemble
from giqa_lib.gan.objectives import NON_SATURATING, SOFT_LABELS
from giqa_lib.gan.trainer import TrainSettings, Variant

__all__ = ["GMANDiscriminator", "GMANGenerator", "GMANSettings"]

LAYERS = ("dense", "convolutional")
SIZES = (28, 32)
FIRST_SIDE = 4
KERNEL = 4
INIT_STD = 0.02
LEAK = 0.2
DROPPED = 2  # layers that dropout follows


@dataclass(frozen=True, kw_only=True)
class GMANSettings:
    """One generator and ``discriminators`` of it; the report's sizes are the defaults.

    ``width`` is the generator's next to the image; the discriminator begins with as many channels, or half
    as many with dense layers. ``dropout`` has one rate for each discriminator, or none. With ``separate``
    each judges its own part of a batch, real and generated, whose size is then for all of them together.
    """

    layers: str = "convolutional"
    image_size: int = 32
    channels: int = 1
    width: int = 32
    latent: int = 100
    discriminators: int = 1
    aggregation: Aggregation = field(default_factory=MeanOfProbabilities)
    dropout: tuple[float, ...] = ()
    separate: bool = False
    soft_labels: bool = False

    def __post_init__(self) -> None:
        check_choice(self.layers, LAYERS, name="layers")
        for name in ("width", "latent", "discriminators"):
            check_positive(getattr(self, name), name=name)
        check_choice(str(self.image_size), [str(size) for size in SIZES], name="image_size")
        check_choice(str(self.channels), ("1", "3"), name="channels")
        if self.width % 2:
            hint = "the dense kind's discriminator begins with half of it"
            raise InputError(
                error_line("width", expected="an even number", got=str(self.width), hint=hint)
            )
        for rate in self.dropout:
            check_probability(rate, name="dropout")
        if self.dropout and len(self.dropout) != self.discriminators:
            expected = f"{self.discriminators} rates, one a discriminator, or none"
            hint = "take dropout_rates(discriminators)"
            raise InputError(
                error_line("dropout", expected=expected, got=str(len(self.dropout)), hint=hint)
            )
        if self.separate and isinstance(self.aggregation, MeanOfProbabilities):
            hint = "take MeanOfValues(), or let all judge the same images"
            raise InputError(
                error_line(
                    "aggregation",
                    expected="an F of values for discriminators that see separate images",
                    got=self.aggregation.name,
                    hint=hint,
                )
            )

    @property
    def family(self) -> str:
        """Its name among the architectures."""
        return "gman"

    @property
    def average_decay(self) -> float | None:
        """None: the report keeps no average of the generator."""
        return None

    def training(
        self, steps: int, *, batch_size: int = 64, rate: float = 2e-4, boost: float = 1.0
    ) -> TrainSettings:
        """Adam(rate; 0.5, 0.999) for both players; the generator's rate is ``boost`` times as large.

        The report prints a rate of 1e-4 and 20 epochs for all. Its notebooks have 2e-4 and batches of 64 for
        dense layers, 1e-4 (MNIST) and 5e-5 (CIFAR-10, 30 epochs) and batches of 100 for the others.
        """
        return TrainSettings(
            steps=steps,
            batch_size=batch_size,
            generator_rate=boost * rate,
            discriminator_rate=rate,
        )

    def networks(self, random: torch.Generator) -> tuple[nn.Module, nn.Module]:
        """A generator, which holds what the aggregation learns, and its discriminators.

        >>> made = GMANSettings(width=4, discriminators=2).networks(torch.Generator().manual_seed(0))
        >>> [logits.shape for logits in made[1](made[0](torch.zeros(3, 100)))]
        [torch.Size([3]), torch.Size([3])]
        """
        rates = self.dropout or (0.0,) * self.discriminators
        kind = SeparateEnsemble if self.separate else Ensemble
        aggregate = self.aggregation.fresh()

        def make() -> tuple[nn.Module, nn.Module]:
            generator = GMANGenerator(self)
            judges = [GMANDiscriminator(self, dropout=rate) for rate in rates]
            return generator, kind(judges, aggregate)

        generator, discriminator = built(random, make)
        if isinstance(aggregate, nn.Module):
            generator.add_module("aggregate", aggregate)
        return generator, discriminator

    def variant(self, discriminator: nn.Module) -> Variant:
        """The report's labels, and the aggregation."""
        if not isinstance(discriminator, Ensemble):
            got, hint = type(discriminator).__name__, "take the one that networks() made"
            raise InputError(
                error_line("discriminator", expected="an Ensemble", got=got, hint=hint)
            )
        objective = SOFT_LABELS if self.soft_labels else NON_SATURATING
        return Variant(objective=objective, aggregate=discriminator.aggregate)


class GMANGenerator(nn.Module):
    """Latents (n, latent) to images (n, c, h, w) in [-1, 1]; ``InputError`` for latents of another length."""

    def __init__(self, settings: GMANSettings) -> None:
        super().__init__()
        first, *widths = (settings.width * times for times in (4, 2, 1))
        self.settings = settings
        self.project = (
            _dense_projection(settings.latent, first)
            if settings.layers == "dense"
            else _projection(settings.latent, first)
        )
        layers: list[nn.Module] = []
        strides = [_step(settings), (2, 1), (2, 1)]
        ends = itertools.pairwise([first, *widths, settings.channels])
        for (before, after), (stride, padding) in zip(ends, strides, strict=True):
            layers.append(nn.ConvTranspose2d(before, after, KERNEL, stride, padding))
            layers += [nn.BatchNorm2d(after), nn.ReLU(inplace=True)]
        self.layers = nn.Sequential(*layers[:-2], nn.Tanh())
        _start(self)

    def forward(self, latents: Float[Tensor, "n z"]) -> Float[Tensor, "n c h w"]:
        """Generate one image a latent."""
        if latents.shape[1] != self.settings.latent:
            expected, got = f"(n, {self.settings.latent})", f"shape {tuple(latents.shape)}"
            hint = "draw latents of the length that the generator was made with"
            raise InputError(error_line("latents", expected=expected, got=got, hint=hint))
        return self.layers(self.project(latents))


class GMANDiscriminator(nn.Module):
    """Images (n, c, h, w) in [-1, 1] to logits (n,), positive for real.

    Larger images get a logit for each of several parts; ``InputError`` for smaller ones, or of other channels.
    """

    def __init__(self, settings: GMANSettings, *, dropout: float = 0.0) -> None:
        super().__init__()
        self.settings = settings
        dense = settings.layers == "dense"
        first = settings.width // 2 if dense else settings.width
        widths = [settings.channels, *(first * times for times in (1, 2, 4))]
        strides = [(2, 1), (2, 1), _step(settings)]
        layers: list[nn.Module] = []
        for number, (stride, padding) in enumerate(strides):
            before, after = widths[number : number + 2]
            layers.append(nn.Conv2d(before, after, KERNEL, stride, padding))
            layers += [nn.BatchNorm2d(after)] if number else []
            layers.append(nn.LeakyReLU(LEAK, inplace=True))
            layers += [nn.Dropout(dropout)] if dropout and number < DROPPED else []
        self.layers = nn.Sequential(*layers)
        self.last = nn.Conv2d(widths[-1], 1, FIRST_SIDE)
        _start(self.layers if dense else self)

    def forward(self, images: Float[Tensor, "n c h w"]) -> Float[Tensor, " logits"]:
        """One logit an image."""
        made = self.settings
        if images.shape[1] != made.channels or min(images.shape[2:]) < made.image_size:
            expected = f"(n, {made.channels}, {made.image_size}, {made.image_size})"
            hint = "resize or pad the images to what the discriminator was made for"
            got = f"shape {tuple(images.shape)}"
            raise InputError(error_line("images", expected=expected, got=got, hint=hint))
        return self.last(self.layers(images)).flatten()


def _step(settings: GMANSettings) -> tuple[int, int]:
    """Stride and padding between a map of 4 pixels and the next: to 8, or to 7 for images of 28."""
    return (1, 0) if settings.image_size == SIZES[0] else (2, 1)


def _projection(latent: int, width: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Unflatten(1, (latent, 1, 1)),
        nn.ConvTranspose2d(latent, width, FIRST_SIDE),
        nn.BatchNorm2d(width),
        nn.ReLU(inplace=True),
    )


def _dense_projection(latent: int, width: int) -> nn.Sequential:
    units = width * FIRST_SIDE**2
    return nn.Sequential(
        nn.Linear(latent, units),
        nn.BatchNorm1d(units),
        nn.ReLU(inplace=True),
        nn.Unflatten(1, (width, FIRST_SIDE, FIRST_SIDE)),
    )


def _start(network: nn.Module) -> None:
    """Convolutions N(0, 0.02) with biases of nought; other layers as torch starts them."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(module.weight, 0.0, INIT_STD)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
