"""Show a plot or a table in a notebook so that the book can number, describe and offer it.

MyST-NB takes alternative text and captions from a cell's metadata, which are fixed before
the run; what a plot shows is known only after it. So the output carries them, and the
runner moves them to where MyST-NB looks (``giqa_lib.runner.notebook``).
"""

import base64
import io
from typing import Any, Protocol

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from giqa_lib.checks import InputError, error_line

__all__ = ["METADATA_KEY", "DescribedPlot", "markdown_table", "show", "show_table"]

METADATA_KEY = "giqa"


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

    display(bundle, raw=True, metadata={METADATA_KEY: metadata})  # type: ignore[no-untyped-call]


def show(plot: DescribedPlot, *, name: str, caption: str) -> None:
    """Display ``plot`` as the book's figure ``name`` (a label such as ``fig-scores``).

    Its data travel as CSV and are offered beside the figure; its alternative text is the
    plot's own.
    """
    if not plot.alt.strip() or not caption.strip():
        raise InputError(
            error_line(name, expected="alt text and a caption", got="an empty one", hint="say what a reader would see")
        )
    picture = io.BytesIO()
    # Fixed metadata: Matplotlib's version stamp would change the bytes of an unchanged figure.
    plot.figure.savefig(picture, format="png", dpi=110, bbox_inches="tight", metadata={"Software": None})
    plt.close(plot.figure)
    encoded = base64.b64encode(picture.getvalue()).decode()
    details = {
        "name": name,
        "alt": plot.alt,
        "caption": caption,
        "csv": plot.data.to_csv(index=False, float_format="%.6g"),
    }
    _publish({"image/png": encoded, "text/plain": plot.alt}, details)


def show_table(frame: pd.DataFrame, *, name: str, caption: str, digits: int = 3) -> None:
    """Display ``frame`` as the book's table ``name``, numbers to ``digits`` places."""
    _publish(
        {"text/markdown": markdown_table(frame, digits), "text/plain": frame.to_string(index=False)},
        {"name": name, "caption": caption, "table": True},
    )


def _cell(value: object, digits: int) -> str:
    if isinstance(value, float):
        return "" if value != value else f"{value:.{digits}f}"
    return str(value).replace("|", "\\|").replace("\n", " ")


def markdown_table(frame: pd.DataFrame, digits: int = 3) -> str:
    """``frame`` as a Markdown pipe table.

    >>> print(markdown_table(pd.DataFrame({"M": [5], "accuracy": [0.65]})))
    | M | accuracy |
    |--:|--:|
    | 5 | 0.650 |
    """
    head = "| " + " | ".join(str(c) for c in frame.columns) + " |"
    rule = "|" + "|".join("--:" if pd.api.types.is_numeric_dtype(t) else ":--" for t in frame.dtypes) + "|"
    rows = ["| " + " | ".join(_cell(v, digits) for v in row) + " |" for row in frame.itertuples(index=False)]
    return "\n".join([head, rule, *rows])
