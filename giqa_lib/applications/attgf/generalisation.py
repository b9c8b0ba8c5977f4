"""AttGF-IQA on domains that it has and has not seen: networks trained on some domains, their scores of all test images.

One study is one seed's two databases and every network asked of it; each is trained once and kept in the store, so that
chapters share them. Variants are the paper's ablations (Tables V and VI) and what it leaves open (the order of the meta-gradient).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from giqa_lib.applications.opinion import agreement, agreement_gap, mean_over_domains, opinion_rows
from giqa_lib.checks import (
    InputError,
    check_choice,
    check_positive,
    check_same_length,
    error_line,
)
from giqa_lib.data import QualityDatabase
from giqa_lib.evaluation import combine_seeds
from giqa_lib.iqa import (
    AttGFFit,
    AttGFScore,
    AttGFSettings,
    DescentSettings,
    FaceParserSettings,
    InnerStep,
    fetch_attgf,
)
from giqa_lib.learning import FitSettings
from giqa_lib.store import Store

__all__ = ["ATTGF", "GENERALISATION_PRESETS", "VARIANTS", "GeneralisationPreset", "GeneralisationStudy"]  # fmt: skip

ATTGF = "AttGF-IQA"
Change = Callable[[AttGFSettings, AttGFFit], tuple[AttGFSettings, AttGFFit]]


def _second_order(network: AttGFSettings, fit: AttGFFit) -> tuple[AttGFSettings, AttGFFit]:
    step = InnerStep() if fit.inner is None else fit.inner
    return network, replace(fit, inner=replace(step, order="second"))


def _plain_step(network: AttGFSettings, fit: AttGFFit) -> tuple[AttGFSettings, AttGFFit]:
    # a rate that moves about as far: the gradient of ten times a loss near one
    return network, replace(fit, inner=InnerStep(rate=1e-2, optimiser="sgd", order="second"))


#: What each variant changes of network and fit.
VARIANTS: Mapping[str, Change] = MappingProxyType(
    {
        ATTGF: lambda network, fit: (network, fit),
        "w/o meta-learning": lambda network, fit: (network, replace(fit, inner=None)),
        "w/o CBA": lambda network, fit: (replace(network, attention=False), fit),
        "w/o ABA": lambda network, fit: (replace(network, attributes=False), fit),
        "second order": _second_order,
        "second order, plain step": _plain_step,
        "SPADE's form": lambda network, fit: (replace(network, transform="spade"), fit),
    }
)


@dataclass(frozen=True, kw_only=True)
class GeneralisationPreset:
    """The network's widths and first stride, how it is trained, and the parser that finds the parts of generated faces."""

    fit: AttGFFit
    widths: tuple[int, ...] = (8, 16, 32, 64)
    stride: int = 2
    reduction: int = 4
    parser: FaceParserSettings = field(
        default_factory=lambda: FaceParserSettings(fit=FitSettings(steps=600, batch_size=16))
    )

    def __post_init__(self) -> None:
        check_positive(self.stride, name="stride")


GENERALISATION_PRESETS = {
    "quick": GeneralisationPreset(
        fit=AttGFFit(descent=DescentSettings(steps=8, rate=3e-3), pairs=4),
        widths=(4, 4, 8, 8),
        parser=FaceParserSettings(
            fit=FitSettings(steps=30, batch_size=8, check_every=15), width=4, held_out=24
        ),
    ),
    "cpu": GeneralisationPreset(
        fit=AttGFFit(descent=DescentSettings(steps=400, rate=2e-3)),
        parser=FaceParserSettings(
            fit=FitSettings(steps=900, batch_size=16, check_every=100), width=12, held_out=60
        ),
    ),
    # 20,000 pairs an epoch and domain, of ten: the paper's hundred epochs.
    "paper": GeneralisationPreset(
        fit=AttGFFit(
            descent=DescentSettings(steps=500_000, rate=1e-5, drops=9, check_every=2000),
            inner=InnerStep(rate=1e-5),
        ),
        widths=(64, 128, 256, 512),
        reduction=16,
        parser=FaceParserSettings(
            fit=FitSettings(steps=40_000, batch_size=16, check_every=1000), width=64, held_out=500
        ),
    ),
}


