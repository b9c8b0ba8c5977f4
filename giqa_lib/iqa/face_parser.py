r"""A face parser trained here: a small U-Net from faces to the map of their parts, judged by its mean intersection over union.

AttGF-IQA takes maps from a released BiSeNet (Yu et al. 2018). This is a stand-in of the same task: four scales, two
convolutions each, skip connections (Ronneberger et al. 2015), trained with cross-entropy on faces with known maps.

.. math:: \mathrm{mIoU} = \frac1{|K|} \sum_{k \in K} \frac{|P_k \cap T_k|}{|P_k \cup T_k|},

over all pixels of all images, K the classes that occur in the truth.
"""

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, Shaped, UInt8
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, interpolate

from giqa_lib.checks import InputError, check_positive, check_same_length, error_line
from giqa_lib.data import LabelledPairs
from giqa_lib.iqa.state import read_network, write_network
from giqa_lib.learning import FitSettings, check_pixels, content_digest, fit, in_batches
from giqa_lib.store import Store

__all__ = ["FaceParserSettings", "UNetFaceParser", "class_overlaps", "fetch_face_parser", "fit_face_parser", "mean_overlap"]  # fmt: skip

REVISION = 1  # raise it when a change of the code changes what is trained
HALVINGS = 3


@dataclass(frozen=True, kw_only=True)
class FaceParserSettings:
    """The fit, channels of the first scale (doubled at each further one), and how many faces choose the weights."""

    fit: FitSettings
    width: int = 16
    held_out: int = 60

    def __post_init__(self) -> None:
        check_positive(self.width, name="width")
        check_positive(self.held_out, name="held_out")


def class_overlaps(
    predicted: UInt8[Tensor, "n h w"], truth: UInt8[Tensor, "m i j"], *, classes: int
) -> Float[Tensor, " k"]:
    """Intersection over union of each class over all pixels, in [0, 1]; NaN for a class that the truth does not have.

    >>> p, t = torch.tensor([[[0, 1, 1, 1]]]).byte(), torch.tensor([[[0, 0, 1, 1]]]).byte()
    >>> [round(float(v), 3) for v in class_overlaps(p, t, classes=2)]
    [0.5, 0.667]
    """
    check_same_length(predicted=predicted, truth=truth)
    if predicted.shape != truth.shape:
        got, hint = str(tuple(predicted.shape)), "resize one of them (giqa_lib.data.resize_maps)"
        expected = f"the truth's shape {tuple(truth.shape)}"
        raise InputError(error_line("predicted", expected=expected, got=got, hint=hint))
    found = torch.full((classes,), float("nan"))
    for k in range(classes):
        mine, true = predicted == k, truth == k
        if bool(true.any()):
            found[k] = (mine & true).sum() / (mine | true).sum()
    return found


def mean_overlap(
    predicted: UInt8[Tensor, "n h w"], truth: UInt8[Tensor, "m i j"], *, classes: int
) -> float:
    """mIoU: the mean of :func:`class_overlaps` over the classes of the truth, in [0, 1].

    >>> same = torch.zeros(1, 2, 2).byte()
    >>> mean_overlap(same, same, classes=3)
    1.0
    """
    return float(class_overlaps(predicted, truth, classes=classes).nanmean())


