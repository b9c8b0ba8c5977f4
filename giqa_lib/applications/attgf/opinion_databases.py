r"""Databases of quality from real opinions: AGIQA-3K by generator, and faces that people voted on.

AGIQA-3K (Li et al. 2023): text-to-image results with mean opinion scores. Settings of one model are one domain. Prompts are split, so that
no prompt is learned from and tested on. There are no parts: the map has one class, and ABA is normalisation with a scale and
shift a channel. Pairs come from opinions (a difference of at least ``margin``) or, named, from pseudo-opinion: GMM-GIQA
fitted to photographs of CIFAR-10, the only real images of many kinds at hand. Faces64-human: the share of votes "real".
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float64, Int64, UInt8
from numpy.typing import NDArray
from torch import Tensor

from giqa_lib.applications.attgf.face_maps import FaceParser
from giqa_lib.applications.pairs import VOTED_FACES
from giqa_lib.checks import InputError, check_positive, check_probability, error_line
from giqa_lib.data import QualityDatabase, load, resize
from giqa_lib.features import PCA, extract, extractor
from giqa_lib.scores import GaussianMixture
from giqa_lib.store import Store

__all__ = ["OpinionPreset", "agiqa_databases", "opinion_pairs", "photograph_density_scores", "voted_faces", "with_pairs"]  # fmt: skip

AGIQA, PHOTOGRAPHS = "agiqa-3k", "cifar10"
SPACE = "efficientnet_lite0@64"
TRAIN, PAIRS = 30, 31  # streams of random numbers of one seed
LEAST_VOTES = 5


@dataclass(frozen=True, kw_only=True)
class OpinionPreset:
    """Pixels a side, the share of prompts to learn from, pairs a domain and their least difference, the density of photographs."""

    size: int = 48
    share: float = 0.5
    pairs: int = 1500
    margin: float = 0.5
    photographs: int = 5000
    components: int = 7
    dimensions: int = 32

    def __post_init__(self) -> None:
        for name in ("size", "pairs", "photographs", "components", "dimensions"):
            check_positive(getattr(self, name), name=name)
        check_probability(self.share, name="share", open_ends=True)
        check_positive(self.margin, name="margin", zero=True)


def opinion_pairs(
    opinions: Float64[Tensor, " n"],
    domain: Int64[Tensor, " n"],
    domains: Sequence[str],
    *,
    count: int,
    margin: float,
    random_state: int | np.random.Generator,
) -> Int64[Tensor, "m 2"]:
    """At most ``count`` random pairs (better, worse) of each domain whose opinions are ``margin`` apart or more.

    Raises ``InputError`` for a domain without such a pair: one image, or constant opinions.

    >>> opinion_pairs(torch.arange(3.0).double(), torch.zeros(3).long(), ["a"], count=9, margin=2, random_state=0).tolist()
    [[2, 0]]
    """
    random = np.random.default_rng(random_state)
    found = []
    for number, name in enumerate(domains):
        rows = (domain == number).nonzero()[:, 0].numpy()
        values = opinions.numpy()[rows]
        better, worse = np.nonzero(values[:, None] - values[None, :] >= max(margin, 1e-12))
        if not len(better):
            got = f"{len(rows)} images with opinions over {np.ptp(values) if len(values) else 0:g}"
            hint = "lower the margin, collect more opinions, or leave the domain out"
            apart = f"are {margin:g} apart" if margin > 0 else "differ"
            expected = f"two images whose opinions {apart}"
            raise InputError(error_line(f"domain {name}", expected=expected, got=got, hint=hint))
        chosen = random.permutation(len(better))[:count]
        found.append(np.stack([rows[better[chosen]], rows[worse[chosen]]], axis=1))
    return torch.from_numpy(np.concatenate(found))


def with_pairs(
    database: QualityDatabase,
    scores: Float64[Tensor, " n"],
    *,
    count: int,
    margin: float,
    random_state: int,
) -> QualityDatabase:
    """The same images with pairs by ``scores``, which become their pseudo-opinion; the opinions stay for judging."""
    pairs = opinion_pairs(
        scores,
        database.domain,
        database.domains,
        count=count,
        margin=margin,
        random_state=random_state,
    )
    return replace(database, pseudo=scores, pairs=pairs)


def agiqa_databases(
    preset: OpinionPreset, *, seed: int
) -> tuple[QualityDatabase, QualityDatabase, NDArray[np.object_]]:
    """AGIQA-3K to learn from (pairs from opinion) and to test on, of other prompts, and the setting of each test image.

    Raises ``DataUnavailable`` where the set is not on this machine.
    """
    images = load(AGIQA)
    table = images.table
    models = pd.Series(table["generator"]).str.replace(r"_.*", "", regex=True)
    names = tuple(sorted(models.unique()))
    prompts = np.sort(table["prompt"].unique())
    random = np.random.default_rng([seed, TRAIN])
    taught = set(random.permutation(prompts)[: round(preset.share * len(prompts))].tolist())
    learned = table["prompt"].isin(taught).to_numpy()
    pixels = resize(images.tensor(), preset.size)
    opinion = torch.tensor(table["mos_quality"].to_numpy(dtype=float))
    domain = torch.tensor([names.index(model) for model in models])
    whole = _unpaired(pixels, None, ("image",), names, domain, opinion)
    train, test = (_rows(whole, np.flatnonzero(rows)) for rows in (learned, ~learned))
    train = with_pairs(
        train,
        train.mos,
        count=preset.pairs,
        margin=preset.margin,
        random_state=int(np.random.default_rng([seed, PAIRS]).integers(2**31)),
    )
    return train, test, table["generator"].to_numpy(dtype=object)[~learned]


def photograph_density_scores(
    images: UInt8[Tensor, "n c h w"], preset: OpinionPreset, *, seed: int, store: Store
) -> Float64[Tensor, " n"]:
    """GMM-GIQA (n,) of images under the density of CIFAR-10's photographs; ``DataUnavailable`` where they are not here."""
    photographs = load(PHOTOGRAPHS, "train")
    photographs = photographs.subset(np.arange(min(preset.photographs, len(photographs))))
    network = extractor(SPACE)
    real = extract(photographs, network, store=store, progress=False).values
    mine = extract(images, network, store=store, progress=False).values
    reduction = PCA(components=preset.dimensions).fit(real)
    density = GaussianMixture(preset.components, random_state=seed).fit(reduction.transform(real))
    return torch.from_numpy(
        np.asarray(density.score_samples(reduction.transform(mine))).astype(np.float64)
    )


