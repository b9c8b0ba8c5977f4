"""AttGF-IQA on the database of generated faces: maps by a parser trained here, and all measures of Tables II and III.

What the measures know: NIQE, BRISQUE and the network measures see real faces and degraded copies of them, never a generated
one; GMM-GIQA is the very density that made pseudo-opinions; full-reference measures see the images before their holes. The parser
learns from the real faces that the families learn from, or is the released BiSeNet where its weights are given; its mIoU is that of real
faces which nothing here has seen (the released one may have: it was trained on faces of the same collection).
"""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from numpy.typing import NDArray
from torch import Tensor

from giqa_lib.applications.attgf.generalisation import GeneralisationPreset, GeneralisationStudy
from giqa_lib.applications.attgf.quality_presets import QUALITY_PRESETS, QualityPreset
from giqa_lib.applications.attgf.quality_study import QualityStudy
from giqa_lib.applications.giqa import NATURAL_PRESETS, NaturalPreset, natural_scores
from giqa_lib.applications.opinion import outside_scores
from giqa_lib.checks import InputError, check_choice, error_line
from giqa_lib.iqa import (
    FULL_REFERENCE,
    PAIRWISE_BASELINES,
    BiSeNetParser,
    DescentSettings,
    MetaIQASettings,
    UNetFaceParser,
    class_overlaps,
    fetch_baseline,
    fetch_face_parser,
    fetch_meta_iqa,
    full_reference_scores,
    load_bisenet,
)
from giqa_lib.store import Store

__all__ = [
    "INPAINTED",
    "OTHER_MEASURES",
    "FaceGeneralisation",
    "FaceMeasures",
    "generalisation_faces",
    "other_measures",
]

#: Rows of Table II that can be had here and two more, in the paper's order. FRIQUEE's features are Matlab code: its scores are given (:func:`outside_scores`) or not to be had.
OTHER_MEASURES = ("NIQE", "BRISQUE", "MEON", "NIMA", "Meta-IQA", "dipIQ", "UNIQUE", "DeepIQA", "RankIQA", "GMM-GIQA")  # fmt: skip
INPAINTED = "PENNet"
FEWEST_HELD_OUT = 5  # one real image in so many chooses the weights


def generalisation_faces(profile: str, dataset: str) -> QualityPreset:
    """The database chapters' preset of a profile, of another data set; in quick no test image is left out, there are so few.

    >>> generalisation_faces("quick", "toy-faces").selected
    96
    """
    check_choice(profile, QUALITY_PRESETS, name="profile")
    preset = replace(QUALITY_PRESETS[profile], dataset=dataset)
    return (
        replace(preset, selected=preset.tested * len(preset.families))
        if profile == "quick"
        else preset
    )


