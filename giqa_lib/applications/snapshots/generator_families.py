"""The generators that GIQA compares (Table 2), trained on a study's images: WGAN-GP, PGGAN, StyleGAN, and DCGAN.

All see the same real images. Departure: widths, resolution and lengths of training are what a
profile affords, far below the papers'; a family that learns slower is judged earlier in its training.
"""

from collections.abc import Callable
from dataclasses import dataclass

from giqa_lib.applications.snapshots.snapshot_study import Study
from giqa_lib.checks import check_choice, check_positive
from giqa_lib.gan import (
    PGGANSettings,
    Snapshots,
    SnapshotSettings,
    StyleGANSettings,
    TrainSettings,
    WGANGPSettings,
    fetch_snapshots,
)

__all__ = ["FAMILIES", "FAMILY_PRESETS", "FamilyPreset", "family_settings", "family_snapshots"]

FAMILIES = ("wgan-gp", "pggan", "stylegan")


@dataclass(frozen=True, kw_only=True)
class FamilyPreset:
    """Steps of each family, width at the image's resolution and the most below it, decay of the average."""

    wgan_gp_steps: int
    pggan_steps: int
    stylegan_steps: int
    width: int
    most_width: int
    wgan_gp_width: int
    average_decay: float
    batch_size: int = 64

    def __post_init__(self) -> None:
        for name in ("wgan_gp_steps", "pggan_steps", "stylegan_steps", "width", "most_width"):
            check_positive(getattr(self, name), name=name)


FAMILY_PRESETS = {
    "quick": FamilyPreset(
        wgan_gp_steps=20,
        pggan_steps=35,
        stylegan_steps=25,
        width=4,
        most_width=8,
        wgan_gp_width=8,
        average_decay=0.9,
        batch_size=32,
    ),
    "cpu": FamilyPreset(
        wgan_gp_steps=1400,
        pggan_steps=1750,
        stylegan_steps=1200,
        width=8,
        most_width=32,
        wgan_gp_width=16,
        average_decay=0.99,
    ),
    "paper": FamilyPreset(
        wgan_gp_steps=100_000,
        pggan_steps=400_000,
        stylegan_steps=400_000,
        width=64,
        most_width=512,
        wgan_gp_width=64,
        average_decay=0.999,
    ),
}


def family_snapshots(study: Study, family: str, preset: FamilyPreset) -> Snapshots:
    """The family trained on the study's images, in the store or made; its last step is the one to judge.

    ``dcgan`` is the study's own GAN, trained by the study's settings.
    """
    check_choice(family, (*FAMILIES, "dcgan"), name="family")
    if family == "dcgan":
        return study.snapshots
    return fetch_snapshots(
        study.store,
        study.train,
        family_settings(study, family, preset),
        seed=study.seed,
        device=study.device,
        progress=study.progress,
    )


def family_settings(study: Study, family: str, preset: FamilyPreset) -> SnapshotSettings:
    """Networks of one of :data:`FAMILIES` for the study's images, and their training."""
    check_choice(family, FAMILIES, name="family")
    return _SETTINGS[family](study, preset)


def _sizes(study: Study) -> dict[str, int]:
    return {"image_size": study.network_size, "channels": int(study.train[0].shape[0])}


def _last(
    made: WGANGPSettings | PGGANSettings | StyleGANSettings, train: TrainSettings
) -> SnapshotSettings:
    return SnapshotSettings(architecture=made, train=train, steps=(train.steps,))


def _wgan_gp(study: Study, preset: FamilyPreset) -> SnapshotSettings:
    made = WGANGPSettings(**_sizes(study), width=preset.wgan_gp_width)
    return _last(made, made.training(preset.wgan_gp_steps, batch_size=preset.batch_size))


def _pggan(study: Study, preset: FamilyPreset) -> SnapshotSettings:
    made = PGGANSettings(
        **_sizes(study),
        width=preset.width,
        most_width=preset.most_width,
        phase_steps=max(1, preset.pggan_steps // 10),
        average_decay=preset.average_decay,
    )
    return _last(made, made.training(preset.pggan_steps, batch_size=preset.batch_size))


def _stylegan(study: Study, preset: FamilyPreset) -> SnapshotSettings:
    made = StyleGANSettings(
        **_sizes(study),
        width=preset.width,
        most_width=preset.most_width,
        average_decay=preset.average_decay,
    )
    return _last(made, made.training(preset.stylegan_steps, batch_size=preset.batch_size))


_SETTINGS: dict[str, Callable[[Study, FamilyPreset], SnapshotSettings]] = {
    "wgan-gp": _wgan_gp,
    "pggan": _pggan,
    "stylegan": _stylegan,
}
