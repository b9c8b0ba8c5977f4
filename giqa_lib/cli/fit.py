"""``giqa fit``: real images become a saved scorer."""

from pathlib import Path

import click

from giqa_lib.applications.folders import ScorerSettings, fit_scorer
from giqa_lib.cli.options import PATH, computing, opened, output, reported, settings_options
from giqa_lib.cli.reporting import Report
from giqa_lib.cli.writing import whole_folder
from giqa_lib.store import Store

__all__ = ["fit"]


@click.command()
@click.argument("real", type=PATH)
@reported
@output("Folder for the scorer (safetensors and JSON, nothing pickled).")
@settings_options
@click.option(
    "--within-component",
    is_flag=True,
    help="Rank each image among the held-out ones of its own Gaussian (gmm): no kind of image is "
    "favoured for being common.",
)
@computing
def fit(
    real: Path,
    target: Path,
    overwrite: bool,
    settings: ScorerSettings,
    weights: Path | None,
    device: str,
    store: Store | None,
    progress: bool,
) -> Report:
    """Fit a scorer to REAL images.

    REAL is a folder, a .zip or a .parquet file.

    A part of the images is held out and calibrates the score: an image's score is then the share
    of them that score lower, 0.5 for a typical real image. Some hundred images are needed, and
    they should be of the kind that you generate and saved in the same way.

    \b
    Examples:
      giqa fit photos/ --to scorer
      giqa fit faces.zip --to scorer --density knn --neighbours 1
      giqa fit icons/ --to scorer --extractor efficientnet_lite0@64 --components 20
    """
    with whole_folder(target, overwrite=overwrite) as folder:
        scorer = fit_scorer(
            opened(real), settings, weights=weights, device=device, store=store, progress=progress
        )
        scorer.save(folder)
    about = scorer.describe()
    return Report(
        lines=(
            f"{target}: {settings.density} on {about['dimensions']} dimensions of "
            f"{about['features']}, fitted on {about['real']['fitted']} images, calibrated on "
            f"{about['real']['held_out']}",
            f"next: giqa score {target} IMAGES --to scores",
        ),
        content={"scorer": str(target), **about},
    )
