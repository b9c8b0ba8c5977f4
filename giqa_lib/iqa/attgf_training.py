r"""AttGF-IQA fitted to the pairs of several domains, with or without meta-learning, and its scores.

The loss of a domain is :math:`\lambda_0 L_r + \lambda_1 L_{ct} + \lambda_2 L_s` (Eq. 18 and 19), the last for domains whose pseudo-label is a
similarity to the original. The pairs of all sources go through the network together, so that it normalises as it will when it
scores: by means over domains. (Sources one by one, each normalised by its own batch, came out far worse on drawn faces whose damage is known.)
Running means are taken from the passes at theta. There is no validation and no early stop: nothing but
pairs of the sources decides the weights.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import UInt8
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.func import functional_call

from giqa_lib.checks import check_positive, check_same_length
from giqa_lib.data import QualityDatabase, check_maps
from giqa_lib.iqa.attgf import AttGFNetwork, AttGFSettings, new_attgf_network
from giqa_lib.iqa.descent import DescentSettings, descend
from giqa_lib.iqa.meta_learning import InnerStep, Losses, meta_gradient, plain_gradient
from giqa_lib.iqa.pair_feed import PairBatch, PairFeed
from giqa_lib.iqa.quality_objectives import (
    ObjectiveWeights,
    centre_loss,
    focal_rank_loss,
    score_regression_loss,
)
from giqa_lib.iqa.state import read_network, write_network
from giqa_lib.learning import check_pixels, content_digest, in_batches
from giqa_lib.store import Store

__all__ = ["AttGFFit", "AttGFScore", "fetch_attgf", "fit_attgf"]

REVISION = 2  # raise it when a change of the code changes what is trained


@dataclass(frozen=True, kw_only=True)
class AttGFFit:
    """How it is trained: descent, pairs a domain and step, the inner step (None: no meta-learning), objectives.

    ``regressed`` are the domains with a regression loss, for those whose pseudo-label is a similarity (PENNet in the paper).
    """

    descent: DescentSettings
    pairs: int = 5
    inner: InnerStep | None = field(default_factory=InnerStep)
    weights: ObjectiveWeights = field(default_factory=ObjectiveWeights)
    focus: float = 2.0
    regressed: tuple[str, ...] = ("PENNet",)

    def __post_init__(self) -> None:
        check_positive(self.pairs, name="pairs")
        check_positive(self.focus, name="focus", zero=True)


@dataclass(frozen=True, kw_only=True)
class AttGFScore:
    """Images uint8 (n, c, h, w) and their maps uint8 (n, h, w) to scores (n,) float64, higher is better, without a unit.

    In batches of exactly ``batch_size``, so that a score does not depend on its company. The network is to be in evaluation mode.
    Raises ``InputError`` for maps of another number, size or class, and for images of other channels.

    >>> network = new_attgf_network(AttGFSettings(classes=2), torch.Generator().manual_seed(0)).eval()
    >>> AttGFScore(network=network)(torch.zeros(3, 3, 16, 16).byte(), torch.zeros(3, 16, 16).byte()).shape
    (3,)
    """

    network: AttGFNetwork
    batch_size: int = 64

    def __call__(
        self, images: UInt8[Tensor, "n c h w"], maps: UInt8[Tensor, "maps height width"]
    ) -> NDArray[np.float64]:
        """One score an image."""
        settings = self.network.settings
        check_pixels(images, channels=settings.channels)
        check_same_length(images=images, maps=maps)
        size = (images.shape[2], images.shape[3])
        check_maps(maps, classes=settings.classes, size=size)
        return in_batches(self._block, torch.cat([images, maps[:, None]], dim=1), self.batch_size)

    @torch.no_grad()
    def _block(self, both: Tensor) -> NDArray[np.float64]:
        device = next(self.network.parameters()).device
        both = both.to(device)
        scores, _ = self.network(both[:, :-1], both[:, -1])
        return scores.double().cpu().numpy()

    def describe(self) -> dict[str, Any]:
        """What an output must name. JSON."""
        return {"score": "AttGF-IQA", "network": asdict(self.network.settings)}

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write it as safetensors and JSON; returns the folder."""
        described = {"settings": asdict(self.network.settings), "batch_size": self.batch_size}
        return write_network(folder, self.network, described)

    @classmethod
    def load(
        cls, folder: str | os.PathLike[str], *, device: str | torch.device = "cpu"
    ) -> "AttGFScore":
        """What ``save`` wrote; its scores are bitwise those of the saved one."""
        weights, described = read_network(folder)
        settings = described["settings"]
        network = AttGFNetwork(AttGFSettings(**settings | {"widths": tuple(settings["widths"])}))
        network.load_state_dict(weights)
        return cls(network=network.to(device).eval(), batch_size=described["batch_size"])


