"""Plots that are drawn at build time from a committed record."""

import base64
import io
import json

import pandas as pd

from giqa_book.directive import MarkdownDirective, anchor, depend, root_of
from giqa_lib.figures import Plot, power_laws


class PowerLaws(MarkdownDirective):
    """``{power-laws} scale / seconds``: a column against the number of images, with fitted slopes.

    Draws the table ``measured`` of ``book/results/scale.json``, a series a stage.
    """

    required_arguments = 1
    final_argument_whitespace = True

    def markdown(self) -> list[str]:
        record, _, column = (part.strip() for part in self.arguments[0].partition("/"))
        path = root_of(self.env) / "book" / "results" / f"{record}.json"
        depend(self.env, path)
        if not path.exists():
            return ["Nothing has been committed yet."]
        tables = json.loads(path.read_text(encoding="utf-8"))["tables"]
        (rows,) = (part["rows"] for part in tables if part["name"] == "measured")
        label = column[:1].upper() + column[1:]
        plot = power_laws(
            pd.DataFrame(rows), x="images", y=column, by="stage", xlabel="Images", ylabel=label
        )
        caption = (
            f"{label} by the number of images, measured (points), and the power law fitted to each"
            " stage (lines): a slope of 1 is linear, 0 is flat."
        )
        return figure(plot, caption=caption, name=anchor("fig", record, column))


def figure(plot: Plot, *, caption: str, name: str) -> list[str]:
    """A numbered figure as Markdown; the picture travels in the page."""
    picture = io.BytesIO()
    plot.figure.savefig(picture, format="png", dpi=110, metadata={"Software": None})
    source = f"data:image/png;base64,{base64.b64encode(picture.getvalue()).decode()}"
    return [f"~~~~{{figure}} {source}", f":name: {name}", f":alt: {plot.alt}", "", caption, "~~~~"]
