"""``giqa data``: the named data sets of the book."""

from pathlib import Path

import click

from giqa_lib.checks import DataUnavailable
from giqa_lib.cli.options import reported
from giqa_lib.cli.reporting import Report
from giqa_lib.data import dataset_card, fetch, find, status

__all__ = ["data"]


@click.group()
def data() -> None:
    """List the named data sets, say where one is, fetch one.

    \b
    Examples:
      giqa data list --json
      giqa data where cifar10 || giqa data fetch cifar10
    """


@data.command("list")
@reported
def list_sets() -> Report:
    """List every data set.

    With its size, its licence, and where it was found on this machine ($GIQA_DATA).
    """
    table = status()
    shown = table[["name", "images", "size", "licence", "found"]].replace("", "-")
    rows = [
        {**row, "images": None if row["images"] is None else int(row["images"])}
        for row in table.astype(object).where(table.notna(), None).to_dict("records")
    ]
    return Report(lines=tuple(shown.to_string(index=False).split("\n")), content={"sets": rows})


@data.command()
@click.argument("name")
@reported
def where(name: str) -> Report:
    """Print where the data set NAME lies.

    Exit status 4, and what to do, if it is not here.
    """
    path = find(name)
    if path is None:
        access = dataset_card(name).access
        raise DataUnavailable(f"{name}: not found here. To have it: {access}.")
    return _placed(name, path)


@data.command("fetch")
@click.argument("name")
@reported
def fetch_set(name: str) -> Report:
    """Download the data set NAME.

    If it is missing and may be had so; print where it lies.
    """
    return _placed(name, fetch(name))


def _placed(name: str, path: Path) -> Report:
    return Report(lines=(str(path),), content={"name": name, "path": str(path)})
