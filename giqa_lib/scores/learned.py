r"""The learned scores of GIQA: MBC, BC and IR (Section 3.1, Eq. 4).

.. math:: S(I) = \frac1P \sum_{p=1}^P \frac1N \sum_{i=1}^N \hat c_i(I_p)

the mean over P crops of the mean of the N sigmoids, in [0, 1], higher is better. The places of the crops are the same
for every image, so that a score depends on nothing but the image. Known departures: the paper
draws three new crops for each image; the official code takes one in the centre and sums.
"""

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import UInt8
from numpy.typing import NDArray
from torch import Tensor, nn

from giqa_lib.checks import check_positive
from giqa_lib.learning import NetworkSettings, check_pixels, crop_at, in_batches, new_network
from giqa_lib.scores.persistence import read_state, write_state

__all__ = ["LearnedScore"]

PREFIX = "network."


@dataclass(frozen=True, kw_only=True)
class LearnedScore:
    """Images (n, c, h, w) uint8 to scores (n,) float64 in [0, 1], higher is better.

    ``places`` are the crops (``CENTRE``, or ``random_places(3, seed=...)``). Images go through the
    network in batches of exactly ``batch_size``, the last padded with black, so that a score
    does not depend on the batch.

    >>> settings = NetworkSettings(patch=8, outputs=2, width=4)
    >>> network = new_network(settings, torch.Generator().manual_seed(0)).eval()
    >>> score = LearnedScore(method="MBC-GIQA, N=2", network=network, settings=settings, places=((0.5, 0.5),))
    >>> score(torch.zeros(3, 1, 12, 12, dtype=torch.uint8)).shape
    (3,)
    """

    method: str
    network: nn.Module
    settings: NetworkSettings
    places: tuple[tuple[float, float], ...]
    batch_size: int = 64

    def __post_init__(self) -> None:
        check_positive(self.batch_size, name="batch_size")
        check_positive(len(self.places), name="number of crops")

    def __call__(self, images: UInt8[Tensor, "n c h w"]) -> NDArray[np.float64]:
        """One score an image."""
        return self.probabilities(images).mean(axis=1)

    def probabilities(self, images: UInt8[Tensor, "n c h w"]) -> NDArray[np.float64]:
        """Each classifier's sigmoid, averaged over the crops, (n, outputs)."""
        check_pixels(images, channels=self.settings.channels)
        return in_batches(self._block, images, self.batch_size)

    @torch.no_grad()
    def _block(self, images: Tensor) -> NDArray[np.float64]:
        device = next(self.network.parameters()).device
        total = torch.zeros(len(images), self.settings.outputs, dtype=torch.float64)
        for place in self.places:
            crops = crop_at(images, self.settings.patch, place).to(device)
            # in float64: a sigmoid near 1 has no room in float32, and would make ties
            total += torch.sigmoid(self.network(crops).double()).cpu()
        return (total / len(self.places)).numpy()

    def describe(self) -> dict[str, Any]:
        """Method, network and crops as JSON: what an output must name."""
        return {
            "score": self.method,
            "network": asdict(self.settings),
            "crops": [list(place) for place in self.places],
            "rule": "mean of the classifiers' sigmoids (Eq. 4)",
        }

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write it as safetensors and JSON; returns the folder."""
        state = self.network.state_dict()
        return write_state(
            folder,
            kind="LearnedScore",
            parameters={
                "method": self.method,
                "settings": asdict(self.settings),
                "places": np.asarray(self.places, dtype=np.float64),
                "batch_size": self.batch_size,
            },
            attributes={f"{PREFIX}{key}": value.cpu().numpy() for key, value in state.items()},
        )

    @classmethod
    def load(
        cls, folder: str | os.PathLike[str], *, device: str | torch.device = "cpu"
    ) -> "LearnedScore":
        """What ``save`` wrote; its scores are bitwise those of the saved one."""
        parameters, attributes, _ = read_state(folder, kind="LearnedScore")
        settings = NetworkSettings(**parameters["settings"])
        network = new_network(settings, torch.Generator().manual_seed(0))
        network.load_state_dict(
            {key.removeprefix(PREFIX): torch.as_tensor(value) for key, value in attributes.items()}
        )
        return cls(
            method=parameters["method"],
            network=network.to(device).eval(),
            settings=settings,
            places=_places(parameters["places"].tolist()),
            batch_size=parameters["batch_size"],
        )


def _places(values: Sequence[Sequence[float]]) -> tuple[tuple[float, float], ...]:
    return tuple((float(above), float(left)) for above, left in values)
