"""``giqa agree``: scores against what people said."""

import math
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import click
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from giqa_lib.applications.opinion import opinion_agreement, order_agreement
from giqa_lib.checks import InputError, error_line
from giqa_lib.cli.options import PATH, reported
from giqa_lib.cli.reporting import Report
from giqa_lib.cli.scores_file import read_scores, read_table

__all__ = ["agree"]


@click.command()
@click.argument("scores", type=PATH)
@click.argument("people", type=PATH)
@click.option("--name", default="name", show_default=True, help="Column with the images' names.")
@click.option(
    "--opinion",
    default="opinion",
    show_default=True,
    help="Column with opinions, higher is better.",
)
@click.option("--better", default="better", show_default=True, help="Column: better image's name.")
@click.option("--worse", default="worse", show_default=True, help="Column: worse image's name.")
@click.option(
    "--by", type=click.Choice(["calibrated", "raw"]), default="calibrated", show_default=True
)
@click.option(
    "--missing",
    type=click.Choice(["refuse", "drop"]),
    default="refuse",
    show_default=True,
    help="What to do with people's rows whose image has no score.",
)
@reported
def agree(
    scores: Path,
    people: Path,
    name: str,
    opinion: str,
    better: str,
    worse: str,
    by: str,
    missing: str,
) -> Report:
    """Measure how far SCORES agree with PEOPLE.

    SCORES is what giqa score wrote, PEOPLE a .csv, .parquet or .json table.

    With columns name and opinion, one row an image: SRCC, KRCC and PLCC with 95 % intervals. With
    columns better and worse, one row a pair: the share of pairs in the same order.

    \b
    Examples:
      giqa agree scores opinions.csv --opinion MOS
      giqa agree scores pairs.csv --better winner --worse loser
    """
    # a dictionary and not an index: pandas' text has no place for names that are not UTF-8
    scored = read_scores(scores)
    values = dict(zip(scored["name"].astype(object).tolist(), scored[by].tolist(), strict=True))
    table = read_table(people, columns=())
    paired = better in table and worse in table
    columns = [better, worse] if paired else [name]
    if not paired and (name not in table or opinion not in table):
        got = ", ".join(map(str, table.columns)) or "none"
        expected = f"columns {name} and {opinion}, or {better} and {worse}"
        hint = "name them with --name, --opinion, --better, --worse"
        raise InputError(error_line(str(people), expected=expected, got=got, hint=hint))
    known, dropped = _known(table, columns, values, missing, people)
    opinions = None if paired else _numbers(known, name, opinion, people)
    _check_rows(known, columns, people)
    if opinions is None:
        first, second = (_scores(known[column], values) for column in columns)
        found = order_agreement(first, second)
    else:
        found = opinion_agreement(_scores(known[name], values), opinions)
    lines = [found.to_string(index=False, na_rep="", float_format=lambda v: f"{v:.3f}")]
    if dropped:
        lines.append(f"{dropped} of {len(table)} rows left out: their images have no score")
    content = {"measures": found.to_dict("records"), "rows": len(known), "dropped": dropped}
    return Report(lines=tuple(lines), content=content)


def _known(
    table: pd.DataFrame, columns: list[str], values: Mapping[str, float], missing: str, path: Path
) -> tuple[pd.DataFrame, int]:
    """The rows all of whose images have a score, and how many have none."""
    named = table[columns].to_numpy(dtype=object).tolist()
    there = np.array([all(str(one) in values for one in row) for row in named], dtype=bool)
    if not there.all() and missing == "refuse":
        got = f"none for {', '.join(map(repr, named[int(np.argmin(there))]))}"
        hint = f"{int((~there).sum())} of {len(table)} rows; --missing drop leaves them out"
        raise InputError(error_line("scores", expected="one for each image", got=got, hint=hint))
    if not there.any():
        hint = "the names must be those in the table of scores"
        got = f"none of {len(table)}"
        raise InputError(
            error_line(str(path), expected="rows whose images have scores", got=got, hint=hint)
        )
    return table[there], int((~there).sum())


def _check_rows(known: pd.DataFrame, columns: list[str], path: Path) -> None:
    """One row an image, or two images a pair: anything else would count for more than it is."""
    names = [[str(one) for one in row] for row in known[columns].to_numpy(dtype=object).tolist()]
    if len(columns) == 2:
        same = [first for first, second in names if first == second]
        expected, hint = "two images a pair", "leave such pairs out"
        got = f"{same[0]!r} against itself" if same else ""
    else:
        count = Counter(row[0] for row in names)
        twice = [name for name, number in count.items() if number > 1]
        expected, hint = "one row an image", "give each image's mean opinion"
        got = f"{twice[0]!r} {count[twice[0]]} times" if twice else ""
        if not got and len(names) < 3:
            expected, got, hint = "three images or more", str(len(names)), "add opinions"
    if got:
        raise InputError(error_line(str(path), expected=expected, got=got, hint=hint))


def _scores(names: pd.Series, values: Mapping[str, float]) -> NDArray[np.float64]:
    return np.array([values[str(name)] for name in names.tolist()], dtype=np.float64)


def _numbers(known: pd.DataFrame, name: str, opinion: str, path: Path) -> NDArray[np.float64]:
    numbers = []
    for image, value in known[[name, opinion]].to_numpy(dtype=object).tolist():
        try:
            numbers.append(float(value))
        except (ValueError, TypeError):
            numbers.append(math.nan)
        if not math.isfinite(numbers[-1]):
            got, hint = f"{value!r} for {image!r}", "leave out rows without an opinion"
            expected = f"numbers in column {opinion}"
            raise InputError(error_line(str(path), expected=expected, got=got, hint=hint))
    return np.array(numbers, dtype=np.float64)
