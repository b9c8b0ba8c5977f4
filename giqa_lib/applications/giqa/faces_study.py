"""The test bed of faces: real ones that nobody judged, and a generator whose training is kept.

The faces that people judged (:mod:`giqa_lib.applications.pairs.human_votes`) come from generators of which there are no
snapshots, so the learned scores are trained on another one: a DCGAN of 64 pixels, trained here. It learns from real
crops that are in no pair, each with its mirror image: those of ``faces64-human`` without votes and, where the set is
there, CelebAMask's faces. These are cut to the same framing: of all square crops of 160 to 224 of their 256 pixels,
the one whose mean image correlates best with the crops' (0.987), and brought to the same encoding. No judged face
is among them: the most alike of CelebAMask's were looked at and are other photographs.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from giqa_lib.applications.pairs import VOTED_FACES, Pairs, later_over_earlier
from giqa_lib.checks import check_positive
from giqa_lib.data import ImageSet, encoded_as, find, load, open_images, resize
from giqa_lib.gan import (
    DCGANSettings,
    Snapshots,
    SnapshotSettings,
    TrainSettings,
    evenly_spaced_steps,
    fetch_snapshots,
    log_spaced_steps,
)
from giqa_lib.store import Store

__all__ = ["FACES_PRESETS", "FacesPreset", "FacesStudy", "same_framing", "unjudged_faces"]

SIDE = 64
ALIGNED = "celebamask"  # the same people's photographs, aligned and cut wider
TOP, LEFT, CROP = 48, 32, 192


@dataclass(frozen=True, kw_only=True)
class FacesPreset:
    """Training of the generator, its log-spaced ``steps`` to be judged and how many evenly spaced ones are labelled."""

    steps: tuple[int, ...]
    width: int
    labelled: int = 20
    per_snapshot: int = 50
    batch_size: int = 32

    def __post_init__(self) -> None:
        for name in ("width", "labelled", "per_snapshot", "batch_size"):
            check_positive(getattr(self, name), name=name)


FACES_PRESETS = {
    "quick": FacesPreset(steps=log_spaced_steps(10, 40, 3), width=8, labelled=8),
    "cpu": FacesPreset(steps=log_spaced_steps(100, 3000, 12), width=24),
    "paper": FacesPreset(
        steps=log_spaced_steps(100, 100_000, 40), width=128, per_snapshot=500, batch_size=64
    ),
}


def same_framing(images: UInt8[Tensor, "n 3 256 256"]) -> UInt8[Tensor, "n 3 64 64"]:
    """CelebA-HQ faces cut as the crops of ``faces64-human`` are, at their size.

    >>> same_framing(torch.zeros(1, 3, 256, 256, dtype=torch.uint8)).shape
    torch.Size([1, 3, 64, 64])
    """
    return resize(images[:, :, TOP : TOP + CROP, LEFT : LEFT + CROP], SIDE)


def unjudged_faces() -> ImageSet:
    """Real crops (3, 64, 64) that are in no pair, in one encoding; raises ``DataUnavailable`` where there are none."""
    crops = load(VOTED_FACES)
    unjudged = (crops.table["generator"] == "real") & (crops.table["votes_total"] == 0)
    found = [crops.subset(np.flatnonzero(unjudged)).tensor()]
    if find(ALIGNED) is not None:
        found.append(encoded_as(VOTED_FACES, same_framing(load(ALIGNED).tensor())))
    return open_images(torch.cat(found))


class FacesStudy:
    """Real faces and the generator trained on them, for one seed; the training comes from the store.

    It has what :class:`giqa_lib.applications.giqa.LearnedStudy` asks of a study. ``reference`` are the real faces in an order
    drawn by the seed, on which every method of the benchmark is fitted.
    """

    def __init__(
        self,
        preset: FacesPreset,
        *,
        seed: int,
        store: Store,
        device: str = "cpu",
        progress: bool = False,
    ) -> None:
        self.preset = preset
        self.seed, self.store = seed, store
        self.device, self.progress = device, progress
        self.real = unjudged_faces()
        self.reference = self.real.subset(np.random.default_rng(seed).permutation(len(self.real)))

    @property
    def labelled_steps(self) -> tuple[int, ...]:
        """Evenly spaced training steps, rising to the last: GIQA's images with pseudo-labels."""
        return evenly_spaced_steps(self.preset.steps[-1], self.preset.labelled)

    @cached_property
    def snapshots(self) -> Snapshots:
        """The generator's training, read from the store or made (it resumes where it was stopped)."""
        real, preset = self.real.tensor(), self.preset
        settings = SnapshotSettings(
            architecture=DCGANSettings(image_size=SIDE, channels=3, width=preset.width),
            train=TrainSettings(steps=preset.steps[-1], batch_size=preset.batch_size),
            steps=tuple(sorted({*preset.steps, *self.labelled_steps})),
        )
        return fetch_snapshots(
            self.store,
            open_images(torch.cat([real, real.flip(3)])),
            settings,
            seed=self.seed,
            device=self.device,
            progress=self.progress,
        )

    def generate(self, step: int, count: int, *, seed: int) -> UInt8[Tensor, "n c h w"]:
        """``count`` generated faces of one snapshot, in the encoding of the judged ones."""
        return encoded_as(VOTED_FACES, self.snapshots.images(step, count, seed=seed))

    @cached_property
    def judged_images(self) -> UInt8[Tensor, "n c h w"]:
        """``per_snapshot`` images of each of the log-spaced steps, of latents that no score is trained on."""
        each = self.preset.per_snapshot
        made = [self.generate(step, each, seed=self.seed) for step in self.preset.steps]
        return torch.cat(made)

    def later_pairs(self, *, ratio: float = 2.0) -> Pairs:
        """Rows of ``judged_images``: later snapshot over earlier, **constructed** pairs, a stand-in for votes."""
        steps = np.repeat(self.preset.steps, self.preset.per_snapshot)
        return later_over_earlier(steps, ratio=ratio, random_state=self.seed)
