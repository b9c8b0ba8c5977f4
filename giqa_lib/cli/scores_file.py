"""Tables on disk: scores as CSV or Parquet, and what other people's tables are read as."""

import json
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from giqa_lib.checks import InputError, check_choice, error_line

__all__ = ["TABLE_SUFFIXES", "read_scores", "read_table", "write_table"]

TABLE_SUFFIXES = (".csv", ".parquet", ".json")
_METADATA = b"giqa_lib"


def write_table(table: pd.DataFrame, path: Path, *, about: Mapping[str, Any]) -> None:
    """Write ``table`` as CSV or Parquet by the suffix; Parquet carries ``about`` as metadata.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.csv"
    >>> write_table(pd.DataFrame({"name": ["a"], "raw": [0.1]}), path, about={})
    >>> path.read_text().split()
    ['name,raw', 'a,0.1']
    """
    check_choice(path.suffix, (".csv", ".parquet"), name="table's suffix")
    if path.suffix == ".csv":
        # a file name need not be UTF-8; escaped so, the table holds its very bytes
        path.write_bytes(table.to_csv(index=False).encode("utf-8", errors="surrogateescape"))
        return
    _check_text(table, path)
    content = pa.Table.from_pandas(table, preserve_index=False)
    metadata = {**(content.schema.metadata or {}), _METADATA: json.dumps(dict(about)).encode()}
    pq.write_table(content.replace_schema_metadata(metadata), path)


def read_table(path: Path, *, columns: Sequence[str]) -> pd.DataFrame:
    """A CSV, Parquet or JSON table (a list of objects) with these columns.

    What stands in a CSV file stays text: an image may be called 007 or None. Raises ``InputError`` for a file that
    is not there, cannot be read, or lacks a column.

    >>> read_table(Path("/nowhere.csv"), columns=["name"])
    Traceback (most recent call last):
    giqa_lib.checks.InputError: table: expected a file, got /nowhere.csv, not there; ...
    """
    if not path.is_file():
        hint = "look for a misspelling"
        got = f"{path}, {'a folder' if path.is_dir() else 'not there'}"
        raise InputError(error_line("table", expected="a file", got=got, hint=hint))
    check_choice(path.suffix.lower(), TABLE_SUFFIXES, name=f"suffix of {path}")
    try:
        table = _read(path)
    except (ValueError, pa.ArrowException, pd.errors.ParserWarning) as error:
        got = str(error).splitlines()[0] if str(error) else type(error).__name__
        hint = "write it again, or give it the suffix of its format"
        expected = "a table of its suffix"
        raise InputError(error_line(str(path), expected=expected, got=got, hint=hint)) from error
    missing = [column for column in columns if column not in table]
    if missing:
        got = ", ".join(map(str, table.columns)) or "none"
        hint = "rename its columns, or name them with the options"
        expected = f"columns {', '.join(columns)}"
        raise InputError(error_line(str(path), expected=expected, got=got, hint=hint))
    return table


def read_scores(path: Path) -> pd.DataFrame:
    """The table that ``giqa score`` wrote, given it or the folder that it lies in."""
    if path.is_dir():
        found = [path / f"scores{suffix}" for suffix in (".parquet", ".csv")]
        path = next((one for one in found if one.is_file()), found[1])
    table = read_table(path, columns=("name", "rank", "calibrated", "raw"))
    for column in ("rank", "calibrated", "raw"):
        try:
            table[column] = table[column].astype(np.float64)
        except (ValueError, TypeError) as error:
            hint = "give the table as giqa score wrote it"
            got = f"column {column}: {error}"
            raise InputError(
                error_line(str(path), expected="numbers", got=got, hint=hint)
            ) from error
    twice = table["name"][table["name"].duplicated()]
    if len(twice):
        got, hint = f"{twice.iloc[0]!r} twice", "score one set of images at a time"
        raise InputError(error_line(str(path), expected="each name once", got=got, hint=hint))
    return table


def _check_text(table: pd.DataFrame, path: Path) -> None:
    for name in table.get("name", ()):
        try:
            str(name).encode()
        except UnicodeEncodeError as error:
            got, hint = repr(name), "write the table as .csv, or rename the file"
            expected = "names in UTF-8, as Parquet has them"
            raise InputError(
                error_line(path.name, expected=expected, got=got, hint=hint)
            ) from error


def _read(path: Path) -> pd.DataFrame:
    match path.suffix.lower():
        case ".csv":
            with warnings.catch_warnings():  # a row with more fields than the head has columns
                warnings.simplefilter("error", pd.errors.ParserWarning)
                return pd.read_csv(
                    path,
                    dtype=object,
                    keep_default_na=False,
                    encoding_errors="surrogateescape",
                    index_col=False,
                )
        case ".parquet":
            return pq.read_table(path).to_pandas()
        case _:
            rows = json.loads(path.read_text(encoding="utf-8"))
            if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
                raise ValueError("JSON that is no list of objects, one a row")
            return pd.DataFrame(rows)
