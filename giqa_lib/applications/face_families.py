"""The four families of GFID (AttGF-IQA, Section III), trained here on the same faces, and their images.

PENNet fills holes, ProGAN and StyleGAN make faces of nothing, StarGAN changes attributes. Departures: the paper takes released
models of CelebA-HQ; these are small and trained for minutes, and their images come from several steps of training,
evenly, so that their quality has a wide range of which a part is known.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float64, UInt8
from torch import Tensor

from giqa_lib.checks import check_choice, check_positive, check_probability
from giqa_lib.data import AttributeThresholds, LabelledPairs, encoded_as, open_images
from giqa_lib.gan import (
    Architecture,
    Snapshots,
    SnapshotSettings,
    TrainSettings,
    attributes_at_random,
    change_attributes,
    draw_holes,
    fetch_fed_snapshots,
    fetch_snapshots,
    holed_at_random,
    inpaint,
    log_spaced_steps,
)
from giqa_lib.store import Store

__all__ = ["FACE_FAMILIES", "FaceFamilies", "FaceFamily", "FamilyImages"]

FACE_FAMILIES = ("PENNet", "ProGAN", "StarGAN", "StyleGAN")
EARLIEST = 1 / 3  # of the training: before, ProGAN has not grown up
HOLES = 7  # the stream of the holes, apart from the latents'


@dataclass(frozen=True, kw_only=True)
class FaceFamily:
    """A family by its name in the paper: its networks, and how long they are trained on batches of what size."""

    name: str
    architecture: Any  # an Architecture whose ``training`` has its paper's optimiser
    steps: int
    batch_size: int

    def __post_init__(self) -> None:
        check_choice(self.name, FACE_FAMILIES, name="name")
        for name in ("steps", "batch_size"):
            check_positive(getattr(self, name), name=name)

    def settings(self, snapshots: int) -> SnapshotSettings:
        """Training, and the log-spaced steps from a third of it to its end at which images are taken."""
        made: Architecture = self.architecture
        train: TrainSettings = self.architecture.training(self.steps, batch_size=self.batch_size)
        first = max(1, round(EARLIEST * self.steps))
        steps = (self.steps,) if snapshots == 1 else log_spaced_steps(first, self.steps, snapshots)
        return SnapshotSettings(architecture=made, train=train, steps=steps)


@dataclass(frozen=True, kw_only=True)
class FamilyImages:
    """Images of a family and what is known of them.

    ``maps`` are the source faces' where there are any, else None; ``originals`` the images before their holes, else None.
    ``known`` (n,) in [0, 1] is the part of their quality that is known: how late in training their generator stood
    and, where holes are filled, by half how small the hole is.
    """

    images: UInt8[Tensor, "n c h w"]
    maps: UInt8[Tensor, "n h w"] | None
    originals: UInt8[Tensor, "n c h w"] | None
    known: Float64[Tensor, " n"]


class FaceFamilies:
    """The families trained on ``faces``, read from the store or made; they resume where they were stopped.

    ``dataset`` is the faces' data set, which decides the encoding that all images are brought to.
    """

    def __init__(
        self,
        families: tuple[FaceFamily, ...],
        faces: LabelledPairs,
        *,
        dataset: str,
        snapshots: int,
        hole_sides: tuple[float, float],
        seed: int,
        store: Store,
        device: str = "cpu",
        progress: bool = True,
    ) -> None:
        check_positive(snapshots, name="snapshots")
        for share in hole_sides:
            check_probability(share, name="hole_sides", open_ends=True)
        self.families = {family.name: family for family in families}
        self.faces, self.dataset, self.hole_sides = faces, dataset, hole_sides
        self.count, self.seed = snapshots, seed
        self.store, self.device, self.progress = store, device, progress
        self.thresholds = AttributeThresholds.learn(faces.images, faces.maps, faces.classes)

    @property
    def names(self) -> tuple[str, ...]:
        """The families' names."""
        return tuple(self.families)

    def snapshots(self, name: str) -> Snapshots:
        """A family's generators at several steps of its training."""
        check_choice(name, self.names, name="family")
        settings = self.families[name].settings(self.count)
        images = open_images(self.faces.images)
        where: dict[str, Any] = {
            "seed": self.seed,
            "device": self.device,
            "progress": self.progress,
        }
        if name not in _FEEDS:
            return fetch_snapshots(self.store, images, settings, **where)
        feed, told = _FEEDS[name](self)
        data = {"images": images.fingerprint, **told}
        return fetch_fed_snapshots(self.store, feed, settings, data=data, **where)

    def images(self, name: str, count: int, *, sources: LabelledPairs, stream: int) -> FamilyImages:
        """``count`` images, as many of each step as of any other; ``stream`` draws latents, holes and wanted attributes.

        ``sources`` are the faces that are given holes or other attributes; each serves in turn.
        """
        trained = self.snapshots(name)
        steps = np.arange(count) * len(trained.steps) // count
        progress = torch.from_numpy(steps / max(1, len(trained.steps) - 1)).double()
        rows = torch.arange(count) % len(sources)
        random = torch.Generator().manual_seed((self.seed << 16) + 16 * stream + HOLES)
        if name == "PENNet":
            return self._filled(trained, sources.subset(rows), steps, progress, random)
        if name == "StarGAN":
            return self._changed(trained, sources.subset(rows), steps, progress, random)
        seeds = (self.seed << 16) + stream
        parts = [
            trained.images(step, int((steps == number).sum()), seed=seeds + 1009 * number)
            for number, step in enumerate(trained.steps)
        ]
        images = self.encoded(torch.cat(parts))
        return FamilyImages(images=images, maps=None, originals=None, known=progress)

    def encoded(self, images: UInt8[Tensor, "n c h w"]) -> UInt8[Tensor, "n c h w"]:
        """Images after one JPEG encoding, if the data set's files have any: real and generated ones alike."""
        return encoded_as(self.dataset, images)

    def _filled(
        self,
        trained: Snapshots,
        sources: LabelledPairs,
        steps: np.ndarray,
        progress: Tensor,
        random: torch.Generator,
    ) -> FamilyImages:
        size = sources.images.shape[2]
        holes = draw_holes(len(sources), size, random, sides=self.hole_sides)
        made = [
            inpaint(
                trained.generator(step),
                sources.images[steps == number],
                holes[steps == number],
                device=self.device,
            )
            for number, step in enumerate(trained.steps)
        ]
        largest = self.hole_sides[1] ** 2
        left = 1 - holes.double().mean((1, 2, 3)) / largest
        return FamilyImages(
            images=self.encoded(torch.cat(made)),
            maps=sources.maps,
            originals=self.encoded(sources.images),
            known=((progress + left) / 2).clamp(0, 1),
        )

    def _changed(
        self,
        trained: Snapshots,
        sources: LabelledPairs,
        steps: np.ndarray,
        progress: Tensor,
        random: torch.Generator,
    ) -> FamilyImages:
        own = self.thresholds.attributes(sources.images, sources.maps)
        which = torch.randint(own.shape[1], (len(own),), generator=random)
        wanted = own.clone()
        rows = torch.arange(len(own))
        wanted[rows, which] = 1 - wanted[rows, which]
        made = [
            change_attributes(
                trained.generator(step),
                sources.images[steps == number],
                wanted[steps == number],
                device=self.device,
            )
            for number, step in enumerate(trained.steps)
        ]
        images = self.encoded(torch.cat(made))
        return FamilyImages(images=images, maps=sources.maps, originals=None, known=progress)


def _holed(families: FaceFamilies) -> tuple[Any, dict[str, Any]]:
    feed = holed_at_random(families.faces.images, sides=families.hole_sides)
    return feed, {"holes": list(families.hole_sides)}


def _attributed(families: FaceFamilies) -> tuple[Any, dict[str, Any]]:
    faces = families.faces
    attributes = families.thresholds.attributes(faces.images, faces.maps)
    maps = open_images(faces.maps[:, None]).fingerprint
    told = {"maps": maps, "thresholds": asdict(families.thresholds)}
    return attributes_at_random(faces.images, attributes), told


# What a family is trained on, where it is not images alone.
_FEEDS: dict[str, Callable[[FaceFamilies], tuple[Any, dict[str, Any]]]] = {
    "PENNet": _holed,
    "StarGAN": _attributed,
}
