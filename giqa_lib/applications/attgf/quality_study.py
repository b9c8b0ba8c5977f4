r"""A database of generated faces after GFID (AttGF-IQA, Section III): pseudo-opinion and pairs to learn from, opinion to test on.

Pseudo-MOS is IW-SSIM with the original for PENNet and the log-density of GMM-GIQA for the others. The opinion is that of a
**simulated panel**: no people judged these images. What the panel looks at is a stand-in for quality,

.. math:: q_i = \tfrac12 \operatorname{rank}_{[0, 1]}\Bigl(-\tfrac1K \sum_{k \le K} \lVert f(x_i) - f(r_{(k)}) \rVert\Bigr) + \tfrac12 \kappa_i ,

the mean distance to the K nearest real faces that no family and no density has seen, in the features f of another network than the
pseudo-MOS uses, and what is known of the image, :math:`\kappa`: how long its generator had trained, how small its hole is.
So it is neither the pseudo-MOS nor independent of what makes both good.
"""

from dataclasses import replace
from functools import cached_property

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float64, UInt8
from numpy.typing import NDArray
from scipy.stats import rankdata
from torch import Tensor

from giqa_lib.applications.attgf.face_families import FaceFamilies, FamilyImages
from giqa_lib.applications.attgf.face_maps import FaceParser, NearestFaceMaps, part_richness
from giqa_lib.applications.attgf.quality_presets import FACES, MOST_COMPONENTS, QualityPreset
from giqa_lib.applications.giqa import best_mixture, held_out_likelihoods
from giqa_lib.applications.opinion import simulate_panel
from giqa_lib.applications.pairs import construct_pairs
from giqa_lib.checks import InputError, error_line
from giqa_lib.data import LabelledPairs, QualityDatabase, load_pairs
from giqa_lib.evaluation import mean_opinion_scores, screen_observers
from giqa_lib.features import PCA, extract, extractor
from giqa_lib.iqa import iw_ssim
from giqa_lib.learning import content_digest
from giqa_lib.scores import Density
from giqa_lib.store import Store

__all__ = ["QualityStudy", "face_database", "kept_observers"]

SPLIT, TRAIN, TEST, PAIRS, PANEL = range(20, 25)  # streams of random numbers of one seed


def kept_observers(votes: pd.DataFrame) -> pd.DataFrame:
    """The votes of those whom BT.500's screening does not reject (:func:`giqa_lib.evaluation.screen_observers`).

    >>> votes = pd.DataFrame({"subject": ["a", "b"], "session": 1, "image": "x", "vote": [1, 2]})
    >>> len(kept_observers(votes))
    2
    """
    screened = screen_observers(votes)
    kept = screened.loc[~screened["rejected"], "subject"]
    return votes[votes["subject"].isin(kept)].reset_index(drop=True)


