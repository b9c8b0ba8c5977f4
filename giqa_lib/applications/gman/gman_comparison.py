r"""What one and several discriminators are compared by, seed by seed: steadiness, images, variety, the metric.

Shared by the chapters on MNIST, on CIFAR-10 and on aggregation. Every function takes one :class:`GMANStudy` a seed and
returns rows with ``seed``, ``value``, ``standard_error`` and ``n``, which :func:`~giqa_lib.evaluation.combine_seeds` joins.
"""

from collections.abc import Sequence

import pandas as pd

from giqa_lib.applications.generators import (
    GeneratorJudge,
    agreement_with,
    battle_table,
    classes_hit,
    is_collapsed,
    log_ratios,
    stability,
)
from giqa_lib.applications.gman.gman_study import GMAN_MODELS, GMAN_PAIRS, GMANStudy
from giqa_lib.applications.snapshots import effective_classes
from giqa_lib.checks import InputError, check_choice, check_same_length, error_line

__all__ = [
    "class_variety",
    "judged_models",
    "metric_agreement",
    "own_battles",
    "steadiness_changes",
]

LOWER_IS_BETTER = {"FID": True, "QS": False, "DS": False}


def steadiness_changes(
    losses: pd.DataFrame, pairs: Sequence[tuple[str, str]] = GMAN_PAIRS
) -> pd.DataFrame:
    r"""How the second run of each pair is steadier than the first, and the mean over the pairs ("both pairs").

    ``losses`` is that of :func:`stability`. ``metric`` is "log2 ratio of increment variance" or "difference of spikes"
    (of their shares), ``player`` "generator" or "a discriminator", ``name`` "second over first"; negative is steadier.

    >>> frame = pd.DataFrame({"run": ["a"] * 5 + ["b"] * 5, "seed": 0, "player": "generator", "step": [*range(5)] * 2,
    ...     "value": [0.0, 1, 0, 1, 0, 0, 2, 0, 2, 0]})
    >>> steadiness_changes(frame, [("a", "b")]).query("name == 'both pairs'")["value"].round(6).tolist()
    [0.0, 2.0]
    """
    steady = stability(losses)
    ratios = log_ratios(steady, pairs, by="player", metric="increment variance")
    parts = [ratios.assign(metric="log2 ratio of increment variance")]
    wide = steady.pivot(index=["seed", "player"], columns="run", values="spikes")
    for first, second in pairs:
        found = (wide[second] - wide[first]).dropna().rename("value").reset_index()
        parts.append(
            found.assign(
                name=f"{second} over {first}",
                metric="difference of spikes",
                standard_error=0.0,
                n=1,
            )
        )
    changes = pd.concat(parts, ignore_index=True)
    average = changes.groupby(["seed", "player", "metric"], as_index=False)[
        ["value", "standard_error", "n"]
    ].mean()
    return pd.concat([changes, average.assign(name="both pairs")], ignore_index=True)


def judged_models(gmans: Sequence[GMANStudy], judges: Sequence[GeneratorJudge]) -> pd.DataFrame:
    """FID, QS, DS, recall and coverage of the four models, and of the multi-adversarial ones at "equal time".

    A step with five discriminators costs about three with one: "GMAN, equal time" is GMAN at the first of the
    preset's snapshots, a third of its steps. ``run``, ``seed``, ``metric``, ``value``, ``standard_error``, ``n``.
    """
    check_same_length(gmans=gmans, judges=judges)
    parts = []
    for gman, judge in zip(gmans, judges, strict=True):
        parts += [gman.judged(judge, run) for run in GMAN_MODELS]
        early = gman.preset.steps[0]
        for _, several in GMAN_PAIRS:
            found = gman.judged(judge, several, step=early)
            parts.append(found.assign(run=f"{several}, equal time"))
    return pd.concat(parts, ignore_index=True)


