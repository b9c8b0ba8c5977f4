"""The book's own files: where they lie, and what they say.

The numbers of the papers, the list of exhibits, the claims and the deviations are data of
the book, under ``book/papers``; what was measured lies under ``book/results``.
"""

import os
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from giqa_lib.checks import DataUnavailable, InputError, error_line

__all__ = [
    "PROFILES",
    "claims",
    "deviations",
    "exhibits",
    "find_checkout",
    "paper_values",
    "record_path",
]

PROFILES = ("quick", "cpu", "paper")


def find_checkout(start: str | os.PathLike[str] = ".") -> Path:
    """The folder of the book: ``$GIQA_BOOK``, else the nearest one above that has a ``_toc.yml``.

    A notebook runs with its own folder as working directory, so the search goes upwards.

    >>> find_checkout().joinpath("_toc.yml").name
    '_toc.yml'
    """
    named = os.environ.get("GIQA_BOOK")
    folder = Path(named or start).resolve()
    for candidate in (folder,) if named else (folder, *folder.parents):
        if (candidate / "_toc.yml").is_file() and (candidate / "book").is_dir():
            return candidate
    hint = "run inside a checkout of the book, or set GIQA_BOOK to one"
    raise DataUnavailable(
        error_line(
            "book", expected="a folder with _toc.yml and book/", got=str(folder), hint=hint
        )
    )


def record_path(notebook: str, profile: str, *, root: Path) -> Path:
    """Where the record of a notebook's run under a profile lies.

    >>> record_path("1_giqa/density_scores", "cpu", root=Path("r")).as_posix()
    'r/book/results/cpu/1_giqa/density_scores.json'
    """
    return root / "book" / "results" / profile / f"{notebook}.json"


def _read_csv(path: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    frame = pd.read_csv(path)
    missing = [column for column in columns if column not in frame]
    if missing:
        raise InputError(
            error_line(
                str(path), expected=f"columns {list(columns)}", got=f"none named {missing}", hint="add them"
            )
        )
    return frame


def paper_values(root: Path) -> pd.DataFrame:
    """Every number the papers report: paper, exhibit, metric, row, column, value, std, better."""
    columns = ("paper", "exhibit", "metric", "row", "column", "value", "std", "better", "note")
    frame = _read_csv(root / "book" / "papers" / "values.csv", columns)
    return frame.astype({"row": str, "column": str})


def exhibits(root: Path) -> pd.DataFrame:
    """Every table and figure of the papers, the notebook that answers it, and how far it is."""
    columns = ("paper", "exhibit", "kind", "shows", "notebook", "state")
    return _read_csv(root / "book" / "papers" / "exhibits.csv", columns)


def _read_list(path: Path, fields: tuple[str, ...]) -> list[dict[str, Any]]:
    rows = yaml.safe_load(path.read_text())
    seen: set[str] = set()
    for row in rows:
        missing = [field for field in fields if field not in row]
        if missing:
            where = f"{path.name}: {row.get('id', row)}"
            raise InputError(
                error_line(where, expected=f"fields {list(fields)}", got=f"none named {missing}", hint="add them")
            )
        if row["id"] in seen:
            raise InputError(
                error_line(path.name, expected="one row an id", got=f"two of {row['id']}", hint="rename one")
            )
        seen.add(row["id"])
    return rows


def claims(root: Path) -> list[dict[str, Any]]:
    """The claims of ``claims.yml``, each with an id, its place and, if attempted, its margin."""
    rows = _read_list(
        root / "book" / "papers" / "claims.yml", ("id", "paper", "claim", "place", "attempted")
    )
    for row in rows:
        wanted = ("notebook", "scale", "result", "expect", "margin", "margin_reason")
        missing = [field for field in wanted if row["attempted"] and field not in row]
        if not row["attempted"] and not row.get("reason"):
            missing.append("reason")
        if missing:
            hint = "an attempted claim states its margin before the run, another one its reason"
            raise InputError(
                error_line(f"claim {row['id']}", expected="complete", got=f"no {missing}", hint=hint)
            )
    return rows


def deviations(root: Path) -> list[dict[str, Any]]:
    """What is done otherwise than in a paper: id, paper, notebooks, what, why, expected effect."""
    return _read_list(
        root / "book" / "papers" / "deviations.yml",
        ("id", "paper", "notebooks", "what", "why", "expected_effect"),
    )
