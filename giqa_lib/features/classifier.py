"""A small classifier trained on the data set itself; its penultimate layer are the features.

On small images (28, 32, 64 px) density over these features follows a generator's training,
where features of ImageNet networks call a nearly blank image typical. Three convolutions
with batch normalisation and pooling, then a layer of 128 and the classes, trained on
cross-entropy (``classifier_training``).
"""

import copy
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from jaxtyping import Float, Int64, UInt8
from safetensors.torch import load_file, save
from torch import Tensor, nn

from giqa_lib.checks import InputError, check_positive, error_line
from giqa_lib.features.folding import fold_batch_norm
from giqa_lib.features.module import ModuleExtractor, state_digest

__all__ = [
    "REVISION",
    "SMALLEST_SIDE",
    "ClassifierExtractor",
    "ClassifierSettings",
    "SmallClassifier",
]

#: Raised when the network or its training changes, so that stored ones are made anew.
REVISION = 1

#: Three poolings leave 2 x 2 of it.
SMALLEST_SIDE = 16


@dataclass(frozen=True, kw_only=True)
class ClassifierSettings:
    """How the classifier is built and trained.

    Attributes
    ----------
    epochs : passes over the images.
    channels : of the first convolution; the second and third have two and four times as many.
    width : of the penultimate layer, d of the features.
    batch_size, learning_rate, weight_decay : Adam's; the rate is the peak of the one cycle.
    input_size : side that images are resized to; None keeps their own.

    >>> ClassifierSettings(epochs=1).width
    128
    """

    epochs: int = 2
    channels: int = 32
    width: int = 128
    batch_size: int = 128
    learning_rate: float = 3e-3
    weight_decay: float = 0.0
    input_size: int | None = None

    def __post_init__(self) -> None:
        for name in ("epochs", "channels", "width", "batch_size", "learning_rate"):
            check_positive(getattr(self, name), name=name)
        check_positive(self.weight_decay, name="weight_decay", zero=True)
        if self.input_size is not None and self.input_size < SMALLEST_SIDE:
            hint = "three poolings leave nothing of smaller images"
            raise InputError(
                error_line(
                    "input_size",
                    expected=f">= {SMALLEST_SIDE}",
                    got=str(self.input_size),
                    hint=hint,
                )
            )


class SmallClassifier(nn.Module):
    """Three convolutions, a penultimate layer and logits, for images of 16 px and more.

    >>> network = SmallClassifier(1, 10, channels=4, width=8)
    >>> network(torch.zeros(2, 1, 16, 16)).shape, network.features(torch.zeros(2, 1, 16, 16)).shape
    (torch.Size([2, 10]), torch.Size([2, 8]))
    """

    def __init__(
        self, in_channels: int, classes: int, *, channels: int = 32, width: int = 128
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for ins, outs in ((in_channels, 1), (channels, 2), (2 * channels, 4)):
            # the bias would be taken out again by the normalisation
            layers += [
                nn.Conv2d(ins, outs * channels, 3, padding=1, bias=False),
                nn.BatchNorm2d(outs * channels),
                # the rectifier commutes with the maximum and then has a quarter to do
                nn.MaxPool2d(2),
                nn.ReLU(),
            ]
        self.features = nn.Sequential(
            *layers,
            nn.AdaptiveAvgPool2d(3),
            nn.Flatten(),
            nn.Linear(4 * channels * 9, width),
            nn.ReLU(),
        )
        self.logits = nn.Linear(width, classes)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n k"]:
        """Logits of the classes."""
        logits: Tensor = self.logits(self.features(x))
        return logits


class ClassifierExtractor(ModuleExtractor):
    """A trained classifier as extractor (its penultimate layer), and as classifier.

    Attributes
    ----------
    classes : the labels, in the order of ``probabilities``' columns.
    accuracy : on the training images in the last epoch, in [0, 1].
    """

    def __init__(
        self,
        network: SmallClassifier,
        *,
        classes: tuple[int, ...],
        input_size: tuple[int, int],
        mean: tuple[float, ...],
        std: tuple[float, ...],
        settings: ClassifierSettings,
        accuracy: float,
        device: str | torch.device = "cpu",
    ) -> None:
        self.classes = classes
        self.settings = settings
        self.accuracy = accuracy
        self._state = {
            # copied into the plain memory order, which is what safetensors can hold
            name: value.detach().cpu().clone(memory_format=torch.contiguous_format)
            for name, value in network.state_dict().items()
        }
        self._moments = (mean, std)
        super().__init__(
            fold_batch_norm(copy.deepcopy(network).eval()).get_submodule("features"),
            name="classifier",
            version=f"{REVISION}-{state_digest(network)}",
            input_size=input_size,
            channels=len(mean),
            mean=mean,
            std=std,
            device=device,
        )
        self._head = copy.deepcopy(network.logits).requires_grad_(False).to(self.device)

    def probabilities(self, images: UInt8[Tensor, "n c h w"]) -> Float[Tensor, "n k"]:
        """Softmax over ``classes``, rows sum to 1."""
        return self.class_probabilities(self(images))

    def class_probabilities(self, features: Float[Tensor, "n d"]) -> Float[Tensor, "n k"]:
        """The same of images whose features are there already."""
        with torch.inference_mode():
            return self._head(features.to(self.device)).softmax(1)

    def predict(self, images: UInt8[Tensor, "n c h w"]) -> Int64[Tensor, " n"]:
        """The label of the most probable class."""
        labels = torch.tensor(self.classes, device=self.device)
        return labels[self.probabilities(images).argmax(1)]

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write ``network.safetensors`` and ``classifier.json``."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        # save_file's file could be read by its owner alone, whatever the umask
        (folder / "network.safetensors").write_bytes(save(self._state))
        mean, std = self._moments
        description = {
            "classes": self.classes,
            "input_size": self.network_size,
            "mean": mean,
            "std": std,
            "settings": asdict(self.settings),
            "accuracy": self.accuracy,
        }
        (folder / "classifier.json").write_text(json.dumps(description, indent=1) + "\n")

    @classmethod
    def load(
        cls, folder: str | os.PathLike[str], *, device: str | torch.device = "cpu"
    ) -> "ClassifierExtractor":
        """Read what ``save`` wrote; features are bitwise those of the saved one."""
        folder = Path(folder)
        if not (folder / "classifier.json").is_file():
            hint = "give the folder that save() wrote"
            raise InputError(
                error_line("folder", expected="classifier.json", got=str(folder), hint=hint)
            )
        kept = json.loads((folder / "classifier.json").read_text())
        settings = ClassifierSettings(**kept["settings"])
        with torch.device("meta"):  # no random numbers are drawn for weights to be replaced
            network = SmallClassifier(
                len(kept["mean"]),
                len(kept["classes"]),
                channels=settings.channels,
                width=settings.width,
            )
        network.load_state_dict(load_file(folder / "network.safetensors"), assign=True)
        height, width = kept["input_size"]
        return cls(
            network,
            classes=tuple(kept["classes"]),
            input_size=(height, width),
            mean=tuple(kept["mean"]),
            std=tuple(kept["std"]),
            settings=settings,
            accuracy=kept["accuracy"],
            device=device,
        )
