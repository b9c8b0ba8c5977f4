"""How large the shared study is: its parts, its training, and the profiles' settings."""

from dataclasses import dataclass, field, replace

from giqa_lib.checks import InputError, check_positive, error_line
from giqa_lib.data import ImageSet
from giqa_lib.features import ClassifierSettings
from giqa_lib.gan import log_spaced_steps

__all__ = ["CPU", "PAPER", "PRESETS", "QUICK", "StudySettings", "fit_to"]

SMALLEST_INPUT = 16  # pixels a side that the classifier and the GAN can take


@dataclass(frozen=True, kw_only=True)
class StudySettings:
    """How large the test bed is, and how its generator and its feature network are trained.

    ``steps`` are the snapshots of the pool; ``labelled`` more, evenly spaced up to the last step, give
    the images that learned scores are trained on.
    """

    classifier_images: int
    reference: int
    held_out: int
    real: int
    per_snapshot: int
    steps: tuple[int, ...]
    labelled: int = 20
    width: int = 32
    classifier: ClassifierSettings = field(default_factory=ClassifierSettings)
    levels: tuple[float, ...] = (0.25, 0.5, 0.75, 1.0)

    def __post_init__(self) -> None:
        for name in (
            "classifier_images",
            "reference",
            "held_out",
            "real",
            "per_snapshot",
            "labelled",
            "width",
        ):
            check_positive(getattr(self, name), name=name)
        if len(self.steps) < 2:
            raise InputError(
                error_line(
                    "steps",
                    expected="two snapshots or more",
                    got=str(self.steps),
                    hint="add a later step",
                )
            )


QUICK = StudySettings(
    classifier_images=6000,
    reference=6000,
    held_out=1000,
    real=1000,
    per_snapshot=100,
    steps=log_spaced_steps(20, 320, 9),
    width=16,
    classifier=ClassifierSettings(epochs=2),
)
CPU = StudySettings(
    classifier_images=20_000,
    reference=40_000,
    held_out=5000,
    real=5000,
    per_snapshot=500,
    steps=log_spaced_steps(100, 8000, 20),
    classifier=ClassifierSettings(epochs=3),
)
PAPER = StudySettings(
    classifier_images=20_000,
    reference=40_000,
    held_out=5000,
    real=5000,
    per_snapshot=5000,
    steps=log_spaced_steps(100, 100_000, 40),
    width=128,
    classifier=ClassifierSettings(epochs=10),
)
PRESETS = {"quick": QUICK, "cpu": CPU, "paper": PAPER}


def fit_to(settings: StudySettings, train: ImageSet, test: ImageSet) -> StudySettings:
    """The settings for a data set smaller than they ask for (digits): every part shrinks alike."""
    wanted = settings.classifier_images + settings.reference
    train_share = min(1.0, len(train) / wanted)
    test_share = min(1.0, len(test) / (settings.held_out + settings.real))
    classifier = settings.classifier
    if min(train[0].shape[1:]) < SMALLEST_INPUT:
        classifier = replace(classifier, input_size=SMALLEST_INPUT)
    return replace(
        settings,
        classifier_images=int(settings.classifier_images * train_share),
        reference=int(settings.reference * train_share),
        held_out=int(settings.held_out * test_share),
        real=int(settings.real * test_share),
        classifier=classifier,
    )
