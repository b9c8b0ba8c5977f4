"""Votes from a file: CSV or Parquet, as ``python -m giqa_lib.collecting export`` writes them."""

import os
from pathlib import Path

import pandas as pd
import pyarrow as pa

from giqa_lib.checks import InputError, error_line
from giqa_lib.evaluation.opinions import check_votes

__all__ = ["read_votes"]


def read_votes(
    path: str | os.PathLike[str], *, lowest: float = 1, highest: float = 5
) -> pd.DataFrame:
    r"""The votes of a ``.csv`` or ``.parquet`` file, checked by :func:`giqa_lib.evaluation.check_votes`.

    Subjects and images are text, so that "007" stays what it is. Raises ``InputError`` for a file that is missing, of another kind, or
    damaged, and for votes that :func:`check_votes` refuses.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "votes.csv"
    >>> _ = path.write_text("subject,session,image,vote\n007,1,a.png,4\n")
    >>> read_votes(path)[["subject", "vote"]].to_numpy().tolist()
    [['007', 4.0]]
    """
    path = Path(path)
    try:
        if path.suffix == ".csv":
            names = {"subject": str, "image": str}
            table = pd.read_csv(path, dtype=names, keep_default_na=False, na_values={"vote": [""]})
        elif path.suffix == ".parquet":
            table = pd.read_parquet(path)
        else:
            hint = "export the answers as one of them"
            raise InputError(
                error_line(str(path), expected=".csv or .parquet", got=path.suffix, hint=hint)
            )
    except InputError:
        raise
    except (
        OSError,
        ValueError,
        pa.ArrowException,
    ) as error:  # pandas' parser errors are ValueErrors
        got = f"{type(error).__name__} ({str(error).splitlines()[0][:80] if str(error) else '-'})"
        hint = "export the answers again"
        raise InputError(
            error_line(str(path), expected="a whole file of votes", got=got, hint=hint)
        ) from error
    return check_votes(table, lowest=lowest, highest=highest)
