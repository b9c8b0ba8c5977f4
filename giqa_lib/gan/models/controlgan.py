"""ControlGAN's networks as ScoreGAN prints them (Lee and Seok 2022, Tables 1 and 4), and how two of them are trained.

============  =========================================================================================
generator     latent, Dense (4 x 4 x w), blocks that double the side (w) up to the image, cBN, ReLU, 3 x 3, tanh
discriminator two blocks that halve the side (w), two that keep it (w), ReLU, mean over pixels, Dense (1)
classifier    for each width v: three blocks (v) and one that halves (v), but for the last; LN, ReLU, mean, Dense
============  =========================================================================================

The discriminator sees no label; that a class is hit is the classifier's affair (:mod:`giqa_lib.gan.label_guide`).
What the paper leaves open: "global pool" is the mean, as in ControlGAN's code; spectral norm is the
discriminator's alone; the classifier's blocks have layer norm where the generator's have
batch norm; the last batch norm of the generator is by class, as printed.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn import functional

from giqa_lib.checks import InputError, check_choice, check_positive, error_line
from giqa_lib.gan.feeds import Batch
from giqa_lib.gan.models.construction import built
from giqa_lib.gan.models.residual import ClassifierBlock, ClassNorm, DownBlock, UpBlock, spectral
from giqa_lib.gan.objectives import HINGE, gradient_penalty
from giqa_lib.gan.trainer import TrainSettings, TrainState, Variant

__all__ = [
    "ControlGANSettings",
    "ResidualClassifier",
    "ResidualDiscriminator",
    "ResidualGenerator",
]

FIRST_SIDE = 4


@dataclass(frozen=True, kw_only=True)
class ControlGANSettings:
    """Sizes (the paper's: 32 pixels, 3 channels, width 256) and what its two players' training is made of.

    ``penalty`` weighs the gradient penalty; ``halve_after`` is the step after which both learning rates
    are halved (the paper's 50,000 of 100,000), None for never.
    """

    classes: int
    image_size: int = 32
    channels: int = 3
    width: int = 256
    latent: int = 128
    penalty: float = 10.0
    halve_after: int | None = None

    def __post_init__(self) -> None:
        for name in ("classes", "width", "latent"):
            check_positive(getattr(self, name), name=name)
        check_positive(self.penalty, name="penalty", zero=True)
        check_choice(str(self.channels), ("1", "3"), name="channels")
        side = self.image_size
        if side < 2 * FIRST_SIDE or side & (side - 1):
            hint = "pad the images"
            expected = f"a power of two >= {2 * FIRST_SIDE}"
            raise InputError(error_line("image_size", expected=expected, got=str(side), hint=hint))
        if self.halve_after is not None:
            check_positive(self.halve_after, name="halve_after")

    @property
    def family(self) -> str:
        """Its name among the architectures."""
        return "controlgan"

    @property
    def average_decay(self) -> float | None:
        """None: the paper keeps no average of the generator."""
        return None

    def training(self, steps: int, *, batch_size: int = 64) -> TrainSettings:
        """Section 3.2: five discriminator steps, Adam (0, 0.9), rates 4e-4 and 2e-4."""
        return TrainSettings(
            steps=steps,
            batch_size=batch_size,
            generator_rate=2e-4,
            discriminator_rate=4e-4,
            betas=(0.0, 0.9),
            discriminator_steps=5,
        )

    def networks(self, random: torch.Generator) -> tuple[nn.Module, nn.Module]:
        """Generator and discriminator.

        >>> made = ControlGANSettings(classes=10, width=4).networks(torch.Generator().manual_seed(0))
        >>> labels = torch.tensor([0, 9])
        >>> made[1](made[0](torch.zeros(2, 128), labels), labels).shape
        torch.Size([2])
        """
        return built(random, lambda: (ResidualGenerator(self), ResidualDiscriminator(self)))

    def variant(self, discriminator: nn.Module) -> Variant:
        """Hinge losses, the penalty on the discriminator, and halved rates late in training."""

        def penalty(real: Batch, fake: Tensor, random: torch.Generator) -> Tensor:
            return self.penalty * gradient_penalty(discriminator, real.images, fake, random)

        rates: dict[int, float] = {}

        def halve(state: TrainState) -> None:
            # By the step's number alone, so that a resumed run, which begins with full rates, does the same.
            late = self.halve_after is not None and state.step >= self.halve_after
            for optimizer in (state.generator_optimizer, state.discriminator_optimizer):
                for group in optimizer.param_groups:
                    full = rates.setdefault(id(group), group["lr"])
                    group["lr"] = full / 2 if late else full

        return Variant(objective=HINGE, discriminator_extra=penalty, before_step=halve)


class ResidualGenerator(nn.Module):
    """Latents (n, z) and labels (n,) to images (n, c, s, s) in [-1, 1]."""

    def __init__(self, settings: ControlGANSettings) -> None:
        super().__init__()
        width, classes = settings.width, settings.classes
        self.width = width
        self.dense = nn.Linear(settings.latent, FIRST_SIDE**2 * width)
        doublings = (settings.image_size // FIRST_SIDE).bit_length() - 1
        self.blocks = nn.ModuleList(
            UpBlock(width, width, classes=classes) for _ in range(doublings)
        )
        self.norm = ClassNorm(width, classes=classes)
        self.last = nn.Conv2d(width, settings.channels, 3, padding=1)

    def forward(
        self, latents: Float[Tensor, "n z"], labels: Int64[Tensor, " n"]
    ) -> Float[Tensor, "n c h w"]:
        """One image a latent."""
        x = self.dense(latents).view(-1, self.width, FIRST_SIDE, FIRST_SIDE)
        for block in self.blocks:
            x = block(x, labels)
        return torch.tanh(self.last(functional.relu(self.norm(x, labels))))


class ResidualDiscriminator(nn.Module):
    """Images (n, c, h, w) in [-1, 1] to logits (n,); labels are taken and not looked at."""

    def __init__(self, settings: ControlGANSettings) -> None:
        super().__init__()
        width = settings.width
        self.blocks = nn.Sequential(
            DownBlock(settings.channels, width, down=True, first=True),
            DownBlock(width, width, down=True),
            DownBlock(width, width, down=False),
            DownBlock(width, width, down=False),
        )
        self.dense = spectral(nn.Linear(width, 1))

    def forward(
        self, images: Float[Tensor, "n c h w"], labels: Int64[Tensor, " n"] | None = None
    ) -> Float[Tensor, " n"]:
        """One logit an image."""
        return self.dense(functional.relu(self.blocks(images)).mean((2, 3))).squeeze(1)


class ResidualClassifier(nn.Module):
    """Images (n, c, h, w) in [-1, 1] to logits (n, k): four blocks a width, the last of them halving.

    The paper's widths are (32, 64, 128, 128) for CIFAR-10 and (32, 64, 128, 256) for CIFAR-100.

    >>> ResidualClassifier(3, 10, widths=(4, 8))(torch.zeros(2, 3, 16, 16)).shape
    torch.Size([2, 10])
    """

    def __init__(self, channels: int, classes: int, *, widths: tuple[int, ...]) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(channels, widths[0], 3, padding=1)]
        before = widths[0]
        for place, width in enumerate(widths):
            halving = [True] if place + 1 < len(widths) else []
            for down in [False, False, False, *halving]:
                layers.append(ClassifierBlock(before, width, down=down))
                before = width
        self.blocks = nn.Sequential(*layers)
        self.norm = nn.GroupNorm(1, before)
        self.dense = nn.Linear(before, classes)

    def forward(self, images: Float[Tensor, "n c h w"]) -> Float[Tensor, "n k"]:
        """Logits of the classes."""
        return self.dense(functional.relu(self.norm(self.blocks(images))).mean((2, 3)))
