"""``giqa pick``: keep the best images, as copies, links or a list."""

import os
import warnings
from pathlib import Path, PurePosixPath

import click
import numpy as np

from giqa_lib.checks import InputError, error_line
from giqa_lib.cli.options import PATH, opened, reported
from giqa_lib.cli.reporting import Report
from giqa_lib.cli.scores_file import read_scores, write_table
from giqa_lib.cli.writing import check_outside, whole_file, whole_folder
from giqa_lib.data import ImageSet
from giqa_lib.scores import pick as best

__all__ = ["pick", "safe_name", "write_picked"]


class Amount(click.ParamType):
    """``0.9`` and ``90%`` are shares, ``500`` is a number of images."""

    name = "share|number"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> dict[str, float | int]:
        """A share or a count, as giqa_lib.scores.pick takes it."""
        text = str(value)
        try:
            if text.endswith("%"):
                return {"share": float(text[:-1]) / 100}
            return {"count": int(text)} if text.isdigit() else {"share": float(text)}
        except ValueError:
            self.fail(f"{text!r} is no share (0.9, 90%) and no number of images (500)", param, ctx)


@click.command()
@click.argument("scores", type=PATH)
@click.argument("images", type=PATH, required=False)
@click.option(
    "--keep", type=Amount(), required=True, help="Share (0.9 or 90%) or number (500) to keep."
)
@click.option(
    "--by",
    type=click.Choice(["calibrated", "raw"]),
    default="calibrated",
    show_default=True,
    help="Score that decides; equal calibrated scores are told apart by the raw one.",
)
@click.option(
    "--how",
    type=click.Choice(["copy", "link", "list"]),
    default="list",
    show_default=True,
    help="copy the files, link to them (folders only), or only list their names.",
)
@click.option(
    "--to", "target", type=PATH, help="Folder for copies or links; for a list a .csv or .parquet."
)
@click.option("--null", is_flag=True, help="End each listed name with NUL, as xargs -0 takes them.")
@click.option("--overwrite", is_flag=True, help="Replace files of the same name there.")
@reported
def pick(
    scores: Path,
    images: Path | None,
    keep: dict[str, float | int],
    by: str,
    how: str,
    target: Path | None,
    null: bool,
    overwrite: bool,
) -> Report:
    """Keep the best images by their SCORES.

    SCORES is what giqa score wrote, its folder or table.

    IMAGES is what was scored; needed to copy or link. Images picked by a score look good by that
    score: judge them by another one (giqa compare with another --extractor), or by eye.

    \b
    Examples:
      giqa pick scores --keep 90%
      giqa pick scores generated/ --keep 500 --how copy --to best
      giqa pick scores --keep 0.1 --null | xargs -0 ls
    """
    if how != "list" and (target is None or images is None):
        raise click.UsageError(f"--how {how} needs IMAGES and --to FOLDER")
    table = read_scores(scores)
    column = table[by].to_numpy(dtype=np.float64)
    if by == "calibrated":
        column = -table["rank"].to_numpy(dtype=np.float64)
    share, count = keep.get("share"), keep.get("count")
    places = best(column, share=share, count=None if count is None else int(count))
    kept = table.iloc[places].reset_index(drop=True)
    names = kept["name"].tolist()
    content = {"kept": len(names), "of": len(table), "names": names}
    if how != "list" and target is not None and images is not None:
        check_outside(target, images)
        with whole_folder(target, overwrite=overwrite) as folder:
            write_picked(opened(images), names, folder, link=how == "link")
        done = "copied" if how == "copy" else "linked"
        line = f"{target}: {done} the best {len(names)} of {len(table)} images"
        return Report(lines=(line,), content={"to": str(target), **content})
    if target is not None:
        if target.suffix not in (".csv", ".parquet"):
            expected, hint = "a .csv or .parquet", "or --how copy for a folder of images"
            raise InputError(error_line("output", expected=expected, got=str(target), hint=hint))
        with whole_file(target, overwrite=overwrite) as path:
            write_table(kept, path, about={})
        line = f"{target}: the best {len(names)} of {len(table)} images"
        return Report(lines=(line,), content={"to": str(target), **content})
    broken = [name for name in names if "\n" in name]
    if broken and not null:
        said = f"{len(broken)} name(s) with a line break, {broken[0]!r}: --null or --json keeps them whole"
        warnings.warn(said, stacklevel=2)
    return Report(lines=tuple(names), content=content, end="\0" if null else "\n")


def write_picked(images: ImageSet, names: list[str], folder: Path, *, link: bool = False) -> None:
    """Copy the encoded files of these images into ``folder``, byte for byte, or link to them.

    Subfolders are kept. Raises ``InputError`` for a name that is not among ``images`` and for one
    that would leave ``folder``.
    """
    places = {name: place for place, name in enumerate(images.names)}
    for name in names:
        if name not in places:
            hint = "give the images that were scored"
            got = f"{name!r}, not among the {len(places)}"
            raise InputError(error_line("images", expected="the scored ones", got=got, hint=hint))
        target = folder / safe_name(name)
        target.parent.mkdir(parents=True, exist_ok=True)
        if link:
            _link(images, name, target)
        else:
            target.write_bytes(images.encoded(places[name]))


def safe_name(name: str) -> PurePosixPath:
    """``name`` as a path below a folder; archives may hold names that lead out of it.

    >>> safe_name("cats/1.png")
    PurePosixPath('cats/1.png')
    >>> safe_name("../../etc/passwd")
    Traceback (most recent call last):
    giqa_lib.checks.InputError: name: expected a name below a folder, got '../../etc/passwd'; ...
    """
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or not path.parts or "\0" in name:
        hint = "rename it in the archive"
        raise InputError(
            error_line("name", expected="a name below a folder", got=repr(name), hint=hint)
        )
    return path


def _link(images: ImageSet, name: str, target: Path) -> None:
    root = getattr(images.source, "root", None)
    if root is None:
        hint = "use --how copy"
        raise InputError(error_line("images", expected="a folder", got="an archive", hint=hint))
    os.symlink((Path(root) / name).resolve(), target)
