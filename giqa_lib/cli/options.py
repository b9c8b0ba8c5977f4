"""Options that several commands share, with one wording."""

import functools
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import torch

from giqa_lib.applications.folders import ScorerSettings
from giqa_lib.checks import DataUnavailable, InputError, error_line
from giqa_lib.cli.reporting import Report, reporting
from giqa_lib.data import ImageSet, open_images
from giqa_lib.features import extractor_names
from giqa_lib.store import Store, default_store

__all__ = ["PATH", "computing", "named_set", "opened", "output", "reported", "settings_options"]


class GivenPath(click.ParamType):
    """A path, looked at by whoever opens it; click would call an unreadable one wrong usage."""

    name = "path"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Path:
        """The path. An empty one, of a shell's unset variable perhaps, would be the current folder."""
        text = os.fspath(value) if isinstance(value, os.PathLike) else str(value)
        if not text.strip() or "\0" in text:
            self.fail(f"expected a path, got {text!r}; is a variable not set?", param, ctx)
        return Path(text)


PATH = GivenPath()

_DEFAULTS = ScorerSettings()


def reported(command: Callable[..., Report]) -> Callable[..., None]:
    """A command that returns a report: it gets ``--json`` and ``--debug`` and exits by status."""

    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of words.")
    @click.option("--debug", is_flag=True, help="Show the whole traceback of an error.")
    @click.pass_context
    @functools.wraps(command)
    def run(
        context: click.Context, /, *args: Any, as_json: bool, debug: bool, **kwargs: Any
    ) -> None:
        context.exit(reporting(lambda: command(*args, **kwargs), as_json=as_json, debug=debug))

    return run


def computing(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options of commands that extract features; gives ``device``, ``weights``, ``store``, ``progress``."""

    @click.option("--device", default="cpu", show_default=True, help="cpu, cuda, cuda:1, ...")
    @click.option(
        "--weights",
        type=PATH,
        help="The extractor's weight file, or the folder of a saved classifier.",
    )
    @click.option(
        "--cache/--no-cache",
        default=True,
        help="Keep features in the store ($GIQA_STORE), so that a second or interrupted run "
        "does not compute them again.  [default: --cache]",
    )
    @click.option(
        "--progress/--no-progress",
        default=None,
        help="Progress bars on stderr; by default if it is a terminal.",
    )
    @click.option(
        "--threads",
        type=click.IntRange(min=1),
        help="Threads of this process; by default PyTorch's choice. With several processes on one "
        "machine give each its share: too many threads are slower than too few.",
    )
    @functools.wraps(command)
    def run(
        *args: Any,
        device: str,
        weights: Path | None,
        cache: bool,
        progress: bool | None,
        threads: int | None,
        **kwargs: Any,
    ) -> Any:
        _check_device(device)
        if (
            weights is not None and not weights.exists()
        ):  # some extractors have none, and never look
            hint = "look for a misspelling"
            got = f"{weights}, not there"
            raise DataUnavailable(
                error_line("weights", expected="a file or folder", got=got, hint=hint)
            )
        if threads is not None:
            torch.set_num_threads(threads)
        store: Store | None = default_store() if cache else None
        shown = sys.stderr.isatty() if progress is None else progress
        return command(*args, device=device, weights=weights, store=store, progress=shown, **kwargs)

    return run


def _check_device(name: str) -> None:
    try:
        torch.empty(1, device=name)
    except (RuntimeError, AssertionError) as error:
        got = f"{name!r} ({str(error).splitlines()[0]})"
        hint = "use --device cpu"
        raise InputError(
            error_line("device", expected="one of this machine", got=got, hint=hint)
        ) from error


def settings_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options that make a :class:`ScorerSettings`, given as ``settings``."""

    @click.option(
        "--extractor",
        default=_DEFAULTS.extractor,
        show_default=True,
        help=f"Network whose features are used: {', '.join(extractor_names())}; NAME@64 shows it "
        "images of 64 pixels.",
    )
    @click.option(
        "--density",
        type=click.Choice(["gmm", "knn", "sgm"]),
        default=_DEFAULTS.density,
        show_default=True,
        help="gmm: mixture of Gaussians; knn: inverse distance to the nearest real images; sgm: "
        "one Gaussian.",
    )
    @click.option(
        "--components",
        type=click.IntRange(min=1),
        default=_DEFAULTS.components,
        show_default=True,
        help="Gaussians of gmm.",
    )
    @click.option(
        "--neighbours",
        type=click.IntRange(min=1),
        default=_DEFAULTS.neighbours,
        show_default=True,
        help="Real images that knn looks at.",
    )
    @click.option(
        "--variance",
        type=click.FloatRange(0, 1, min_open=True),
        default=_DEFAULTS.variance,
        show_default=True,
        help="Share of the features' variance that PCA keeps.",
    )
    @click.option(
        "--max-dimensions",
        type=click.IntRange(min=1),
        default=_DEFAULTS.max_dimensions,
        show_default=True,
        help="PCA never keeps more.",
    )
    @click.option(
        "--held-out",
        type=click.FloatRange(0, 1, min_open=True, max_open=True),
        default=_DEFAULTS.held_out,
        show_default=True,
        help="Share of the real images that is not fitted on and calibrates the score.",
    )
    @click.option("--seed", type=int, default=_DEFAULTS.seed, show_default=True)
    @click.option(
        "--batch-size",
        type=click.IntRange(1, 4096),
        default=_DEFAULTS.batch_size,
        show_default=True,
        help="Images that go through the network at once.",
    )
    @functools.wraps(command)
    def run(
        *args: Any,
        extractor: str,
        density: str,
        components: int,
        neighbours: int,
        variance: float,
        max_dimensions: int,
        held_out: float,
        seed: int,
        batch_size: int,
        within_component: bool = False,
        **kwargs: Any,
    ) -> Any:
        settings = ScorerSettings(
            extractor=extractor,
            density=density,
            components=components,
            neighbours=neighbours,
            variance=variance,
            max_dimensions=max_dimensions,
            held_out=held_out,
            within_component=within_component,
            seed=seed,
            batch_size=batch_size,
        )
        return command(*args, settings=settings, **kwargs)

    return run


def output(what: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The options ``--to`` and ``--overwrite``."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        command = click.option(
            "--overwrite",
            is_flag=True,
            help="Replace files of the same name there; other files stay.",
        )(command)
        return click.option("--to", "target", type=PATH, required=True, help=what)(command)

    return decorate


def opened(path: Path) -> ImageSet:
    """The images in a folder, zip or Parquet file."""
    return open_images(path)


def named_set(text: str) -> tuple[str, Path]:
    """``NAME=PATH``, or a path whose last part is the name.

    >>> named_set("ours=out/images"), named_set("out/images.zip")[0]
    (('ours', PosixPath('out/images')), 'images')
    """
    name, equals, path = text.partition("=")
    if not (path if equals else name).strip():
        hint = "is a variable not set?"
        raise InputError(error_line("set", expected="NAME=PATH", got=repr(text), hint=hint))
    if equals and name and "/" not in name:
        return name, Path(path)
    return Path(text).stem or text, Path(text)
