"""The four families of GFID (AttGF-IQA, Section III), trained here on the same faces, and their images.

PENNet fills holes, ProGAN and StyleGAN make faces of nothing, StarGAN changes attributes. Departures: the paper takes released
models of CelebA-HQ; these are small and trained for minutes, and their images come from several steps of training,
evenly, so that their quality has a wide range of which a part is known.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import torch
from jaxtyping import Float64, Int64, UInt8
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
    and, where holes are filled, by half how small the hole is. ``steps`` (n,) are their generators' steps.
    """

    images: UInt8[Tensor, "n c h w"]
    maps: UInt8[Tensor, "n h w"] | None
    originals: UInt8[Tensor, "n c h w"] | None
    known: Float64[Tensor, " n"]
    steps: Int64[Tensor, " n"]

    @property
    def finished(self) -> UInt8[Tensor, "m c h w"]:
        """The images of the last step."""
        return self.images[self.steps == self.steps.max()]


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
        number = torch.arange(count) * len(trained.steps) // count  # of the step, from 0
        rows = torch.arange(count) % len(sources)
        random = torch.Generator().manual_seed((self.seed << 16) + 16 * stream + HOLES)
        if name == "PENNet":
            return self._filled(trained, sources.subset(rows), number, random)
        if name == "StarGAN":
            return self._changed(trained, sources.subset(rows), number, random)
        first = (self.seed << 16) + stream
        parts = [
            trained.images(step, int((number == place).sum()), seed=first + 1009 * place)
            for place, step in enumerate(trained.steps)
        ]
        return FamilyImages(
            images=self.encoded(torch.cat(parts)),
            maps=None,
            originals=None,
            known=_progress(trained, number),
            steps=torch.tensor(trained.steps)[number],
        )

    def encoded(self, images: UInt8[Tensor, "n c h w"]) -> UInt8[Tensor, "n c h w"]:
        """Images after one JPEG encoding, if the data set's files have any: real and generated ones alike."""
        return encoded_as(self.dataset, images)

    def _filled(
        self, trained: Snapshots, sources: LabelledPairs, number: Tensor, random: torch.Generator
    ) -> FamilyImages:
        size = sources.images.shape[2]
        holes = draw_holes(len(sources), size, random, sides=self.hole_sides)
        made = []
        for place, step in enumerate(trained.steps):
            rows, generator = number == place, trained.generator(step)
            made.append(inpaint(generator, sources.images[rows], holes[rows], device=self.device))
        left = 1 - holes.double().mean((1, 2, 3)) / self.hole_sides[1] ** 2
        return FamilyImages(
            images=self.encoded(torch.cat(made)),
            maps=sources.maps,
            originals=self.encoded(sources.images),
            known=((_progress(trained, number) + left) / 2).clamp(0, 1),
            steps=torch.tensor(trained.steps)[number],
        )

    def _changed(
        self, trained: Snapshots, sources: LabelledPairs, number: Tensor, random: torch.Generator
    ) -> FamilyImages:
        wanted = self.thresholds.attributes(sources.images, sources.maps)
        place = torch.arange(len(wanted))
        which = torch.randint(wanted.shape[1], (len(wanted),), generator=random)
        wanted[place, which] = 1 - wanted[place, which]
        made = []
        for each, step in enumerate(trained.steps):
            rows, generator = number == each, trained.generator(step)
            made.append(
                change_attributes(generator, sources.images[rows], wanted[rows], device=self.device)
            )
        return FamilyImages(
            images=self.encoded(torch.cat(made)),
            maps=sources.maps,
            originals=None,
            known=_progress(trained, number),
            steps=torch.tensor(trained.steps)[number],
        )


def _progress(trained: Snapshots, number: Tensor) -> Float64[Tensor, " n"]:
    """0 for the first of the steps, 1 for the last; 1 where there is but one."""
    return number.double() / (len(trained.steps) - 1) if len(trained.steps) > 1 else number + 1.0


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