def voted_faces(*, size: int, parse: FaceParser, parts: tuple[str, ...]) -> QualityDatabase:
    """Faces with at least five votes, real and of WGAN-GP, with the share of votes "real" as opinion; no pairs.

    ``parse`` finds their ``parts``. ProGAN's votes were joined by file name alone and are left out. Raises ``DataUnavailable``
    where the set is not on this machine.
    """
    images = load(VOTED_FACES)
    table = images.table
    names = ("real", "wgan-gp")
    judged = table["generator"].isin(names) & table["votes_total"].ge(LEAST_VOTES)
    rows = np.flatnonzero(judged.to_numpy())
    chosen = table.iloc[rows]
    pixels = resize(images.subset(rows).tensor(), size)
    share = (chosen["votes_real"] / chosen["votes_total"]).to_numpy(dtype=float)
    domain = torch.tensor([names.index(name) for name in chosen["generator"]])
    return _unpaired(pixels, parse(pixels), parts, names, domain, torch.tensor(share))


def _unpaired(
    images: Tensor,
    maps: Tensor | None,
    parts: tuple[str, ...],
    domains: tuple[str, ...],
    domain: Tensor,
    opinion: Tensor,
) -> QualityDatabase:
    blank = torch.zeros(len(images), *images.shape[2:], dtype=torch.uint8)
    return QualityDatabase(
        images=images,
        maps=blank if maps is None else maps,
        parts=parts,
        domains=domains,
        domain=domain,
        pseudo=torch.full_like(opinion, float("nan")),
        mos=opinion,
        pairs=torch.zeros(0, 2).long(),
    )


def _rows(database: QualityDatabase, rows: NDArray[np.int64]) -> QualityDatabase:
    places = torch.from_numpy(rows)
    return replace(
        database,
        images=database.images[places],
        maps=database.maps[places],
        domain=database.domain[places],
        pseudo=database.pseudo[places],
        mos=database.mos[places],
    )
