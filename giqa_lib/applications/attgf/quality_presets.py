"""Sizes of a database of generated faces by profile: faces, families, images, pairs, and what judges them."""

from dataclasses import asdict, dataclass, field, replace
from typing import Any

from giqa_lib.applications.attgf.face_families import FaceFamily
from giqa_lib.applications.opinion import PanelSettings
from giqa_lib.applications.pairs import PAPER_PAIRS, PairSettings
from giqa_lib.checks import InputError, check_choice, check_positive, error_line
from giqa_lib.data import FACE_ATTRIBUTES, LABEL_MAP_SETS
from giqa_lib.gan import PENNetSettings, PGGANSettings, StarGANSettings, StyleGANSettings

__all__ = ["QUALITY_PRESETS", "QualityPreset"]

FACES = ("train", "reference", "sources", "test_sources")
MOST_COMPONENTS = 5


@dataclass(frozen=True, kw_only=True)
class QualityPreset:
    """How many real faces serve for what, the families, how many images they make, the pairs, the panel.

    Of ``dataset`` the faces ``train`` teach the families and the density; the ``reference`` is what the simulated truth and the
    spectra compare with; ``sources`` and ``test_sources`` are given holes and other attributes. Each family makes ``images`` to
    learn from and ``tested`` to be judged, of which over all families the ``selected`` richest in parts stay.
    """

    dataset: str = "toy-faces"
    size: int
    train: int
    reference: int
    sources: int
    test_sources: int
    families: tuple[FaceFamily, ...]
    snapshots: int = 4
    hole_sides: tuple[float, float] = (0.25, 0.5)
    images: int
    pairs: PairSettings
    tested: int
    selected: int
    space: str = "efficientnet_lite0@64"
    judge_space: str = "efficientnet_lite2@64"
    dimensions: int = 32
    neighbours: int = 5
    panel: PanelSettings = field(default_factory=PanelSettings)

    def __post_init__(self) -> None:
        check_choice(self.dataset, LABEL_MAP_SETS, name="dataset")
        for name in ("size", *FACES, "images", "tested", "selected", "dimensions", "neighbours"):
            check_positive(getattr(self, name), name=name)
        if self.selected > self.tested * len(self.families):
            expected = f"at most {self.tested} of each of {len(self.families)} families"
            got, hint = str(self.selected), "raise tested"
            raise InputError(error_line("selected", expected=expected, got=got, hint=hint))
        for family in self.families:
            if family.architecture.image_size != self.size:
                got, hint = str(family.architecture.image_size), "give all families one size"
                raise InputError(
                    error_line(f"{family.name}, size", expected=str(self.size), got=got, hint=hint)
                )

    @property
    def faces(self) -> int:
        """Real faces that are needed."""
        return sum(getattr(self, name) for name in FACES)

    def trained_for(self, factor: float) -> "QualityPreset":
        """The same with every family trained ``factor`` times as long, and ProGAN growing as much slower.

        >>> QUALITY_PRESETS["quick"].trained_for(2).families[0].steps
        100
        """
        check_positive(factor, name="factor")
        families = []
        for family in self.families:
            steps, made = max(1, round(factor * family.steps)), family.architecture
            if isinstance(made, PGGANSettings):
                made = replace(made, phase_steps=max(1, round(factor * made.phase_steps)))
            families.append(replace(family, steps=steps, architecture=made))
        return replace(self, families=tuple(families))

    def describe(self) -> dict[str, Any]:
        """The settings as JSON values."""
        return asdict(self)


def _families(
    size: int,
    *,
    width: int,
    most_width: int,
    steps: tuple[int, int, int, int],
    batch_sizes: tuple[int, int, int, int],
    average_decay: float,
) -> tuple[FaceFamily, ...]:
    """The four at ``size`` pixels; ``steps`` and ``batch_sizes`` in the order of the alphabet."""
    levels, attributes = (size // 4).bit_length() - 1, len(FACE_ATTRIBUTES)
    grown: dict[str, Any] = {
        "image_size": size,
        "channels": 3,
        "width": width,
        "most_width": most_width,
        "average_decay": average_decay,
    }
    # Grown up after seven of twenty-two phases at 32 pixels, before the first images are taken.
    phases = 22 * levels // 3
    made = (
        PENNetSettings(image_size=size, width=width, levels=levels),
        PGGANSettings(**grown, phase_steps=max(1, steps[1] // phases)),
        StarGANSettings(
            image_size=size,
            attributes=attributes,
            width=width,
            discriminator_width=width,
            halvings=levels,
            discriminator_steps=1,
            rate=5e-4,
        ),
        StyleGANSettings(**grown),
    )
    names = ("PENNet", "ProGAN", "StarGAN", "StyleGAN")
    return tuple(
        FaceFamily(name=name, architecture=each, steps=count, batch_size=size)
        for name, each, count, size in zip(names, made, steps, batch_sizes, strict=True)
    )


QUICK = QualityPreset(
    size=32,
    train=128,
    reference=48,
    sources=24,
    test_sources=16,
    families=_families(
        32,
        width=8,
        most_width=16,
        steps=(50, 66, 30, 40),
        batch_sizes=(8, 8, 8, 8),
        average_decay=0.9,
    ),
    snapshots=2,
    images=48,
    pairs=PairSettings(ends=6, partners=8),
    tested=24,
    selected=64,
    dimensions=16,
    neighbours=3,
    panel=PanelSettings(sessions=2),
)
CPU = QualityPreset(
    size=32,
    train=560,
    reference=180,
    sources=150,
    test_sources=100,
    families=_families(
        32,
        width=16,
        most_width=32,
        steps=(4000, 2640, 2400, 1300),
        batch_sizes=(16, 32, 16, 32),
        average_decay=0.99,
    ),
    images=1500,
    pairs=PairSettings(ends=50, partners=50),
    tested=300,
    selected=800,
)
PAPER = QualityPreset(
    dataset="celebamask",
    size=256,
    train=24_000,
    reference=3000,
    sources=2000,
    test_sources=750,
    families=(
        FaceFamily(
            name="PENNet",
            architecture=PENNetSettings(
                image_size=256, width=64, levels=6, discriminator_width=64, halvings=3
            ),
            steps=200_000,
            batch_size=16,
        ),
        FaceFamily(
            name="ProGAN",
            architecture=replace(PGGANSettings.paper(256), phase_steps=20_000),  # grown at a third
            steps=750_000,
            batch_size=16,
        ),
        FaceFamily(
            name="StarGAN",
            architecture=StarGANSettings(
                image_size=256,
                attributes=len(FACE_ATTRIBUTES),
                width=64,
                blocks=6,
                discriminator_width=64,
                halvings=6,
                discriminator_steps=5,
            ),
            steps=40_000,
            batch_size=16,
        ),
        FaceFamily(
            name="StyleGAN", architecture=StyleGANSettings.paper(256), steps=750_000, batch_size=16
        ),
    ),
    images=15_000,
    pairs=PAPER_PAIRS,
    tested=750,
    selected=2000,
    space="inception_v3_fid",
    judge_space="efficientnet_lite2",
    dimensions=64,
)
#: Sizes by profile; ``dataset`` is toy faces, a stand-in, unless it is replaced.
QUALITY_PRESETS = {"quick": QUICK, "cpu": CPU, "paper": PAPER}