class _Learner(nn.Module):
    """The network and the two centres of Eq. 16: all that learns."""

    def __init__(self, network: AttGFNetwork) -> None:
        super().__init__()
        self.network = network
        width = network.score.in_features
        self.centres = nn.Parameter(torch.zeros(2, width))

    def forward(
        self, batches: Mapping[str, PairBatch], focus: float
    ) -> dict[str, tuple[Tensor, Tensor, Tensor]]:
        """Rank, centre and regression loss of each domain's pairs, in one pass."""
        images = torch.cat([batch.images for batch in batches.values()])
        maps = torch.cat([batch.maps for batch in batches.values()])
        sizes = [len(batch.images) for batch in batches.values()]
        outputs = zip(*(found.split(sizes) for found in self.network(images, maps)), strict=True)
        losses = {}
        for (name, batch), (scores, features) in zip(batches.items(), outputs, strict=True):
            first, second = scores.chunk(2)
            one, other = features.chunk(2)
            losses[name] = (
                focal_rank_loss(first, second, batch.higher, focus=focus),
                centre_loss(one, other, batch.higher, self.centres),
                score_regression_loss(scores, batch.pseudo),
            )
        return losses


def fit_attgf(
    database: QualityDatabase,
    sources: Sequence[str],
    network: AttGFSettings,
    fit: AttGFFit,
    *,
    seed: int,
    folder: Path | None = None,
    config: Mapping[str, Any] | None = None,
    device: str | torch.device = "cpu",
    progress: bool = False,
) -> AttGFScore:
    """Train on the pairs of ``sources``; with one source there is no unseen one to play, and so no meta-learning.

    >>> import torch
    >>> random = torch.Generator().manual_seed(0)
    >>> images = torch.randint(0, 256, (4, 3, 16, 16), generator=random).byte()
    >>> four = QualityDatabase(
    ...     images=images, maps=torch.zeros(4, 16, 16).byte(), parts=("skin",), domains=("a", "b"), domain=torch.tensor([0, 0, 1, 1]),
    ...     pseudo=torch.arange(4.0).double(), mos=torch.zeros(4).double(), pairs=torch.tensor([[1, 0], [3, 2]]))
    >>> fit = AttGFFit(descent=DescentSettings(steps=2), pairs=2)
    >>> fit_attgf(four, ["a", "b"], AttGFSettings(classes=1), fit, seed=0)(images, four.maps).shape
    (4,)
    """
    feed = PairFeed(database, sources)
    random = torch.Generator().manual_seed(seed)
    learner = _Learner(new_attgf_network(network, random)).to(device).train()
    inner = fit.inner if len(sources) > 1 else None

    def gradient(random: torch.Generator) -> tuple[Mapping[str, Tensor], float]:
        batches = {name: _moved(feed.draw(name, fit.pairs, random), device) for name in sources}
        losses = _losses(learner, batches, fit)
        parameters = dict(learner.named_parameters())
        if inner is None:
            return plain_gradient(losses, parameters)
        return meta_gradient(losses, parameters, inner)

    descend(
        learner,
        gradient,
        fit.descent,
        random=random,
        folder=folder,
        config=config,
        progress=progress,
    )
    return AttGFScore(network=learner.network.eval())


def fetch_attgf(
    store: Store,
    database: QualityDatabase,
    sources: Sequence[str],
    network: AttGFSettings,
    fit: AttGFFit,
    *,
    seed: int,
    device: str | torch.device = "cpu",
    progress: bool = False,
) -> AttGFScore:
    """The score from the store; trained first if it is not there, from a checkpoint if one is.

    What decides it is the pairs of the sources with their images, maps and pseudo-labels, not the rest of the database.
    """
    feed = PairFeed(database, sources)
    pairs = torch.cat([feed.pairs[name] for name in sources])
    used = pairs.unique()
    config = {
        "images": content_digest(
            database.images[used],
            database.maps[used].numpy().astype(float),
            database.pseudo[used].numpy(),
            torch.searchsorted(used, pairs).numpy().astype(float),
        ),
        "pairs": {name: len(feed.pairs[name]) for name in sources},
        "shape": list(database.images.shape[1:]),
        "network": asdict(network),
        "fit": asdict(fit),
        "seed": seed,
        "revision": REVISION,
    }

    def make(folder: Path) -> AttGFScore:
        return fit_attgf(
            database,
            sources,
            network,
            fit,
            seed=seed,
            folder=folder,
            config=config,
            device=device,
            progress=progress,
        )

    return store.fetch_saved(
        "attgf", config, make, lambda folder: AttGFScore.load(folder, device=device)
    )


def _losses(learner: _Learner, batches: Mapping[str, PairBatch], fit: AttGFFit) -> Losses:
    """The loss of each domain's batch at any parameters; a test pass leaves the running means as they are."""
    weights = fit.weights
    buffers = dict(learner.named_buffers())

    def losses(parameters: Mapping[str, Tensor], testing: bool) -> dict[str, Tensor]:
        kept = {name: value.clone() for name, value in buffers.items()} if testing else buffers
        by_rank, by_centre = (
            (weights.test_rank, weights.test_centre) if testing else (weights.rank, weights.centre)
        )
        parts = functional_call(learner, {**parameters, **kept}, (batches, fit.focus))
        return {
            name: by_rank * rank
            + by_centre * centre
            + (weights.regression if name in fit.regressed else 0.0) * regression
            for name, (rank, centre, regression) in parts.items()
        }

    return losses


def _moved(batch: PairBatch, device: str | torch.device) -> PairBatch:
    return PairBatch(**{name: value.to(device) for name, value in vars(batch).items()})
