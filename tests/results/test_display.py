import base64
import io
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from PIL import Image

from giqa_lib.checks import InputError
from giqa_lib.results import markdown_table, show, show_table
from giqa_lib.results.display import METADATA_KEY


@dataclass
class Dot:
    """A plot of one point."""

    alt: str = "One dot at 1, 2."
    figure: Figure = field(default_factory=Figure)
    data: pd.DataFrame = field(default_factory=lambda: pd.DataFrame({"x": [1], "y": [2.123456789]}))


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """What a notebook would get: (data, metadata) of each display."""
    found: list[tuple[dict[str, Any], dict[str, Any]]] = []

    def display(bundle: dict[str, Any], *, raw: bool, metadata: dict[str, Any]) -> None:
        assert raw
        found.append((bundle, metadata[METADATA_KEY]))

    monkeypatch.setattr("IPython.display.display", display)
    return found


def test_a_plot_carries_words_and_data(shown: list[Any]) -> None:
    show(Dot(), name="fig-dot", caption="A dot.")
    bundle, details = shown[0]
    assert Image.open(io.BytesIO(base64.b64decode(bundle["image/png"]))).format == "PNG"
    assert details == {
        "name": "fig-dot", "alt": "One dot at 1, 2.", "caption": "A dot.", "csv": "x,y\n1,2.12346\n",
    }  # fmt: skip


def test_equal_plots_are_equal_bytes(shown: list[Any]) -> None:
    for _ in range(2):
        show(Dot(), name="fig-dot", caption="A dot.")
    assert shown[0] == shown[1]
    assert b"Matplotlib" not in base64.b64decode(shown[0][0]["image/png"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "Fig 1"}, "name: expected lower-case letters"),
        ({"caption": " "}, "fig-dot, caption: expected one paragraph"),
        ({"caption": "One.\n\nTwo."}, "fig-dot, caption: expected one paragraph"),
        ({"plot": Dot(alt="")}, "fig-dot, alt text: expected one paragraph"),
    ],
)
def test_a_plot_without_words_is_refused(
    shown: list[Any], changes: dict[str, Any], message: str
) -> None:
    given = {"plot": Dot(), "name": "fig-dot", "caption": "A dot."} | changes
    with pytest.raises(InputError, match=message):
        show(given.pop("plot"), **given)
    assert not shown


def test_a_table_travels_as_markdown(shown: list[Any]) -> None:
    show_table(pd.DataFrame({"a": [0.123456]}), name="tbl-a", caption="A table.", digits=2)
    bundle, details = shown[0]
    assert bundle["text/markdown"] == "| a |\n|--:|\n| 0.12 |"
    assert details == {"name": "tbl-a", "caption": "A table.", "table": True}
    with pytest.raises(InputError, match="tbl-a, caption"):
        show_table(pd.DataFrame({"a": [1]}), name="tbl-a", caption="")


def test_markdown_cells() -> None:
    frame = pd.DataFrame(
        {
            "a|b": ["x|y", "two\nlines"],
            "f": [np.float32(0.5), np.nan],
            "i": [1, 2],
            "o": [None, True],
        }
    )
    assert markdown_table(frame, 1).split("\n") == [
        "| a\\|b | f | i | o |",
        "|:--|--:|--:|:--|",
        "| x\\|y | 0.5 | 1 |  |",
        "| two lines |  | 2 | True |",
    ]