def class_variety(
    gmans: Sequence[GMANStudy], runs: Sequence[str], *, count: int = 1000
) -> pd.DataFrame:
    """``classes hit``, ``effective classes`` and whether it ``collapsed`` (1 or 0), by the study's classifier.

    Of ``count`` images of each run, against the study's real images.
    """
    rows = []
    for gman in gmans:
        real = gman.predicted(gman.study.real.tensor())
        for run in runs:
            found = gman.predicted(gman.images(run, count))
            values = {
                "classes hit": classes_hit(found, real),
                "effective classes": effective_classes(found),
                "collapsed": float(is_collapsed(found, real)),
            }
            rows += [
                {"run": run, "seed": gman.study.seed, "metric": metric, "value": value}
                for metric, value in values.items()
            ]
    return pd.DataFrame(rows).assign(standard_error=0.0, n=count)


def own_battles(gmans: Sequence[GMANStudy], *, tolerance: float, random_state: int) -> pd.DataFrame:
    """:func:`battle_table` of each pair of each seed's models, with ``pair`` and ``seed``."""
    tables = []
    for gman in gmans:
        for pair in GMAN_PAIRS:
            found = battle_table(
                gman.encounter(*pair), tolerance=tolerance, random_state=random_state
            )
            tables.append(found.assign(pair=" vs ".join(pair), seed=gman.study.seed))
    return pd.concat(tables, ignore_index=True)


def metric_agreement(battles: pd.DataFrame, judged: pd.DataFrame) -> pd.DataFrame:
    """How often a metric decides, for whom, and how often a measure of the images has the same winner.

    ``battles`` are rows of one formula of :func:`own_battles`, ``judged`` those of :func:`judged_models`. One row each:
    ``what``, ``trainings`` and ``of`` (all encounters; for "as by FID", "as by QS" and "as by DS" the decided ones).

    >>> battles = pd.DataFrame({"pair": "GAN vs GMAN", "seed": [0, 1], "winner": ["GAN", "tie"]})
    >>> rows = [("GAN", s, m, v) for s in (0, 1) for m, v in (("FID", 1.0), ("QS", 0.1), ("DS", 0.1))]
    >>> rows += [("GMAN", s, m, 2 * v) for _, s, m, v in rows]
    >>> judged = pd.DataFrame(rows, columns=["run", "seed", "metric", "value"])
    >>> metric_agreement(battles, judged)[["what", "trainings", "of"]].values.tolist()
    [['won by five discriminators', 0, 2], ['won by one', 1, 2], ['as by FID', 1, 1], ['as by QS', 0, 1], ['as by DS', 0, 1]]
    """
    for pair in battles["pair"].unique():
        check_choice(pair, [" vs ".join(each) for each in GMAN_PAIRS], name="pair")
    if battles[["pair", "seed"]].duplicated().any():
        hint = "take the rows of one formula"
        raise InputError(
            error_line("battles", expected="one row a pair and seed", got="several", hint=hint)
        )
    several = int(battles["winner"].isin([each for _, each in GMAN_PAIRS]).sum())
    one = int(battles["winner"].isin([each for each, _ in GMAN_PAIRS]).sum())
    rows = [
        ("won by five discriminators", several, len(battles)),
        ("won by one", one, len(battles)),
    ]
    for metric, lower in LOWER_IS_BETTER.items():
        values = judged[judged["metric"] == metric].pivot(
            index="seed", columns="run", values="value"
        )
        same = 0
        for pair in GMAN_PAIRS:
            part = battles[battles["pair"] == " vs ".join(pair)].reset_index(drop=True)
            if len(part):
                both = values.loc[part["seed"], list(pair)].reset_index(drop=True)
                agree = agreement_with(part["winner"], both, lower_is_better=lower)
                same += int(agree.fillna(value=False).sum())
        rows.append((f"as by {metric}", same, several + one))
    return pd.DataFrame(rows, columns=["what", "trainings", "of"])
