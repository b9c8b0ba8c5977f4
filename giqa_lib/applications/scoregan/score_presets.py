"""Sizes of ScoreGAN's trainings by profile: networks, length, evaluator, and how many images are judged."""

from dataclasses import dataclass, replace

from giqa_lib.checks import check_choice, check_positive
from giqa_lib.gan import LabelGuideSettings

__all__ = ["COLOUR_PRESETS", "SCORE_PRESETS", "ScorePreset"]


@dataclass(frozen=True, kw_only=True)
class ScorePreset:
    """Networks, length and evaluator of a profile, and how many images are judged.

    ``steps`` are the snapshots to judge; rates are halved after half of the last. ``arithmetic`` (float32 or
    bfloat16) is that of the generator and the discriminator while they train. ``parts`` of the judged images give the
    Inception score's mean and spread; ``fitted`` real images are what a distance or a density as the score knows.
    """

    width: int
    guide: LabelGuideSettings
    steps: tuple[int, ...]
    batch_size: int = 64
    penalty: float = 10.0
    arithmetic: str = "float32"
    evaluator: str = "efficientnet_lite0"
    evaluator_size: int = 48
    weight: float = 0.5
    judge: str = "efficientnet_lite2"
    judge_size: int = 64
    judged: int = 5000
    parts: int = 10
    fitted: int = 5000
    components: int = 10
    dimensions: int = 32

    def __post_init__(self) -> None:
        for name in ("width", "batch_size", "judged", "fitted", "components", "dimensions"):
            check_positive(getattr(self, name), name=name)
        check_choice(self.arithmetic, ("float32", "bfloat16"), name="arithmetic")


SCORE_PRESETS = {
    "quick": ScorePreset(
        width=4,
        guide=LabelGuideSettings(widths=(4, 8), batch_size=8),
        steps=(2, 4, 6),
        batch_size=8,
        judged=200,
        parts=2,
        fitted=400,
        components=3,
        dimensions=8,
    ),
    "cpu": ScorePreset(
        width=16,
        guide=LabelGuideSettings(widths=(8, 16, 32, 32)),
        steps=(36, 72, 126, 180, 270, 360),
    ),
    "paper": ScorePreset(
        width=256,
        guide=LabelGuideSettings(),
        steps=tuple(range(5000, 100_001, 5000)),
        evaluator_size=96,
        judge_size=260,
        judged=50_000,
        fitted=40_000,
    ),
}

#: For the paper's own data, whose colour images take longer; at step 250 ScoreGAN has taken as long as ControlGAN
#: at the last.
COLOUR_PRESETS = SCORE_PRESETS | {
    "cpu": replace(SCORE_PRESETS["cpu"], steps=(60, 105, 150, 250, 300))
}
