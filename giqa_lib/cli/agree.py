"""``giqa agree``: scores against what people said."""

from pathlib import Path

import click
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from giqa_lib.applications import opinion_agreement, order_agreement
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
    values = read_scores(scores).set_index("name")[by].astype(np.float64)
    table = read_table(people, columns=())
    paired = better in table and worse in table
    columns = [better, worse] if paired else [name]
    if not paired and (name not in table or opinion not in table):
        got = ", ".join(map(str, table.columns)) or "none"
        expected = f"columns {name} and {opinion}, or {better} and {worse}"
        hint = "name them with --name, --opinion, --better, --worse"
        raise InputError(error_line(str(people), expected=expected, got=got, hint=hint))
    known, dropped = _known(table, columns, values, missing)
    if paired:
        first, second = (_scores(known[column], values) for column in columns)
        found = order_agreement(first, second)
    else:
        opinions = _numbers(known[opinion], people)
        found = opinion_agreement(_scores(known[name], values), opinions)
    lines = [found.to_string(index=False, na_rep="", float_format=lambda v: f"{v:.3f}")]
    if dropped:
        lines.append(f"{dropped} of {len(table)} rows left out: their images have no score")
    content = {"measures": found.to_dict("records"), "rows": len(known), "dropped": dropped}
    return Report(lines=tuple(lines), content=content)


def _known(
    table: pd.DataFrame, columns: list[str], values: "pd.Series[float]", missing: str
) -> tuple[pd.DataFrame, int]:
    """The rows all of whose images have a score, and how many have none."""
    there = table[columns].astype(str).isin(values.index).all(axis=1)
    if not there.all() and missing == "refuse":
        row = table.loc[~there, columns].iloc[0].tolist()
        got = f"none for {', '.join(map(repr, row))}"
        hint = f"{int((~there).sum())} of {len(table)} rows; --missing drop leaves them out"
        raise InputError(error_line("scores", expected="one for each image", got=got, hint=hint))
    if not there.any():
        hint = "the names must be those in the table of scores"
        got = f"none of {len(table)}"
        raise InputError(
            error_line("people", expected="rows whose images have scores", got=got, hint=hint)
        )
    return table[there], int((~there).sum())


def _scores(names: pd.Series, values: "pd.Series[float]") -> NDArray[np.float64]:
    return np.asarray(values.loc[names.astype(str)], dtype=np.float64)


def _numbers(column: pd.Series, path: Path) -> NDArray[np.float64]:
    try:
        return pd.to_numeric(column).to_numpy(dtype=np.float64)
    except (ValueError, TypeError) as error:
        hint = "leave out rows without an opinion"
        got = f"column {column.name}: {error}"
        raise InputError(error_line(str(path), expected="numbers", got=got, hint=hint)) from error