@dataclass(frozen=True, kw_only=True)
class FaceMeasures:
    """How the other measures are fitted: those of the pair benchmark, and Meta-IQA."""

    natural: NaturalPreset
    meta: MetaIQASettings

    @classmethod
    def of_profile(cls, profile: str) -> "FaceMeasures":
        """Those of a profile; Meta-IQA as long as the others.

        >>> FaceMeasures.of_profile("quick").meta.descent.steps
        13
        """
        check_choice(profile, NATURAL_PRESETS, name="profile")
        natural = NATURAL_PRESETS[profile]
        if profile == "quick":  # some hundred faces, ten measures, seconds
            short = replace(natural.settings.fit, steps=40, check_every=20)
            natural = replace(natural, settings=replace(natural.settings, fit=short))
        settings = natural.settings
        # a step has four tasks of two batches
        steps = max(1, settings.fit.steps // 3)
        descent = DescentSettings(steps=steps, rate=settings.fit.learning_rate)
        return cls(natural=natural, meta=MetaIQASettings(descent=descent, width=settings.width))


def other_measures(
    store: Store,
    real: UInt8[Tensor, "n c h w"],
    images: UInt8[Tensor, "m c h w"],
    measures: FaceMeasures,
    *,
    seed: int,
    device: str = "cpu",
    progress: bool = False,
) -> dict[str, NDArray[np.float64]]:
    """Scores (m,) of ``images`` by every measure fitted on ``real`` images and degraded copies of them, by name."""
    natural = measures.natural
    real = real[: natural.real]
    held_out = min(natural.settings.held_out, max(1, len(real) // FEWEST_HELD_OUT))
    settings = replace(natural.settings, held_out=held_out)
    calls = natural_scores(store, real, natural, seed=seed, device=device, progress=progress)
    for name in PAIRWISE_BASELINES:
        calls[name] = fetch_baseline(
            store, name, real, settings, seed=seed, device=device, progress=progress
        )
    calls["Meta-IQA"] = fetch_meta_iqa(
        store, real, measures.meta, seed=seed, device=device, progress=progress
    )
    return {name: calls[name](images) for name in OTHER_MEASURES if name in calls}


class FaceGeneralisation:
    """One seed's families, databases, parser and networks; everything that costs is read from the store or made.

    ``parser_weights`` is a file of BiSeNet's released weights (:func:`giqa_lib.iqa.load_bisenet`); empty: a parser is trained here.
    """

    def __init__(
        self,
        quality: QualityPreset,
        preset: GeneralisationPreset,
        *,
        seed: int,
        store: Store,
        device: str = "cpu",
        progress: bool = False,
        parser_weights: str = "",
    ) -> None:
        self.quality = QualityStudy(
            quality, seed=seed, store=store, device=device, progress=progress
        )
        self.preset, self.seed, self.store = preset, seed, store
        self.device, self.progress = device, progress
        self.parser_weights = parser_weights
        self.quality.parse = self.parser

    @cached_property
    def parser(self) -> UNetFaceParser | BiSeNetParser:
        """Trained on the faces that teach the families, or the released one."""
        if self.parser_weights:
            parts = self.quality.faces["train"].classes
            return load_bisenet(self.parser_weights, parts, device=self.device)
        return fetch_face_parser(
            self.store,
            replace(
                self.quality.faces["train"], images=self.quality.real("train")
            ),  # in the encoding of what it is to parse
            self.preset.parser,
            seed=self.seed,
            device=self.device,
            progress=self.progress,
        )

    def overlaps(self) -> dict[str, float]:
        """Intersection over union of each part on real faces that nothing has seen; NaN where they have none of it."""
        faces = self.quality.faces["reference"]
        parsed = self.parser(self.quality.real("reference"))
        found = class_overlaps(parsed, faces.maps, classes=len(faces.classes))
        return dict(zip(faces.classes, found.tolist(), strict=True))

    @cached_property
    def study(self) -> GeneralisationStudy:
        """The networks, on the databases of this seed."""
        return GeneralisationStudy(
            self.quality.train,
            self.quality.test,
            self.preset,
            seed=self.seed,
            store=self.store,
            device=self.device,
            progress=self.progress,
        )

    def measures(self, measures: FaceMeasures) -> dict[str, NDArray[np.float64]]:
        """Scores (n,) of the test images by each of ``OTHER_MEASURES``."""
        images = self.quality.test.images
        found = other_measures(
            self.store,
            self.quality.real("train"),
            images,
            measures,
            seed=self.seed,
            device=self.device,
            progress=self.progress,
        )
        features = self.quality.features(images, self.quality.preset.space)
        rows = self.quality.reduction.transform(features)
        found["GMM-GIQA"] = np.asarray(self.quality.density.score_samples(rows), dtype=np.float64)
        return {name: found[name] for name in OTHER_MEASURES}

    def given_scores(self, name: str, folder: str) -> dict[str, NDArray[np.float64]]:
        """Scores of the test images by a program that is not here, from the folder of this seed; empty while there are none.

        See :func:`giqa_lib.applications.opinion.outside_scores`; an empty ``folder`` has none.
        """
        if not folder:
            return {}
        place = Path(folder) / f"seed{self.seed}"
        scores = outside_scores(name, self.quality.test.images, place)
        return {} if scores is None else {name: scores}

    def full_reference(self) -> dict[str, NDArray[np.float64]]:
        """Scores (n,) of the test images by each full-reference measure; NaN where there is no original."""
        originals, images = self.quality.shown[INPAINTED].originals, self.quality.test.images
        if originals is None:
            got, hint = "none", "inpainting keeps what was there: give a family that does"
            raise InputError(
                error_line(INPAINTED, expected="images with originals", got=got, hint=hint)
            )
        number = self.study.domains.index(INPAINTED)
        rows = np.flatnonzero(self.quality.test.domain.numpy() == number)
        # PENNet's candidates are the first ones if its number is 0: count from its first
        before = sum(len(self.quality.shown[name].images) for name in self.study.domains[:number])
        places = torch.from_numpy(self.quality.selected[rows] - before)
        found = {}
        for name in FULL_REFERENCE:
            values = np.full(len(images), np.nan)
            values[rows] = full_reference_scores(name, images[rows], originals[places]).numpy()
            found[name] = values
        return found
