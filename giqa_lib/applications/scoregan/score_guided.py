"""ScoreGAN beside ControlGAN: trainings of a study that differ in the score that guides them, and their judges.

For each seed all runs share initial weights, real images, latents and labels. The networks that judge had no part in any
training: the study's own classifier, and an ImageNet network other than the evaluator. Departures from the paper:
widths, lengths and data are a profile's, the evaluator is EfficientNet-Lite0 shown small images
(``evaluator_size``), the Inception score's network is another one, so values cannot be compared with the printed ones,
but where the weights of the Inception network of the published scores are on the machine: it then judges too.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Int64, UInt8
from numpy.typing import NDArray
from torch import Tensor

from giqa_lib.applications.scoregan.batch_scores import (
    density_objective,
    frechet_objective,
    inception_objective,
)
from giqa_lib.applications.scoregan.score_presets import ScorePreset
from giqa_lib.applications.snapshots import Study
from giqa_lib.checks import check_choice
from giqa_lib.data import ImageSet
from giqa_lib.evaluation import FrechetReference, inception_score
from giqa_lib.features import (
    PCA,
    ImageNetClassifier,
    class_probabilities,
    has_weights,
    imagenet_classifier,
)
from giqa_lib.gan import (
    AS_PRINTED,
    UNBOUNDED,
    UP_TO_REAL,
    Alteration,
    Architecture,
    BatchScore,
    ControlGANSettings,
    Feed,
    InBFloat16,
    LabelGuide,
    LabelGuideSettings,
    Snapshots,
    SnapshotSettings,
    altered,
    fetch_snapshots,
    label_guidance,
    labelled_at_random,
    pad_to,
    score_guidance,
    without_adversary,
)
from giqa_lib.scores import GaussianMixture

__all__ = ["INCEPTION", "SCORE_RUNS", "ScoreStudy"]

INCEPTION = "inception_v3_fid"  # the network of the published Inception scores and FIDs

UNMIRRORED = ("digits", "mnist")  # whose mirror images are something else
WIDER_AT_LAST = ("cifar100",)  # whose classifier's last blocks are twice as wide (Table 4)


@dataclass(frozen=True, kw_only=True)
class _Kind:
    """Which score guides, how it is bounded, and whether the generator hears the two other players."""

    score: str | None = None
    bound: Callable[[Tensor, Tensor], Tensor] = UP_TO_REAL
    adversary: bool = True


_KINDS = {
    "ControlGAN": _Kind(),
    "ScoreGAN": _Kind(score="inception"),
    "ScoreGAN, as printed": _Kind(score="inception", bound=AS_PRINTED),
    "FID as the score": _Kind(score="frechet"),
    "density as the score": _Kind(score="density"),
    "score alone": _Kind(score="inception", bound=UNBOUNDED, adversary=False),
}
SCORE_RUNS = tuple(_KINDS)


class ScoreStudy:
    """One seed's trainings by name (:data:`SCORE_RUNS`), each trained when first asked for and kept in the store."""

    def __init__(self, study: Study, preset: ScorePreset) -> None:
        self.study, self.preset = study, preset
        self.classes = int(study.train.labels.max()) + 1

    # ------------------------------------------------------------ training
    @cached_property
    def settings(self) -> SnapshotSettings:
        """Generator and discriminator, their training, and the steps at which the generator is kept."""
        p, study = self.preset, self.study
        made = ControlGANSettings(
            classes=self.classes,
            image_size=max(32, study.network_size),
            channels=int(study.train[0].shape[0]),
            width=p.width,
            penalty=p.penalty,
            halve_after=max(1, p.steps[-1] // 2),
        )
        return SnapshotSettings(
            architecture=InBFloat16(exact=made) if p.arithmetic == "bfloat16" else made,
            train=made.training(p.steps[-1], batch_size=p.batch_size),
            steps=p.steps,
        )

    @property
    def architecture(self) -> Architecture:
        """Generator and discriminator."""
        return self.settings.architecture

    @cached_property
    def feed(self) -> Feed:
        """Real images of the networks' size with their labels."""
        made = self.architecture
        pixels = pad_to(self.study.train.tensor(channels=made.channels), made.image_size)
        return labelled_at_random(pixels, self._labels)

    @cached_property
    def _labels(self) -> Int64[Tensor, " n"]:
        return torch.from_numpy(self.study.train.labels.astype(np.int64))

    @cached_property
    def evaluator(self) -> ImageNetClassifier:
        """The network whose score guides."""
        p = self.preset
        return imagenet_classifier(
            p.evaluator, input_size=p.evaluator_size, device=self.study.device
        )

    def score(self, name: str) -> BatchScore:
        """``inception``, ``frechet`` or ``density``, by the evaluator; the last two fitted on the reference."""
        check_choice(name, ("inception", "frechet", "density"), name="name")
        if name == "inception":
            return inception_objective(self.evaluator)
        real = self._evaluated(self.study.reference.subset(np.arange(self._fitted)))
        if name == "frechet":
            return frechet_objective(self.evaluator, real)
        p = self.preset
        reduction = PCA(components=p.dimensions).fit(real)
        mixture = GaussianMixture(n_components=p.components, random_state=self.study.seed)
        return density_objective(self.evaluator, reduction, mixture.fit(reduction.transform(real)))

    @property
    def _fitted(self) -> int:
        return min(len(self.study.reference), self.preset.fitted)

    def _evaluated(self, images: ImageSet) -> NDArray[np.float32]:
        """The evaluator's features of real images, as a generator's would be shown to it."""
        made = self.architecture
        pixels = pad_to(images.tensor(channels=made.channels), made.image_size)
        with torch.no_grad():
            parts = [
                self.evaluator.features(part.to(self.study.device).float() / 127.5 - 1).cpu()
                for part in pixels.split(64)
            ]
        return torch.cat(parts).numpy()

    @property
    def guide(self) -> LabelGuideSettings:
        """The classifier's settings as the data set asks for them."""
        guide, dataset = self.preset.guide, self.study.dataset
        last = guide.widths[-1] * (2 if dataset in WIDER_AT_LAST else 1)
        flip = guide.flip and dataset not in UNMIRRORED
        return replace(guide, widths=(*guide.widths[:-1], last), flip=flip)

    def alteration(self, run: str) -> Alteration:
        """How a run differs from training by the discriminator alone; made anew for each training."""
        kind, p, study = _KINDS[check_choice(run, SCORE_RUNS, name="run")], self.preset, self.study
        parts = []
        if kind.adversary:
            guide = LabelGuide(
                lambda size, random: self.feed(size, random),
                self.guide,
                channels=self.architecture.channels,
                classes=self.classes,
                seed=study.seed,
                device=study.device,
            )
            parts.append(label_guidance(guide))
        else:
            parts.append(
                Alteration(description={"adversary": "not heard"}, change=without_adversary)
            )
        if kind.score is not None:
            name = f"{kind.score} of {p.evaluator}@{p.evaluator_size}"
            if kind.score != "inception":
                name += f", reference {study.reference.fingerprint} {self._fitted}"
            if kind.score == "density":
                name += f", {p.components} Gaussians in {p.dimensions} dimensions"
            lazily = _Lazy(partial(self.score, kind.score))
            parts.append(score_guidance(lazily, name=name, weight=p.weight, bound=kind.bound))
        return altered(*parts)

    def snapshots(self, run: str) -> Snapshots:
        """The run's generators at the preset's steps."""
        study = self.study
        return fetch_snapshots(
            study.store,
            study.train,
            self.settings,
            seed=study.seed,
            labels=self._labels,
            alteration=self.alteration(run),
            device=study.device,
            progress=study.progress,
        )

    # ------------------------------------------------------------ judging
    def labels(self, count: int) -> Int64[Tensor, " n"]:
        """The labels that ``count`` images are asked for: each class as often, in turn."""
        return torch.arange(count) % self.classes

    def images(self, run: str, count: int, *, step: int | None = None) -> UInt8[Tensor, "n c h w"]:
        """Images of a run, of the same latents and labels for all; of the last step unless told."""
        chosen = self.preset.steps[-1] if step is None else step
        made = self.snapshots(run).images(
            chosen, count, seed=self.study.seed, labels=self.labels(count)
        )
        return self.study.encoded(made)

    @cached_property
    def judges(self) -> tuple[str, ...]:
        """What judges: the study's own classifier, an ImageNet network that is not the evaluator, Inception if it is here."""
        p = self.preset
        known = ("classifier", f"{p.judge}@{p.judge_size}")
        return (*known, INCEPTION) if has_weights(INCEPTION) else known

    @cached_property
    def _frechet(self) -> Mapping[str, FrechetReference]:
        reference = self.study.reference
        real = reference.subset(np.arange(min(len(reference), 4 * self.preset.judged)))
        return {name: FrechetReference(self.study.extract(real, name)) for name in self.judges}

    def _answers(self, images: UInt8[Tensor, "n c h w"], name: str) -> Float[Tensor, "n k"]:
        """A network's class probabilities, from its features in the store."""
        features = self.study.extract(images, name)
        if name == "classifier":
            return self.study.classifier.class_probabilities(torch.tensor(features)).cpu()
        return torch.from_numpy(class_probabilities(features, name))

    def measure(self, images: UInt8[Tensor, "n c h w"]) -> pd.DataFrame:
        """Inception score by the judges and the evaluator, FID by the judges: ``judge``, ``metric``, ``value``, ``standard_error``, ``n``.

        The error of a score is that of its mean over the preset's parts. "evaluator" is the network that guided.
        """
        p, study = self.preset, self.study
        networks = {name: name for name in self.judges}
        networks["evaluator"] = f"{p.evaluator}@{p.evaluator_size}"
        found = [
            (
                judge,
                "IS",
                inception_score(self._answers(images, name).double().numpy(), splits=p.parts),
            )
            for judge, name in networks.items()
        ]
        found += [
            (space, "FID", reference.estimate(study.extract(images, space)))
            for space, reference in self._frechet.items()
        ]
        return pd.DataFrame(
            [
                {"judge": judge, "metric": metric, "value": e.value, "standard_error": e.standard_error, "n": e.n}
                for judge, metric, e in found
            ]
        )  # fmt: skip

    def judge_run(self, run: str, *, steps: Sequence[int] | None = None) -> pd.DataFrame:
        """A run measured at ``steps`` (all, unless told), with the share of images taken for the class asked for.

        Columns of :meth:`measure`, and ``run``, ``step``, ``seed``.
        """
        count, parts = self.preset.judged, []
        for step in self.preset.steps if steps is None else steps:
            images = self.images(run, count, step=step)
            named = self._answers(images, "classifier").argmax(1)
            hit = (
                torch.tensor(self.study.classifier.classes)[named] == self.labels(count)
            ).double()
            row = {
                "judge": "classifier",
                "metric": "label accuracy",
                "value": float(hit.mean()),
                "standard_error": float(hit.std() / count**0.5),
                "n": count,
            }
            whole = pd.concat([self.measure(images), pd.DataFrame([row])], ignore_index=True)
            parts.append(whole.assign(run=run, step=step, seed=self.study.seed))
        return pd.concat(parts, ignore_index=True)

    def judge_real(self) -> pd.DataFrame:
        """Real images that nothing was fitted on, as many as are judged: the ceiling. Run "real images"."""
        count = min(self.preset.judged, len(self.study.real))
        images = self.study.real.subset(np.arange(count)).tensor()
        return self.measure(images).assign(run="real images", seed=self.study.seed)


@dataclass(kw_only=False)
class _Lazy:
    """A score made when it is first asked for: a run in the store needs none."""

    make: Callable[[], BatchScore]
    made: BatchScore | None = field(default=None, init=False)

    def __call__(self, images: Tensor) -> Tensor:
        if self.made is None:
            self.made = self.make()
        return self.made(images)
