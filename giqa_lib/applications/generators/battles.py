"""Encounters of GANs as tables: who wins by which formula, and whether a measure of images agrees."""

from collections.abc import Callable, Sequence

import pandas as pd
from torch import Tensor

from giqa_lib.evaluation import FORMULAS, Encounter, Player, gam, gmam

__all__ = ["agreement_with", "battle_table", "on_larger_images"]


def battle_table(
    encounter: Encounter,
    *,
    formulas: Sequence[str] = tuple(FORMULAS),
    tolerance: float = 0.25,
    resamples: int = 1000,
    random_state: int,
) -> pd.DataFrame:
    """One row a formula, GMAM last: ``formula``, ``r_test``, ``r_sample``, their ends, ``winner``, ``support``, ``reason``.

    Columns ``test low``, ``test high``, ``sample low``, ``sample high``. GMAM has no r_test; its value, which is compared
    with 0 and not 1, stands under ``r_sample``, and its support is missing.
    """
    rows = []
    for formula in formulas:
        found = gam(
            encounter,
            formula=formula,
            tolerance=tolerance,
            resamples=resamples,
            random_state=random_state,
        )
        rows.append(
            {
                "formula": formula,
                "r_test": found.r_test.value,
                "test low": found.r_test.low,
                "test high": found.r_test.high,
                "r_sample": found.r_sample.value,
                "sample low": found.r_sample.low,
                "sample high": found.r_sample.high,
                "winner": found.winner,
                "support": found.support,
                "reason": found.reason,
            }
        )
    value = gmam(encounter, resamples=resamples, random_state=random_state)
    last = {
        "formula": "gmam",
        "r_sample": value.value,
        "sample low": value.low,
        "sample high": value.high,
        "winner": value.winner,
        "reason": "both discriminators agree"
        if value.winner in encounter.names
        else "they disagree",
    }
    return pd.DataFrame([*rows, last])


def agreement_with(
    winners: pd.Series, values: pd.DataFrame, *, lower_is_better: bool = True
) -> pd.Series:
    """Whether each winner is the player with the better value; missing where no player won, or all values are equal.

    ``winners`` has one name for each row of ``values``, whose columns are the players.

    >>> values = pd.DataFrame({"a": [1.0, 1.0], "b": [2.0, 2.0]})
    >>> agreement_with(pd.Series(["a", "tie"]), values).tolist()
    [True, <NA>]
    """
    best = values.idxmin(axis=1) if lower_is_better else values.idxmax(axis=1)
    same = (winners == best).astype("boolean")
    decided = winners.isin(values.columns) & (values.nunique(axis=1) > 1)
    return same.where(decided, pd.NA)


def on_larger_images(player: Player, judged: Callable[[Tensor], Tensor]) -> Player:
    """A player whose discriminator gives several parts of an image a probability each: their mean.

    ``judged`` gives (n x parts,), image by image. So the report's notebooks show a discriminator that was trained at
    28 pixels images of 32.

    >>> import torch
    >>> twice = on_larger_images(Player(name="a", generate=torch.zeros, judge=len), lambda x: x.flatten())
    >>> twice.judge(torch.tensor([[0.2, 0.4], [0.6, 0.8]])).tolist()
    [0.30000001192092896, 0.7000000476837158]
    """
    return Player(
        name=player.name,
        generate=player.generate,
        judge=lambda images: judged(images).reshape(len(images), -1).mean(1),
    )