class GeneralisationStudy:
    """Networks trained on some domains of ``train``, and their scores of all images of ``test``.

    Both databases have the same domains, in the same order.
    """

    def __init__(
        self,
        train: QualityDatabase,
        test: QualityDatabase,
        preset: GeneralisationPreset,
        *,
        seed: int,
        store: Store,
        device: str = "cpu",
        progress: bool = False,
    ) -> None:
        if train.domains != test.domains or train.parts != test.parts:
            hint = "make both of one study"
            expected = f"domains {', '.join(train.domains)} and the same parts as train"
            got = f"domains {', '.join(test.domains)}"
            raise InputError(error_line("test", expected=expected, got=got, hint=hint))
        self.train, self.test, self.preset = train, test, preset
        self.seed, self.store, self.device, self.progress = seed, store, device, progress
        self.domains = train.domains
        self.opinions = test.mos.numpy()
        self.rows = opinion_rows(test.mos.numpy(), test.domain.numpy(), test.domains)

    def network(self, sources: Sequence[str], variant: str = ATTGF) -> AttGFScore:
        """The network of ``VARIANTS`` trained on the pairs of ``sources``."""
        change = VARIANTS[check_choice(variant, VARIANTS, name="variant")]
        preset = self.preset
        settings = AttGFSettings(
            classes=len(self.train.parts),
            channels=self.train.images.shape[1],
            widths=preset.widths,
            stride=preset.stride,
            reduction=preset.reduction,
        )
        network, fit = change(settings, preset.fit)
        return fetch_attgf(
            self.store,
            self.train,
            sources,
            network,
            fit,
            seed=self.seed,
            device=self.device,
            progress=self.progress,
        )

    def scores(self, sources: Sequence[str], variant: str = ATTGF) -> NDArray[np.float64]:
        """Scores (n,) of all test images."""
        return self.network(sources, variant)(self.test.images, self.test.maps)

    def others(self, unseen: str) -> tuple[str, ...]:
        """All domains but one: its sources."""
        check_choice(unseen, self.domains, name="unseen")
        return tuple(name for name in self.domains if name != unseen)

    def unseen_scores(self, variant: str = ATTGF) -> NDArray[np.float64]:
        """Scores (n,) of all test images, each by the network that has not seen its domain.

        Scores of two domains come from two networks and can't be compared.
        """
        found = np.full(len(self.test), np.nan)
        for unseen, rows in self.rows.items():
            found[rows] = self.scores(self.others(unseen), variant)[rows]
        return found

    def agreements(
        self,
        scores: Mapping[str, NDArray[np.float64]],
        *,
        resamples: int = 300,
        domains: Sequence[str] | None = None,
    ) -> pd.DataFrame:
        """Each score with the opinions of each domain: ``name``, ``domain``, ``metric``, ``value``, ``standard_error``, ``n``, ``seed``."""
        parts = []
        for name, values in scores.items():
            for domain in self.domains if domains is None else domains:
                rows = self.rows[domain]
                found = agreement(
                    values[rows], self.opinions[rows], resamples=resamples, random_state=self.seed
                )
                parts.append(found.assign(name=name, domain=domain, seed=self.seed))
        return pd.concat(parts, ignore_index=True)

    def gaps(
        self,
        first: NDArray[np.float64],
        second: NDArray[np.float64],
        *,
        resamples: int = 300,
        domains: Sequence[str] | None = None,
    ) -> pd.DataFrame:
        """SRCC of the first minus the second in each domain: ``domain``, ``value``, ``standard_error``, ``n``, ``seed``."""
        parts = []
        for domain in self.domains if domains is None else domains:
            rows = self.rows[domain]
            found = agreement_gap(
                first[rows],
                second[rows],
                self.opinions[rows],
                resamples=resamples,
                random_state=self.seed,
            )
            parts.append({"domain": domain, **found, "seed": self.seed})
        return pd.DataFrame(parts)

    def seen_minus_unseen(self, variant: str = ATTGF, *, resamples: int = 300) -> pd.DataFrame:
        """SRCC on a domain of the networks that have seen it, on average, minus that of the one that has not: columns as of :meth:`gaps`.

        The error is the mean of those of single differences: networks that judge the same images err together.
        """
        scores = {unseen: self.scores(self.others(unseen), variant) for unseen in self.domains}
        parts = []
        for domain in self.domains:
            each = [
                self.gaps(scores[other], scores[domain], resamples=resamples, domains=[domain])
                for other in self.others(domain)
            ]
            parts.append(pd.concat(each).groupby("domain", as_index=False).mean())
        return pd.concat(parts, ignore_index=True).astype({"n": int, "seed": int})


def combined_gaps(
    studies: Sequence[GeneralisationStudy],
    first: Sequence[NDArray[np.float64]],
    second: Sequence[NDArray[np.float64]],
    *,
    resamples: int = 300,
    domains: Sequence[str] | None = None,
) -> pd.DataFrame:
    """SRCC of the first scores minus the second, a study each: by ``domain`` over seeds, then ``"mean"`` over domains.

    Columns ``domain``, ``value``, ``standard_error`` (the larger of images' and seeds'), ``n``, ``seeds``.
    """
    check_same_length(studies=studies, first=first, second=second)
    by_seed = [
        study.gaps(one, other, resamples=resamples, domains=domains)
        for study, one, other in zip(studies, first, second, strict=True)
    ]
    means = [mean_over_domains(rows, ["seed"]).assign(domain="mean") for rows in by_seed]
    return combine_seeds(pd.concat([*by_seed, *means], ignore_index=True), by=["domain"])