class QualityStudy:
    """The real faces of one seed's split, the families, and the two databases.

    ``parse`` finds the parts of faces that were made of nothing; by default the map of the nearest real face is taken.
    """

    def __init__(
        self,
        preset: QualityPreset,
        *,
        seed: int,
        store: Store,
        parse: FaceParser | None = None,
        device: str = "cpu",
        progress: bool = True,
    ) -> None:
        faces = load_pairs(preset.dataset, size=preset.size, count=preset.faces)
        if len(faces) < preset.faces:
            hint = "take a smaller preset, or a larger data set"
            expected = f"{preset.faces} or more"
            raise InputError(error_line("faces", expected=expected, got=str(len(faces)), hint=hint))
        self.preset, self.seed, self.store = preset, seed, store
        self.device, self.progress = device, progress
        order = np.random.default_rng([seed, SPLIT]).permutation(len(faces))
        ends = np.cumsum([getattr(preset, part) for part in FACES])
        parts = [faces.subset(rows) for rows in np.split(order[: ends[-1]], ends[:-1])]
        self.faces: dict[str, LabelledPairs] = dict(zip(FACES, parts, strict=True))
        self.classes = faces.classes
        self.families = FaceFamilies(
            preset.families,
            self.faces["train"],
            dataset=preset.dataset,
            snapshots=preset.snapshots,
            hole_sides=preset.hole_sides,
            seed=seed,
            store=store,
            device=device,
            progress=progress,
        )
        self.parse = NearestFaceMaps(self.faces["train"]) if parse is None else parse

    def real(self, part: str) -> UInt8[Tensor, "n c h w"]:
        """Real faces of a part of the split, in the encoding of all judged images."""
        return self.families.encoded(self.faces[part].images)

    def features(self, images: UInt8[Tensor, "n c h w"], space: str) -> NDArray[np.float32]:
        """Features (n, d) of encoded images; kept in the store."""
        network = extractor(space, device=self.device)
        return extract(images, network, store=self.store, progress=self.progress).values

    @cached_property
    def made(self) -> dict[str, FamilyImages]:
        """Each family's images to learn from."""
        sources, count = self.faces["sources"], self.preset.images
        return {
            name: self.families.images(name, count, sources=sources, stream=TRAIN)
            for name in self.families.names
        }

    @cached_property
    def shown(self) -> dict[str, FamilyImages]:
        """Each family's images to be judged, of other faces and latents; before the richest are selected."""
        sources, count = self.faces["test_sources"], self.preset.tested
        return {
            name: self.families.images(name, count, sources=sources, stream=TEST)
            for name in self.families.names
        }

    @cached_property
    def reduction(self) -> PCA:
        """PCA of the training faces' features."""
        features = self.features(self.real("train"), self.preset.space)
        return PCA(components=self.preset.dimensions).fit(features)

    @cached_property
    def density(self) -> Density:
        """GMM-GIQA: a mixture fitted to the training faces, as many Gaussians as suit real faces left out of the fit."""
        rows = self.reduction.transform(self.features(self.real("train"), self.preset.space))
        likelihoods = held_out_likelihoods(
            rows, components=[1, 3, MOST_COMPONENTS], shrinkages=["oas"], random_state=self.seed
        )
        return best_mixture(likelihoods, random_state=self.seed).fit(rows)

    def pseudo(self, made: FamilyImages) -> Float64[Tensor, " n"]:
        """Pseudo-MOS (n,): IW-SSIM where the originals are known, else log-density; of one domain only comparable."""
        if made.originals is not None:
            return self._likeness(made.images, made.originals)
        rows = self.reduction.transform(self.features(made.images, self.preset.space))
        return torch.from_numpy(np.asarray(self.density.score_samples(rows), dtype=np.float64))

    def distance(self, images: UInt8[Tensor, "n c h w"]) -> Float64[Tensor, " n"]:
        """Mean distance (n,) to the nearest reference faces in the judge's features; lower is better."""
        rows, known = (
            torch.from_numpy(np.array(self.features(part, self.preset.judge_space))).double()
            for part in (images, self.real("reference"))
        )
        near = torch.cdist(rows, known).topk(self.preset.neighbours, largest=False).values
        return near.mean(1)

    @cached_property
    def train(self) -> QualityDatabase:
        """Images, pseudo-MOS and pairs; nobody voted on them."""
        parts = []
        for number, (name, made) in enumerate(self.made.items()):
            scores = self.pseudo(made)
            random = np.random.default_rng([self.seed, PAIRS, number])
            pairs = construct_pairs(scores.numpy(), self.preset.pairs, random_state=random)
            none = torch.full_like(scores, float("nan"))
            parts.append(self._database(name, made, scores, none, torch.from_numpy(pairs)))
        return self._joined(parts)

    @cached_property
    def candidates(self) -> QualityDatabase:
        """The images to be judged before the richest are selected, without opinion."""
        parts = []
        for name, made in self.shown.items():
            scores = self.pseudo(made)
            none, no_pairs = torch.full_like(scores, float("nan")), torch.zeros(0, 2).long()
            parts.append(self._database(name, made, scores, none, no_pairs))
        return self._joined(parts)

    @cached_property
    def selected(self) -> NDArray[np.int64]:
        """Places among the candidates of those richest in parts, in order."""
        richness = part_richness(self.candidates.maps, classes=len(self.classes)).numpy()
        best = np.argsort(-richness, kind="stable")[: self.preset.selected]
        return np.sort(best)

    @cached_property
    def truth(self) -> NDArray[np.float64]:
        """The **simulated** quality (n,) in [0, 1] of the test images, which the panel looks at."""
        images = self.candidates.images[torch.from_numpy(self.selected)]
        known = torch.cat([made.known for made in self.shown.values()]).numpy()[self.selected]
        near = rankdata(-self.distance(images).numpy())
        rank = (near - 1) / max(1, len(near) - 1)
        truth: NDArray[np.float64] = (rank + known) / 2
        return truth

    @cached_property
    def votes(self) -> pd.DataFrame:
        """Votes of the **simulated** panel on the test images."""
        seed = int(np.random.default_rng([self.seed, PANEL]).integers(2**31))
        return simulate_panel(self.truth, self.preset.panel, seed=seed)

    @cached_property
    def test(self) -> QualityDatabase:
        """The selected test images with the **simulated** panel's mean opinion scores after screening; no pairs."""
        rows, found = torch.from_numpy(self.selected), self.candidates
        mos = mean_opinion_scores(kept_observers(self.votes)).sort_values("image")["mos"]
        return replace(
            found,
            images=found.images[rows],
            maps=found.maps[rows],
            domain=found.domain[rows],
            pseudo=found.pseudo[rows],
            mos=torch.from_numpy(np.array(mos, dtype=np.float64)),
        )

    def _database(
        self, name: str, made: FamilyImages, pseudo: Tensor, mos: Tensor, pairs: Tensor
    ) -> QualityDatabase:
        """One family's part, places counted from 0."""
        number = self.families.names.index(name)
        return QualityDatabase(
            images=made.images,
            maps=self.parse(made.images) if made.maps is None else made.maps,
            parts=self.classes,
            domains=self.families.names,
            domain=torch.full((len(pseudo),), number),
            pseudo=pseudo,
            mos=mos,
            pairs=pairs,
        )

    def _joined(self, parts: list[QualityDatabase]) -> QualityDatabase:
        starts = np.cumsum([0, *map(len, parts)])
        pairs = [part.pairs + int(start) for part, start in zip(parts, starts, strict=False)]
        return QualityDatabase(
            images=torch.cat([part.images for part in parts]),
            maps=torch.cat([part.maps for part in parts]),
            parts=self.classes,
            domains=self.families.names,
            domain=torch.cat([part.domain for part in parts]),
            pseudo=torch.cat([part.pseudo for part in parts]),
            mos=torch.cat([part.mos for part in parts]),
            pairs=torch.cat(pairs),
        )

    def _likeness(self, images: Tensor, originals: Tensor) -> Float64[Tensor, " n"]:
        """IW-SSIM, thirty milliseconds an image and so kept in the store."""
        config = {
            "images": content_digest(images),
            "originals": content_digest(originals),
            "measure": "IW-SSIM",
        }
        folder = self.store.fetch(
            "likeness",
            config,
            lambda folder: np.save(folder / "values.npy", iw_ssim(images, originals).numpy()),
        )
        return torch.from_numpy(np.load(folder / "values.npy"))


def face_database(
    preset: QualityPreset,
    *,
    seed: int,
    store: Store,
    progress: bool = True,
    parse: FaceParser | None = None,
    device: str = "cpu",
) -> tuple[QualityDatabase, QualityDatabase]:
    """The databases to learn from (with pairs, without opinion) and to test on (**simulated** opinion, no pairs).

    Everything that costs is read from the store or made; see :class:`QualityStudy`.
    """
    study = QualityStudy(
        preset, seed=seed, store=store, parse=parse, device=device, progress=progress
    )
    return study.train, study.test
