"""Small trainings that several processes share, or one takes alone: made alike in a test and in its processes."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from giqa_lib.gan import (
    Architecture,
    BatchScore,
    ControlGANSettings,
    DCGANSettings,
    Feed,
    LabelGuide,
    LabelGuideSettings,
    TrainSettings,
    TrainState,
    Variant,
    batch_inception_score,
    images_at_random,
    label_guidance,
    labelled_at_random,
    new_state,
    score_guidance,
)

SHARE, STEPS = 8, 3  # images in a step of one of two processes
SIDE, CLASSES = 16, 4


@dataclass(frozen=True, kw_only=True)
class Case:
    """A family, and whether a label guide and a score guide belong to it."""

    made: Architecture
    guided: bool


CASES = {
    "dcgan": Case(made=DCGANSettings(image_size=SIDE, width=4, latent=8), guided=False),
    # no gradient penalty: each process draws its places for itself
    "scoregan": Case(
        made=ControlGANSettings(
            classes=CLASSES, image_size=SIDE, channels=1, width=8, latent=8, penalty=0
        ),
        guided=True,
    ),
}


def brightness_logits(images: Tensor) -> Tensor:
    """An evaluator of batches: classes by the brightness of the image's quarters, a stand-in for a network."""
    return 8 * torch.nn.functional.avg_pool2d(images.mean(1, keepdim=True), SIDE // 2).flatten(1)


def settings(case: Case, batch_size: int) -> TrainSettings:
    """Few steps with large rates, so that what differs shows; more discriminator steps with guides."""
    return TrainSettings(
        steps=STEPS,
        batch_size=batch_size,
        discriminator_steps=2 if case.guided else 1,
        generator_rate=2e-3,
        discriminator_rate=2e-3,
    )


def fresh(
    case: Case, score: Callable[[BatchScore], BatchScore] = lambda score: score
) -> tuple[TrainState, Feed, Variant]:
    """State, feed and variant before the first step; ``score`` wraps the score of a batch."""
    random = torch.Generator().manual_seed(0)
    images = torch.randint(0, 255, (64, 1, SIDE, SIDE), dtype=torch.uint8, generator=random)
    labels = torch.randint(CLASSES, (64,), generator=random)
    networks = case.made.networks(random)
    state = new_state(*networks, settings(case, SHARE), latent=case.made.latent, random=random)
    variant = case.made.variant(networks[1])
    if not case.guided:
        return state, images_at_random(images), variant
    feed = labelled_at_random(images, labels)
    # gamma starts at 0: its rate is large, so that it counts within these few steps
    guide = LabelGuide(
        feed,
        LabelGuideSettings(widths=(4,), batch_size=8, gamma_rate=0.02),
        channels=1,
        classes=CLASSES,
        seed=0,
    )
    given = score(lambda images: batch_inception_score(brightness_logits(images)))
    variant = score_guidance(given, name="brightness").change(variant)
    altered = label_guidance(guide)
    state.companions = altered.companions
    return state, feed, altered.change(variant)


def summary(state: TrainState) -> dict[str, Tensor]:
    """What the two players do, and the next numbers that the run would draw.

    No weights: a bias before a batch norm has no effect, so its gradient is rounding, which Adam enlarges. Nor
    running means, which lag behind such a bias: the generator normalises by this batch.
    """
    random = torch.Generator().manual_seed(1)
    latents = torch.randn(12, state.latent, generator=random)
    condition = (torch.arange(12) % CLASSES,) if state.companions else ()
    with torch.no_grad():
        images = state.generator.train()(latents, *condition)
        logits = state.discriminator.eval()(images, *condition)
    return {"images": images, "logits": logits, "random": state.random.get_state()}
