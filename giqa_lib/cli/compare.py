"""``giqa compare``: two or more generators, measured against real images."""

import json
from collections.abc import Sequence
from pathlib import Path

import click
import pandas as pd

from giqa_lib.applications.folders import (
    BETTER,
    REAL,
    FolderComparison,
    ScorerSettings,
    compare_sets,
)
from giqa_lib.checks import InputError, error_line
from giqa_lib.cli.contact_sheet import write_png
from giqa_lib.cli.options import (
    PATH,
    computing,
    named_set,
    opened,
    output,
    reported,
    settings_options,
)
from giqa_lib.cli.reporting import Report
from giqa_lib.cli.scores_file import write_table
from giqa_lib.cli.writing import check_outside, whole_folder
from giqa_lib.features import Features, extract, extractor
from giqa_lib.figures import Plot, bars, cumulative_scores
from giqa_lib.store import Store

__all__ = ["compare", "measure_plot", "write_comparison"]


@click.command()
@click.argument("real", type=PATH)
@click.argument("generated", nargs=-1, required=True)
@reported
@output("Folder for the table and the plots.")
@settings_options
@click.option(
    "--k",
    "near",
    type=click.IntRange(min=1),
    default=5,
    show_default=True,
    help="Neighbours of precision, recall, density and coverage.",
)
@computing
def compare(
    real: Path,
    generated: Sequence[str],
    target: Path,
    overwrite: bool,
    near: int,
    settings: ScorerSettings,
    weights: Path | None,
    device: str,
    store: Store | None,
    progress: bool,
) -> Report:
    """Compare GENERATED sets with REAL images.

    By FID, KID, QS, DS, precision, recall, density and coverage.

    Each set is a folder, .zip or .parquet file, NAME=PATH to name it. Half of the real images is
    the reference; the other half is judged like a generator and shows what is best possible.
    All sets are cut to the size of the smallest, since FID depends on it. FID and KID are of the
    chosen extractor's features: only inception_v3_fid's can be compared with published ones.

    \b
    Writes into the folder --to:
      measures.csv       each measure of each set, its standard error and 95 % interval
      distributions.png  the calibrated scores of each set
      fid.png, qs.png, ...  a plot of each measure, with error bars
      summary.json       which features, how many images

    \b
    Examples:
      giqa compare photos/ old=run1/ new=run2/ --to comparison
      giqa compare photos.zip run1.parquet run2/ --to comparison --extractor pixels@16
    """
    named = [named_set(text) for text in generated]
    _check_names([name for name, _ in named])
    for path in (real, *(path for _, path in named)):
        check_outside(target, path)
    with whole_folder(target, overwrite=overwrite) as folder:
        network = extractor(settings.extractor, weights=weights, device=device)
        features = {
            name: extract(opened(path), network, store=store, progress=progress)
            for name, path in [(REAL, real), *named]
        }
        found = compare_sets(
            real=features[REAL].values,
            generated={name: features[name].values for name, _ in named},
            settings=settings,
            neighbours=near,
        )
        about = {"features": f"{network.name}, version {network.version}", "images": found.images}
        write_comparison(found, folder, about=about)
    return Report(
        lines=(
            f"{target}: {found.images} images a set, features {network.name}; value ± standard error",
            *_lines(found.table),
        ),
        content={
            "to": str(target),
            **about,
            "measures": found.table.to_dict("records"),
        },
        failures=_failures(features),
    )


def write_comparison(found: FolderComparison, folder: Path, *, about: dict[str, object]) -> None:
    """Everything that ``giqa compare`` leaves, into an existing ``folder``."""
    write_table(found.table, folder / "measures.csv", about=about)
    plot = cumulative_scores(found.scores, xlabel="Calibrated score", diagonal=True)
    write_png(plot, folder / "distributions.png")
    for measure in BETTER:
        write_png(measure_plot(found, measure), folder / f"{measure.lower()}.png")
    (folder / "summary.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")


def measure_plot(found: FolderComparison, measure: str) -> Plot:
    """One measure of every set, with error bars."""
    rows = found.table[found.table["measure"] == measure]
    label = f"{measure} ({BETTER[measure]} is better)"
    return bars(rows, x="set", y="value", error="standard_error", ylabel=label)


def _check_names(names: list[str]) -> None:
    twice = {name for name in names if names.count(name) > 1}
    if twice or REAL in names:
        hint = "name them: first=runs/1/images second=runs/2/images"
        got = f"{sorted(twice)[0]!r} twice" if twice else repr(REAL)
        raise InputError(error_line("names", expected="one name a set", got=got, hint=hint))
    if len(names) > 9:
        got, hint = str(len(names)), "compare them in parts"
        raise InputError(error_line("sets", expected="at most 9", got=got, hint=hint))


def _lines(table: pd.DataFrame) -> list[str]:
    cells = table.assign(
        cell=[f"{row.value:.4g} ± {row.standard_error:.2g}" for row in table.itertuples()]
    )
    wide = cells.pivot(index="set", columns="measure", values="cell")
    ordered = wide.loc[list(dict.fromkeys(table["set"])), list(BETTER)].rename_axis(None)
    ordered.columns.name = None
    return ordered.to_string().split("\n")


def _failures(features: dict[str, Features]) -> pd.DataFrame:
    rows = [
        {"name": f"{name}: {row.name}", "reason": row.reason}
        for name, found in features.items()
        for row in found.failures.itertuples(index=False)
    ]
    return pd.DataFrame(rows, columns=["name", "reason"], dtype=object)
