r"""StarGAN (Choi et al., CVPR 2018): one generator that changes any of a face's attributes.

The generator G is given an image x and the wanted attributes c', each as a constant channel; the discriminator has a
patch head that tells real from changed and a head that names the attributes. Beside the Wasserstein losses with gradient penalty,

.. math:: L_D \mathrel{+}= \lambda_\text{cls}\, \mathrm{BCE}\bigl(D_\text{cls}(x), c\bigr), \qquad
    L_G \mathrel{+}= \lambda_\text{cls}\, \mathrm{BCE}\bigl(D_\text{cls}(G(x, c')), c'\bigr)
    + \lambda_\text{rec} \lVert x - G(G(x, c'), c) \rVert_1 ,

Eq. 2 to 7 of the paper, which weighs them 1 and 10. Departures: what the generator's layers give is added to the image, as a change of
it, and starts near 0 (the paper's must first learn to repeat the image, which takes longer than training lasts here); the sum is not
squashed but cut to [-1, 1] by :func:`giqa_lib.gan.to_pixels`; widths and the number of residual blocks are small.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from giqa_lib.checks import InputError, check_choice, check_positive, error_line
from giqa_lib.gan.feeds import Batch
from giqa_lib.gan.models.construction import built
from giqa_lib.gan.objectives import WASSERSTEIN, gradient_penalty
from giqa_lib.gan.trainer import TrainSettings, TrainState, Variant

__all__ = ["AttributeDiscriminator", "AttributeGenerator", "StarGANSettings"]

WIDEST = 32  # times the discriminator's first width, reached after six halvings
LEAK = 0.01
HALVINGS = 2  # of the generator
FIRST_CHANGE = 1e-3  # deviation of the last layer's first weights


@dataclass(frozen=True, kw_only=True)
class StarGANSettings:
    """Image size, channels, number of attributes, widths, residual blocks, the discriminator's halvings, losses' weights, Adam's rate.

    The paper's at 128 pixels: both widths 64, 6 ``blocks``, 6 ``halvings``, 5 discriminator steps, rate 1e-4.
    """

    image_size: int = 32
    channels: int = 3
    attributes: int
    width: int = 16
    blocks: int = 3
    discriminator_width: int = 16
    halvings: int = 3
    penalty: float = 10.0
    classification: float = 1.0
    reconstruction: float = 10.0
    discriminator_steps: int = 2
    rate: float = 1e-4

    def __post_init__(self) -> None:
        names = ("attributes", "width", "blocks", "discriminator_width", "halvings")
        for name in (*names, "penalty", "discriminator_steps", "rate"):
            check_positive(getattr(self, name), name=name)
        for name in ("classification", "reconstruction"):
            check_positive(getattr(self, name), name=name, zero=True)
        check_choice(str(self.channels), ("1", "3"), name="channels")
        step = 2 ** max(HALVINGS, self.halvings)
        if self.image_size < step or self.image_size % step:
            got, hint = str(self.image_size), "resize the images, or lower halvings"
            raise InputError(
                error_line("image_size", expected=f"a multiple of {step}", got=got, hint=hint)
            )

    @property
    def family(self) -> str:
        """Its name among the architectures."""
        return "stargan"

    @property
    def latent(self) -> int:
        """0: a change has one result."""
        return 0

    @property
    def average_decay(self) -> float | None:
        """None: no average of the generator is kept."""
        return None

    def training(self, steps: int, *, batch_size: int = 16) -> TrainSettings:
        """Section 4.2 of the paper: Adam(0.5, 0.999), batches of 16."""
        return TrainSettings(
            steps=steps,
            batch_size=batch_size,
            generator_rate=self.rate,
            discriminator_rate=self.rate,
            discriminator_steps=self.discriminator_steps,
        )

    def networks(self, random: torch.Generator) -> tuple[nn.Module, nn.Module]:
        """Generator and discriminator, called with source images, wanted attributes and the sources' own.

        >>> made, _ = StarGANSettings(attributes=2, width=4, blocks=1).networks(torch.Generator())
        >>> made(torch.zeros(1, 0), torch.zeros(1, 3, 32, 32), torch.ones(1, 2), torch.ones(1, 2)).shape
        torch.Size([1, 3, 32, 32])
        """
        return built(random, lambda: (AttributeGenerator(self), AttributeDiscriminator(self)))

    def variant(self, discriminator: nn.Module) -> Variant:
        """The Wasserstein objective with penalty, classification and reconstruction."""
        players: dict[str, nn.Module] = {}

        def meet(state: TrainState) -> None:
            players["generator"] = state.generator  # which the reconstruction goes through again

        def judged(real: Batch, fake: Tensor, random: torch.Generator) -> Tensor:
            # The sum over patches has the slope 1, as in the official code: a mean of many would have to be steep.
            penalty = gradient_penalty(
                lambda images: discriminator(images).flatten(1).sum(1), real.images, fake, random
            )
            missed = _missed(discriminator, real.images, real.condition[2])
            return self.penalty * penalty + self.classification * missed

        def changed(fake: Tensor, real: Batch) -> Tensor:
            source, wanted, own = real.condition
            missed = _missed(discriminator, fake, wanted)
            back = players["generator"](fake.new_zeros(len(fake), 0), fake, own, wanted)
            lost = functional.l1_loss(back, source)
            return self.classification * missed + self.reconstruction * lost

        return Variant(
            objective=WASSERSTEIN,
            discriminator_extra=judged,
            generator_extra=changed,
            before_step=meet,
        )


def _missed(discriminator: nn.Module, images: Tensor, attributes: Tensor) -> Tensor:
    logits: Tensor = discriminator.attributes(images)  # type: ignore[operator]
    return functional.binary_cross_entropy_with_logits(logits, attributes)


class AttributeGenerator(nn.Module):
    """Images (n, c, h, w) in [-1, 1] and wanted attributes (n, k) in {0, 1} to changed images, about in [-1, 1].

    Latents (n, 0) and the sources' own attributes (n, k) are not looked at.
    """

    def __init__(self, settings: StarGANSettings) -> None:
        super().__init__()
        width = settings.width
        layers: list[nn.Module] = [
            *_normed(nn.Conv2d(settings.channels + settings.attributes, width, 7, padding=3))
        ]
        for _ in range(HALVINGS):
            layers += _normed(nn.Conv2d(width, 2 * width, 4, stride=2, padding=1))
            width *= 2
        layers += [_Residual(width) for _ in range(settings.blocks)]
        for _ in range(HALVINGS):
            layers += _normed(nn.ConvTranspose2d(width, width // 2, 4, stride=2, padding=1))
            width //= 2
        last = nn.Conv2d(width, settings.channels, 7, padding=3)
        nn.init.normal_(last.weight, 0.0, FIRST_CHANGE)
        nn.init.zeros_(last.bias)  # type: ignore[arg-type]
        self.layers = nn.Sequential(*layers, last)

    def forward(
        self,
        latents: Float[Tensor, "n z"],
        images: Float[Tensor, "n c h w"],
        wanted: Float[Tensor, "n k"],
        own: Float[Tensor, "n k"],
    ) -> Float[Tensor, "n c h w"]:
        """Change each image to what is wanted of it."""
        height, width = images.shape[2:]
        told = wanted[:, :, None, None].expand(-1, -1, height, width)
        change: Tensor = self.layers(torch.cat([images, told], dim=1))
        return images + change


class AttributeDiscriminator(nn.Module):
    """Images (n, c, h, w) in [-1, 1] to values (n, 1, h', w'), one a patch; its other head names attributes."""

    def __init__(self, settings: StarGANSettings) -> None:
        super().__init__()
        before, after = settings.channels, settings.discriminator_width
        layers: list[nn.Module] = []
        for number in range(settings.halvings):
            after = settings.discriminator_width * min(2**number, WIDEST)
            layers += [nn.Conv2d(before, after, 4, stride=2, padding=1), nn.LeakyReLU(LEAK)]
            before = after
        self.trunk = nn.Sequential(*layers)
        self.realness = nn.Conv2d(after, 1, 3, padding=1, bias=False)
        side = settings.image_size // 2**settings.halvings
        self.names = nn.Conv2d(after, settings.attributes, side, bias=False)

    def forward(
        self, images: Float[Tensor, "n c h w"], *condition: Tensor
    ) -> Float[Tensor, "n 1 rows columns"]:
        """One value a patch, higher for real; no condition is looked at."""
        values: Tensor = self.realness(self.trunk(images))
        return values

    def attributes(self, images: Float[Tensor, "n c h w"]) -> Float[Tensor, "n k"]:
        """Logits of the attributes."""
        return self.names(self.trunk(images)).flatten(1)


class _Residual(nn.Module):
    """Two normed convolutions beside the identity."""

    def __init__(self, width: int) -> None:
        super().__init__()
        first = _normed(nn.Conv2d(width, width, 3, padding=1))
        second = _normed(nn.Conv2d(width, width, 3, padding=1))[:-1]
        self.layers = nn.Sequential(*first, *second)

    def forward(self, features: Float[Tensor, "n d h w"]) -> Float[Tensor, "n d h w"]:
        changed: Tensor = features + self.layers(features)
        return changed


def _normed(convolution: nn.Conv2d | nn.ConvTranspose2d) -> list[nn.Module]:
    # Normed by image, so that a changed image does not depend on its batch.
    return [convolution, nn.InstanceNorm2d(convolution.out_channels, affine=True), nn.ReLU()]
