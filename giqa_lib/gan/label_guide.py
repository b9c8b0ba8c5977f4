r"""ControlGAN's third player: a classifier of real images that tells the generator which class it missed.

Lee and Seok 2019; ScoreGAN, Eq. 4 and 5. In each step the classifier C learns from one augmented batch of real images,
and the generator's loss gains

.. math:: \gamma_t \, L_C\bigl(L, C(G(Z, L))\bigr), \qquad
    \gamma_{t+1} = \operatorname{clip}\bigl(\gamma_t + r\,(L_C^\text{generated} - e\,L_C^\text{real}),\; 0,\; \gamma_\text{max}\bigr).

The schedule of gamma is from ControlGAN's code (r = 0.001, e = 1); ScoreGAN only says "the maximum
threshold for the training from the classifier is set to 0.1", which is taken for the upper clip.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from giqa_lib.checkpoints import below, load_optimizer, optimizer_tensors
from giqa_lib.checks import check_positive, check_probability
from giqa_lib.gan.architecture import Alteration
from giqa_lib.gan.feeds import Batch, Feed
from giqa_lib.gan.models.construction import built
from giqa_lib.gan.models.controlgan import ResidualClassifier
from giqa_lib.gan.trainer import TrainState, Variant

__all__ = ["LabelGuide", "LabelGuideSettings", "label_guidance", "shifted"]

CLASSIFIER_SEED = 1 << 40  # apart from the two players' weights


@dataclass(frozen=True, kw_only=True)
class LabelGuideSettings:
    """Widths of the classifier, Adam's rate and betas, and the schedule of gamma.

    ``shift`` is the most that a real image is moved, as a share of its side; ``flip`` mirrors half of them,
    which letters and digits do not bear.
    """

    widths: tuple[int, ...] = (32, 64, 128, 128)
    batch_size: int = 64
    rate: float = 1e-3
    betas: tuple[float, float] = (0.9, 0.999)
    gamma_rate: float = 1e-3
    gamma_balance: float = 1.0
    gamma_most: float = 0.1
    shift: float = 0.1
    flip: bool = True

    def __post_init__(self) -> None:
        for width in self.widths:
            check_positive(width, name="widths")
        for name in ("batch_size", "rate", "gamma_rate", "gamma_balance"):
            check_positive(getattr(self, name), name=name)
        check_positive(self.gamma_most, name="gamma_most", zero=True)
        check_probability(self.shift, name="shift")


def shifted(
    images: Float[Tensor, "n c h w"], share: float, random: torch.Generator, *, flip: bool
) -> Float[Tensor, "n c h w"]:
    """Each image moved by up to ``share`` of its side each way, its border repeated; half mirrored with ``flip``.

    >>> images = torch.arange(4.0).view(1, 1, 1, 4)
    >>> bool((shifted(images, 0.0, torch.Generator(), flip=False) == images).all())
    True
    """
    count, _, height, width = images.shape
    rows, columns = round(share * height), round(share * width)
    down = torch.randint(-rows, rows + 1, (count, 1), generator=random)
    right = torch.randint(-columns, columns + 1, (count, 1), generator=random)
    row = (torch.arange(height) + down).clamp(0, height - 1)
    column = (torch.arange(width) + right).clamp(0, width - 1)
    if flip:
        mirrored = torch.rand(count, 1, generator=random) < 0.5
        column = torch.where(mirrored, column.flip(1), column)
    places = torch.arange(count)[:, None, None]
    moved = images.permute(0, 2, 3, 1)[places, row[:, :, None], column[:, None, :]]
    return moved.permute(0, 3, 1, 2).contiguous()


class LabelGuide:
    """The classifier, its optimiser and gamma: what the generator is told of its labels, and its state.

    ``feed`` gives real images with labels 0 .. ``classes`` - 1 as their condition.
    """

    def __init__(
        self,
        feed: Feed,
        settings: LabelGuideSettings,
        *,
        channels: int,
        classes: int,
        seed: int,
        device: str = "cpu",
    ) -> None:
        self.feed, self.settings, self.device = feed, settings, device

        def make() -> tuple[nn.Module, nn.Module]:
            return ResidualClassifier(channels, classes, widths=settings.widths), nn.Identity()

        self.classifier = built(torch.Generator().manual_seed(seed ^ CLASSIFIER_SEED), make)[0].to(
            device
        )
        self.optimizer = torch.optim.Adam(
            self.classifier.parameters(), lr=settings.rate, betas=settings.betas, fused=True
        )
        self.gamma = torch.zeros(())
        self._real_loss = torch.zeros(())
        self._generated_loss = torch.zeros(())

    def learn(self, state: TrainState) -> None:
        """One step of the classifier on an augmented batch of real images."""
        s = self.settings
        batch = self.feed(s.batch_size, state.random)
        moved = shifted(batch.images, s.shift, state.random, flip=s.flip)
        batch = replace(batch, images=moved).to(self.device)
        loss = functional.cross_entropy(self.classifier(batch.images), batch.condition[0])
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        self._real_loss = loss.detach().cpu()

    def loss(self, fake: Tensor, real: Batch) -> Float[Tensor, ""]:
        """Gamma times the cross-entropy of the generated images' labels; gamma then moves."""
        s = self.settings
        self.classifier.requires_grad_(False)
        try:
            missed = functional.cross_entropy(self.classifier(fake), real.condition[0])
        finally:
            self.classifier.requires_grad_(True)  # the graph is built
        told = self.gamma.to(missed.device) * missed
        self._generated_loss = missed.detach().cpu()
        change = s.gamma_rate * (self._generated_loss - s.gamma_balance * self._real_loss)
        self.gamma = (self.gamma + change).clamp(0.0, s.gamma_most)
        return told

    def tensors(self) -> dict[str, Tensor]:
        """Its state as a checkpoint takes it."""
        found = {f"classifier.{key}": v for key, v in self.classifier.state_dict().items()}
        found |= {f"optimizer.{key}": v for key, v in optimizer_tensors(self.optimizer).items()}
        return {**found, "gamma": self.gamma}

    def load_tensors(self, tensors: Mapping[str, Tensor]) -> None:
        """Back to what :meth:`tensors` gave."""
        self.classifier.load_state_dict(below(tensors, "classifier"))
        load_optimizer(self.optimizer, below(tensors, "optimizer"))
        self.gamma = tensors["gamma"]

    def numbers(self) -> dict[str, float]:
        """Its losses on the last real and generated batch, and gamma as it will be in the next step."""
        return {
            "classifier, real": float(self._real_loss),
            "classifier, generated": float(self._generated_loss),
            "gamma": float(self.gamma),
        }


def label_guidance(guide: LabelGuide) -> Alteration:
    """Training with a label guide, which is then part of the run's state. A guide serves one training."""

    def change(variant: Variant) -> Variant:
        def before(state: TrainState) -> None:
            variant.before_step(state)
            guide.learn(state)

        def extra(fake: Tensor, real: Batch) -> Tensor:
            return variant.generator_extra(fake, real) + guide.loss(fake, real)

        return replace(variant, before_step=before, generator_extra=extra)

    described: dict[str, Any] = {"label guide": asdict(guide.settings)}
    return Alteration(description=described, change=change, companions={"label guide": guide})
