"""``giqa book``: the book's notebooks, run by papermill with checked parameters."""

from pathlib import Path

import click
import jupytext

from giqa_lib.cli.options import PATH, reported
from giqa_lib.cli.reporting import Report
from giqa_lib.results import PROFILES, find_checkout
from giqa_lib.runner import (
    chapters,
    declared_parameters,
    execute,
    notebook_path,
    parse_assignments,
)

__all__ = ["book"]


@click.group()
def book() -> None:
    """Run the book's notebooks.

    In a checkout of the book, or with $GIQA_BOOK set to one.

    \b
    Examples:
      giqa book parameters 5_your_images/score_a_folder
      giqa book run 5_your_images/score_a_folder -p real=$PWD/photos -p "generated=[$PWD/run1]" --to out
    """


@book.command("list")
@reported
def list_chapters() -> Report:
    """The notebooks, in reading order."""
    names = chapters(find_checkout())
    return Report(lines=tuple(names), content={"notebooks": names})


@book.command()
@click.argument("notebook")
@reported
def parameters(notebook: str) -> Report:
    """The parameters of NOTEBOOK, their types and defaults."""
    declared = declared_parameters(jupytext.read(notebook_path(notebook, find_checkout())))
    return Report(
        lines=tuple(f"{p.name}: {p.annotation} = {p.default!r}" for p in declared.values()),
        content={
            "notebook": notebook,
            "parameters": [
                {"name": p.name, "type": p.annotation, "default": p.default}
                for p in declared.values()
            ],
        },
    )


@book.command()
@click.argument("notebook")
@click.option(
    "--profile",
    type=click.Choice(PROFILES),
    default="quick",
    show_default=True,
    help="Sizes and lengths: a look, hours on two cores, a GPU.",
)
@click.option(
    "-p",
    "assignments",
    metavar="NAME=VALUE",
    multiple=True,
    help="Set a parameter, as YAML; repeatable. Unknown names and wrong types are refused.",
)
@click.option(
    "--to",
    "target",
    type=PATH,
    help="Folder for the executed notebook and its record; by default the book's own places.",
)
@reported
def run(notebook: str, profile: str, assignments: tuple[str, ...], target: Path | None) -> Report:
    """Run NOTEBOOK with checked parameters.

    NOTEBOOK is one of giqa book list. Its parameters are checked before papermill executes it.

    \b
    Examples:
      giqa book run 1_giqa/density_scores -p components=5
      giqa book run 5_your_images/score_a_folder -p real=$PWD/photos -p "generated=[$PWD/run1]" --to out
    """
    root = find_checkout()
    paths = execute(
        notebook,
        profile=profile,
        overrides=parse_assignments(assignments),
        root=root,
        results=root / "book" / "results" if target is None else target / "results",
        pages=root / "build" / profile / "notebooks" if target is None else target / "notebooks",
    )
    return Report(
        lines=(f"notebook {paths.notebook}", f"record   {paths.record}"),
        content={"notebook": str(paths.notebook), "record": str(paths.record)},
    )