@dataclass(frozen=True, kw_only=True)
class UNetFaceParser:
    """Images uint8 (n, c, h, w) to maps uint8 (n, h, w) whose values count into ``classes``.

    Sides are multiples of eight. Raises ``InputError`` for others, and for images of other channels.

    >>> faces = torch.zeros(2, 3, 16, 16, dtype=torch.uint8)
    >>> UNetFaceParser(network=_UNet(3, 4, 4).eval(), classes=("a", "b", "c", "d"))(faces).shape
    torch.Size([2, 16, 16])
    """

    network: nn.Module
    classes: tuple[str, ...]
    batch_size: int = 64

    @property
    def name(self) -> str:
        """What tells it from other parsers."""
        return "U-Net trained here"

    def __call__(self, images: UInt8[Tensor, "n c h w"]) -> UInt8[Tensor, "n h w"]:
        """The most likely part at each pixel."""
        check_pixels(images, channels=self._unet.channels)
        side = 2**HALVINGS
        if images.shape[2] % side or images.shape[3] % side:
            got = f"{images.shape[2]} x {images.shape[3]}"
            hint = "resize the images"
            expected = f"sides that are multiples of {side}"
            raise InputError(error_line("images", expected=expected, got=got, hint=hint))
        return torch.from_numpy(in_batches(self._block, images, self.batch_size))

    @property
    def _unet(self) -> "_UNet":
        if not isinstance(self.network, _UNet):
            hint = "use fit_face_parser or UNetFaceParser.load"
            got = type(self.network).__name__
            raise InputError(error_line("network", expected="a U-Net", got=got, hint=hint))
        return self.network

    @torch.no_grad()
    def _block(self, images: Tensor) -> Tensor:
        device = next(self.network.parameters()).device
        found: Tensor = self.network(images.to(device)).argmax(1).byte().cpu()
        return found

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write it as safetensors and JSON; returns the folder."""
        made = self._unet
        described = {
            "classes": self.classes,
            "channels": made.channels,
            "width": made.width,
            "batch_size": self.batch_size,
        }
        return write_network(folder, made, described)

    @classmethod
    def load(
        cls, folder: str | os.PathLike[str], *, device: str | torch.device = "cpu"
    ) -> "UNetFaceParser":
        """What ``save`` wrote; its maps are those of the saved one."""
        weights, described = read_network(folder)
        classes = tuple(described["classes"])
        network = _UNet(described["channels"], described["width"], len(classes))
        network.load_state_dict(weights)
        return cls(
            network=network.to(device).eval(),
            classes=classes,
            batch_size=described["batch_size"],
        )


class _UNet(nn.Module):
    """Images uint8 to logits (n, k, h, w)."""

    def __init__(self, channels: int, width: int, classes: int) -> None:
        super().__init__()
        self.channels, self.width = channels, width
        widths = [width * 2**scale for scale in range(HALVINGS + 1)]
        befores = [channels, *widths[:-1]]
        self.down = nn.ModuleList(_twice(a, b) for a, b in zip(befores, widths, strict=True))
        self.up = nn.ModuleList(_twice(2 * a + a, a) for a in reversed(widths[:-1]))
        self.last = nn.Conv2d(width, classes, 1)

    def forward(self, images: Shaped[Tensor, "n c h w"]) -> Float[Tensor, "n k h w"]:
        """One logit a class at each pixel."""
        found, skipped = images.float() / 127.5 - 1, []
        for number, block in enumerate(self.down):
            found = block(found)
            if number < HALVINGS:
                skipped.append(found)
                found = nn.functional.max_pool2d(found, 2)
        for block, skip in zip(self.up, reversed(skipped), strict=True):
            found = interpolate(found, scale_factor=2.0, mode="nearest")
            found = block(torch.cat([found, skip], dim=1))
        logits: Tensor = self.last(found)
        return logits


def _twice(before: int, after: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for a, b in ((before, after), (after, after)):
        layers += [nn.Conv2d(a, b, 3, padding=1, bias=False), nn.BatchNorm2d(b), nn.ReLU()]
    return nn.Sequential(*layers)


def fit_face_parser(
    faces: LabelledPairs,
    settings: FaceParserSettings,
    *,
    seed: int,
    folder: Path | None = None,
    config: Mapping[str, Any] | None = None,
    device: str | torch.device = "cpu",
    progress: bool = False,
) -> UNetFaceParser:
    """Train on faces with maps, mirrored at random; the weights with the best mIoU on the held-out faces are kept.

    >>> faces = LabelledPairs(images=torch.zeros(4, 3, 16, 16).byte(), maps=torch.zeros(4, 16, 16).byte(), classes=("a", "b"))
    >>> small = FaceParserSettings(fit=FitSettings(steps=2, batch_size=2), width=4, held_out=2)
    >>> fit_face_parser(faces, small, seed=0)(faces.images).shape
    torch.Size([4, 16, 16])
    """
    check_positive(len(faces) - settings.held_out, name="faces that are not held out")
    random = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(faces), generator=random)
    held_out, train = order[: settings.held_out], order[settings.held_out :]
    count = len(faces.classes)
    with torch.random.fork_rng(devices=[]):  # layers draw their weights on construction
        torch.manual_seed(int(torch.randint(2**31, (), generator=random)))
        network = _UNet(faces.images.shape[1], settings.width, count)

    def draw(random: torch.Generator) -> tuple[Tensor, Tensor]:
        size = (settings.fit.batch_size,)
        rows = train[torch.randint(len(train), size, generator=random)]
        mirrored = torch.rand(size, generator=random) < 0.5
        images, maps = faces.images[rows], faces.maps[rows]
        images = torch.where(mirrored[:, None, None, None], images.flip(3), images)
        return images, torch.where(mirrored[:, None, None], maps.flip(2), maps)

    def loss(logits: Tensor, maps: Tensor) -> Tensor:
        return cross_entropy(logits, maps.long())

    def validate(network: nn.Module) -> float:
        parser = UNetFaceParser(network=network, classes=faces.classes)
        return mean_overlap(parser(faces.images[held_out]), faces.maps[held_out], classes=count)

    fit(
        network,
        draw,
        loss,
        validate,
        settings.fit,
        random=random,
        folder=folder,
        config=config,
        device=device,
        progress=progress,
    )
    return UNetFaceParser(network=network, classes=faces.classes)


def fetch_face_parser(
    store: Store,
    faces: LabelledPairs,
    settings: FaceParserSettings,
    *,
    seed: int,
    device: str | torch.device = "cpu",
    progress: bool = False,
) -> UNetFaceParser:
    """The parser from the store; trained first if it is not there, from a checkpoint if one is."""
    config = {
        "faces": content_digest(faces.images, faces.maps.numpy().astype(float)),
        "shape": list(faces.images.shape),
        "classes": faces.classes,
        "settings": asdict(settings),
        "seed": seed,
        "revision": REVISION,
    }

    def make(folder: Path) -> UNetFaceParser:
        return fit_face_parser(
            faces,
            settings,
            seed=seed,
            folder=folder,
            config=config,
            device=device,
            progress=progress,
        )

    return store.fetch_saved(
        "face_parser", config, make, lambda folder: UNetFaceParser.load(folder, device=device)
    )
