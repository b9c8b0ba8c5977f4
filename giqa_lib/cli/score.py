"""``giqa score``: images become a table of scores, a contact sheet and a gallery."""

import json
from pathlib import Path

import click
import pandas as pd

from giqa_lib.applications.folders import ScoredImages, load_scorer
from giqa_lib.cli.contact_sheet import contact_sheet, write_png
from giqa_lib.cli.gallery import gallery, write_gallery
from giqa_lib.cli.options import PATH, computing, opened, output, reported
from giqa_lib.cli.reporting import Report
from giqa_lib.cli.scores_file import write_table
from giqa_lib.cli.writing import check_outside, whole_folder
from giqa_lib.data import ImageSet
from giqa_lib.store import Store

__all__ = ["score", "write_scores"]


@click.command()
@click.argument("scorer", type=PATH)
@click.argument("images", type=PATH)
@reported
@output("Folder for scores, contact sheet and gallery.")
@click.option(
    "--format",
    "suffix",
    type=click.Choice(["csv", "parquet"]),
    default="csv",
    show_default=True,
    help="Format of the table of scores.",
)
@click.option(
    "--sheet",
    type=click.IntRange(min=0),
    default=60,
    show_default=True,
    help="Images on the contact sheet; 0 makes none.",
)
@click.option(
    "--gallery",
    "shown",
    type=click.IntRange(min=0),
    default=1000,
    show_default=True,
    help="Images in the gallery, a few kB each; 0 makes none.",
)
@computing
def score(
    scorer: Path,
    images: Path,
    target: Path,
    overwrite: bool,
    suffix: str,
    sheet: int,
    shown: int,
    weights: Path | None,
    device: str,
    store: Store | None,
    progress: bool,
) -> Report:
    """Score IMAGES with a fitted SCORER.

    IMAGES is a folder, a .zip or a .parquet file, SCORER the folder that giqa fit wrote.

    \b
    Writes into the folder --to:
      scores.csv     name, rank (1 is best), calibrated score, its standard error, raw score
      sheet.png      images from the best to the worst
      gallery.html   the same to sort and filter; one file, opens without a network
      unreadable.csv files that could not be read, and why (if any)
      summary.json   what was scored with what

    The calibrated score lies in [0, 1]: the share of held-out real images that score lower. It
    does not depend on which other images are scored.

    \b
    Examples:
      giqa score scorer generated/ --to scores
      giqa score scorer generated.zip --to scores --format parquet --gallery 0
    """
    check_outside(target, images)
    loaded = load_scorer(scorer, weights=weights, device=device)
    pictures = opened(images)
    with whole_folder(target, overwrite=overwrite) as folder:
        scored = loaded.score_images(pictures, store=store, progress=progress)
        write_scores(
            pictures, scored, folder, title=images.name, suffix=suffix, sheet=sheet, shown=shown
        )
    table = scored.table
    summary = _summary(scored)
    best, worst = table.iloc[0], table.iloc[-1]
    return Report(
        lines=(
            f"{target}: {len(table)} images, mean calibrated score "
            f"{summary['mean']:.3f} (held-out real images: 0.5)",
            f"best {best['calibrated']:.3f} {best['name']!r}, "
            f"worst {worst['calibrated']:.3f} {worst['name']!r}",
        ),
        content={"scores": str(target / f"scores.{suffix}"), **summary},
        failures=scored.failures,
    )


def write_scores(
    images: ImageSet,
    scored: ScoredImages,
    folder: Path,
    *,
    title: str,
    suffix: str = "csv",
    sheet: int = 60,
    shown: int = 1000,
) -> None:
    """Everything that ``giqa score`` leaves, into an existing ``folder``.

    ``sheet`` and ``shown`` are the numbers of images on the contact sheet and in the gallery.
    """
    table = scored.table.drop(columns="index")
    write_table(table, folder / f"scores.{suffix}", about=scored.rule)
    if sheet:
        write_png(contact_sheet(images, scored, count=sheet), folder / "sheet.png")
    if shown:
        page = gallery(images, scored, title=f"Scores of {title}", count=shown)
        write_gallery(page, folder / "gallery.html")
    if len(scored.failures):
        write_table(pd.DataFrame(scored.failures), folder / "unreadable.csv", about={})
    summary = json.dumps(_summary(scored), indent=1) + "\n"
    (folder / "summary.json").write_text(summary, encoding="utf-8")


def _summary(scored: ScoredImages) -> dict[str, object]:
    calibrated = scored.table["calibrated"]
    return {
        "images": len(scored.table),
        "unreadable_images": len(scored.failures),
        "mean": float(calibrated.mean()),
        "quartiles": [float(calibrated.quantile(share)) for share in (0.25, 0.5, 0.75)],
        "scorer": scored.rule,
    }
