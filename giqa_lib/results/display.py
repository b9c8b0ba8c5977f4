"""Show a plot or a table in a notebook so that the book can number, describe and offer it.

MyST-NB takes alternative text and captions from a cell's metadata, which are fixed before
the run; what a plot shows is known only after it. So the output carries them, and the
runner moves them to where MyST-NB looks (``giqa_lib.runner.page``).
"""

import base64
import io
import math
import re
from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from giqa_lib.checks import InputError, error_line

__all__ = ["METADATA_KEY", "DescribedPlot", "markdown_table", "show", "show_table"]

METADATA_KEY = "giqa"
LABEL = re.compile(r"[a-z][a-z0-9-]*")


@runtime_checkable
class DescribedPlot(Protocol):
    """A plot with its alternative text and the data it draws."""

    @property
    def figure(self) -> Figure: ...  # noqa: D102
    @property
    def alt(self) -> str: ...  # noqa: D102
    @property
    def data(self) -> pd.DataFrame: ...  # noqa: D102


def _publish(bundle: dict[str, Any], metadata: dict[str, Any]) -> None:
    from IPython.display import display  # only notebooks have it

    display(bundle, raw=True, metadata={METADATA_KEY: metadata})


def _check_words(name: str, words: Mapping[str, str]) -> None:
    if not LABEL.fullmatch(name):
        hint = "for example fig-scores"
        wanted = "lower-case letters, digits and hyphens"
        raise InputError(error_line("name", expected=wanted, got=repr(name), hint=hint))
    for what, text in words.items():
        # A blank line would end the caption in the page.
        if not text.strip() or "\n\n" in text:
            hint = "say in one paragraph what a reader would see"
            raise InputError(
                error_line(f"{name}, {what}", expected="one paragraph", got=repr(text), hint=hint)
            )


def show(plot: DescribedPlot, *, name: str, caption: str) -> None:
    """Display ``plot`` as the chapter's figure ``name`` (a label such as ``fig-scores``).

    Its data travel as CSV and are offered beside the figure; its alternative text is the
    plot's own. ``name`` is unique in the notebook; in the book the figure's label is
    ``<notebook>-<name>``, so that chapters need not know of each other.
    """
    _check_words(name, {"alt text": plot.alt, "caption": caption})
    picture = io.BytesIO()
    # Matplotlib would stamp its version into the file and change the bytes of an equal figure.
    plot.figure.savefig(
        picture, format="png", dpi=110, bbox_inches="tight", metadata={"Software": None}
    )
    encoded = base64.b64encode(picture.getvalue()).decode()
    details = {
        "name": name,
        "alt": plot.alt,
        "caption": caption,
        "csv": plot.data.to_csv(index=False, float_format="%.6g"),
    }
    _publish({"image/png": encoded, "text/plain": plot.alt}, details)


def show_table(frame: pd.DataFrame, *, name: str, caption: str, digits: int = 3) -> None:
    """Display ``frame`` as the chapter's table ``name``, numbers to ``digits`` places."""
    _check_words(name, {"caption": caption})
    _publish(
        {
            "text/markdown": markdown_table(frame, digits),
            "text/plain": frame.to_string(index=False),
        },
        {"name": name, "caption": caption, "table": True},
    )


def _cell(value: object, digits: int) -> str:
    if isinstance(value, float | np.floating):
        return "" if math.isnan(value) else f"{value:.{digits}f}"
    return "" if value is None else str(value).replace("|", "\\|").replace("\n", " ")


def markdown_table(frame: pd.DataFrame, digits: int = 3) -> str:
    """``frame`` as a Markdown pipe table; its index is left out, a missing value is an empty cell.

    >>> print(markdown_table(pd.DataFrame({"M": [5], "accuracy": [0.65]})))
    | M | accuracy |
    |--:|--:|
    | 5 | 0.650 |
    """
    right = [pd.api.types.is_numeric_dtype(dtype) for dtype in frame.dtypes]
    rows = [
        [_cell(column, digits) for column in frame.columns],
        *([_cell(value, digits) for value in row] for row in frame.itertuples(index=False)),
    ]
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    rule = "|" + "|".join("--:" if number else ":--" for number in right) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])
