"""A contact sheet: images from the best to the worst on one PNG, with their scores."""

import io
from pathlib import Path

from giqa_lib.applications.folders import ScoredImages
from giqa_lib.cli.thumbnails import evenly_spaced, thumbnails
from giqa_lib.data import ImageSet
from giqa_lib.figures import Plot, image_grid

__all__ = ["contact_sheet", "write_png"]

COLUMNS = 10


def contact_sheet(
    images: ImageSet, scored: ScoredImages, *, count: int = 60, side: int = 96
) -> Plot:
    """``count`` of the scored images at evenly spaced ranks, the best first, scores below.

    The number under an image is its calibrated score: the share of held-out real images below it.
    """
    table = scored.table.iloc[evenly_spaced(len(scored.table), count)]
    pictures = thumbnails(images, table["index"].tolist(), side=side)
    titles = [f"{score:.3f}" for score in table["calibrated"]]
    alt = (
        f"{len(table)} of {len(scored.table)} images, row by row from the best score to the worst at "
        f"evenly spaced ranks. The calibrated score under each falls from {titles[0]} through "
        f"{titles[len(titles) // 2]} half way to {titles[-1]}."
    )
    return image_grid(pictures, columns=COLUMNS, titles=titles, alt=alt)


def write_png(plot: Plot, path: Path) -> None:
    """Write a plot as PNG; its alternative text goes into the file as its description."""
    picture = io.BytesIO()
    metadata = {"Software": None, "Description": plot.alt}
    plot.figure.savefig(picture, format="png", dpi=150, bbox_inches="tight", metadata=metadata)
    path.write_bytes(picture.getvalue())
