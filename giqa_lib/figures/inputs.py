"""Checks of what the figures are given: tables with named columns, and images to show."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch

from giqa_lib.checks import InputError, check_images, error_line

__all__ = ["SINGLE", "check_pictures", "plotted_rows", "split_series"]

SINGLE = ""  # the name of the series of a table that has only one


def plotted_rows(
    frame: pd.DataFrame,
    *,
    name: str,
    keys: Sequence[str],
    value: str,
    numbers: Sequence[str] = (),
    error: str | None = None,
) -> pd.DataFrame:
    """The columns of ``frame`` that get drawn, checked.

    ``keys`` tell the rows apart, so no two rows may share them. ``value`` and the columns
    ``numbers`` must be finite. ``error`` holds standard errors >= 0, or NaN where there is none.

    >>> table = pd.DataFrame({"M": [5], "accuracy": [0.6], "note": ["tried"]})
    >>> list(plotted_rows(table, name="frame", keys=["M"], value="accuracy").columns)
    ['M', 'accuracy']
    """
    wanted = list(dict.fromkeys([*keys, value, *([error] if error else [])]))
    missing = [column for column in wanted if column not in frame.columns]
    if missing:
        got = ", ".join(map(str, frame.columns)) or "none"
        raise InputError(
            error_line(
                name,
                expected=f"the column(s) {', '.join(missing)}",
                got=f"columns {got}",
                hint="check the spelling, or rename them",
            )
        )
    if frame.empty:
        raise InputError(
            error_line(name, expected="rows to draw", got="none", hint="check the selection")
        )
    rows = frame[wanted].reset_index(drop=True)
    for column in [value, *numbers]:
        _check_numbers(rows[column], f"{name}[{column!r}]")
    if error:
        _check_numbers(rows[error].dropna(), f"{name}[{error!r}]", at_least=0.0)
    twice = rows.duplicated(list(keys))
    if twice.any():
        first = rows.loc[twice, list(keys)].iloc[0].to_dict()
        got = f"{int(twice.sum())} more, first " + ", ".join(f"{k}={v}" for k, v in first.items())
        hint = "average over seeds first, or name a column that tells them apart as by="
        raise InputError(
            error_line(name, expected=f"one row for each {' and '.join(keys)}", got=got, hint=hint)
        )
    return rows


def _check_numbers(column: pd.Series, name: str, *, at_least: float = -np.inf) -> None:
    if not pd.api.types.is_numeric_dtype(column):
        raise InputError(
            error_line(name, expected="numbers", got=f"dtype {column.dtype}", hint="convert them")
        )
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    bad = ~np.isfinite(values) | (values < at_least)
    if bad.any():
        expected = "finite numbers" if at_least == -np.inf else f"numbers >= {at_least:g}"
        got = f"{values[bad][0]} in row {column.index[bad][0]}"
        raise InputError(
            error_line(name, expected=expected, got=got, hint="leave that row out or mend it")
        )


def split_series(rows: pd.DataFrame, by: str | None) -> dict[str, pd.DataFrame]:
    """The rows of each series, in the order in which the series first appear.

    >>> table = pd.DataFrame({"score": ["KNN", "GMM"], "y": [1, 2]})
    >>> list(split_series(table, "score"))
    ['KNN', 'GMM']
    """
    if by is None:
        return {SINGLE: rows}
    return {str(key): part for key, part in rows.groupby(by, sort=False)}


def check_pictures(images: torch.Tensor, *, at_least: int = 1) -> torch.Tensor:
    """Return ``images`` if they are uint8 NCHW, grey or RGB, and at least so many.

    >>> check_pictures(torch.zeros(2, 1, 4, 4, dtype=torch.uint8)).shape
    torch.Size([2, 1, 4, 4])
    """
    check_images(images)
    if images.dtype != torch.uint8:
        hint = "a generator's [-1, 1] becomes pixels by ((x + 1) * 127.5).round().clamp(0, 255)"
        raise InputError(
            error_line("images", expected="uint8", got=str(images.dtype), hint=hint + ".byte()")
        )
    if len(images) < at_least:
        raise InputError(
            error_line(
                "images",
                expected=f"at least {at_least}",
                got=str(len(images)),
                hint="give more images or show fewer",
            )
        )
    return images
