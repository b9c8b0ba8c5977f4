"""Run one notebook: check its parameters, execute it, keep its record and its page.

jupytext reads the source, papermill executes it, ``giqa_lib.runner.page`` makes what comes
out fit for the book. Nothing replaces an earlier run unless this one ends well.
"""

import os
import re
import shlex
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import papermill
import yaml
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from papermill.exceptions import PapermillExecutionError
from traitlets.config import Config

from giqa_lib.checks import GiqaError, InputError, check_choice, error_line
from giqa_lib.results import PROFILES, load_record, write_json
from giqa_lib.runner.fingerprint import fingerprint, notebook_path
from giqa_lib.runner.page import number_displays, tidy
from giqa_lib.runner.parameters import Parameter, check_parameters, declared_parameters

__all__ = ["NotebookFailed", "Paths", "check_overrides", "execute"]

PLAIN = re.compile(r"[\w@%+=:,./\[\]-]+", re.ASCII)  # needs no quotes in a shell
RESERVED = ("profile", "output")
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


class NotebookFailed(GiqaError):  # noqa: N818, what happened, not what is raised
    """A cell raised, or the kernel died; the message holds the cell's own error."""


@dataclass(frozen=True, kw_only=True)
class Paths:
    """What a run leaves: the executed notebook and the record."""

    notebook: Path
    record: Path


def command_line(name: str, profile: str, overrides: Mapping[str, Any]) -> str:
    """The command that repeats a run.

    >>> command_line("1_giqa/a", "cpu", {"seed": 3, "components": [5, 70]})
    'make run NOTEBOOK=1_giqa/a PROFILE=cpu ARGS="-p seed=3 -p components=[5,70]"'
    """
    given = []
    for key, value in overrides.items():
        text = yaml.safe_dump(value, default_flow_style=True, width=10**6)
        text = f"{key}={text.removesuffix(chr(10)).removesuffix(chr(10) + '...')}"
        text = text.replace(", ", ",") if isinstance(value, list) else text
        given.append(f"-p {text if PLAIN.fullmatch(text) else shlex.quote(text)}")
    command = f"make run NOTEBOOK={name} PROFILE={profile}"
    escaped = re.sub(r'(["\\`])', r"\\\1", " ".join(given)).replace("$", r"\$\$")
    return f'{command} ARGS="{escaped}"' if given else command


@contextmanager
def _environment(profile: str, root: Path) -> Iterator[None]:
    """The kernel inherits these: no random hashing, and no progress bars in a quick page.

    One thread unless the user says otherwise: runs stand beside other runs, and processes with
    more threads together than there are cores are many times slower.
    """
    wanted = {
        "PYTHONHASHSEED": "0",
        "MPLBACKEND": "agg",
        "GIQA_BOOK": str(root),
        # tqdm's, in a kernel without widgets; a page would show it with this machine's paths
        "PYTHONWARNINGS": "ignore:IProgress not found",
    }
    each = os.environ.get("OMP_NUM_THREADS", "1")
    wanted |= {name: os.environ.get(name, each) for name in THREADS}
    if profile == "quick":
        wanted["TQDM_DISABLE"] = "1"
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name)
            else:
                os.environ[name] = value


def check_overrides(
    overrides: Mapping[str, Any], declared: Mapping[str, Parameter]
) -> dict[str, Any]:
    """``overrides`` with exact types; raises for what the notebook does not declare and what the runner sets."""
    for reserved in RESERVED:
        if reserved in overrides:
            hint = "the runner sets it: profile from --profile, output to a folder of its own"
            expected = "a parameter of the method"
            raise InputError(
                error_line("parameter", expected=expected, got=repr(reserved), hint=hint)
            )
    return check_parameters(overrides, declared)


def execute(
    name: str, *, profile: str, overrides: Mapping[str, Any], root: Path, results: Path, pages: Path
) -> Paths:
    """Run notebook ``name`` under ``profile``; record below ``results``, page below ``pages``.

    ``overrides`` replace the profile's parameters. Raises ``InputError`` for parameters that
    the notebook does not declare, ``NotebookFailed`` if a cell raises or the kernel dies; then
    the notebook up to the failure stays as ``<name>.failed.ipynb`` and no record changes.
    """
    check_choice(profile, PROFILES, name="profile")
    source = notebook_path(name, root)
    notebook = jupytext.read(source)
    declared = declared_parameters(notebook)
    given = check_overrides(overrides, declared)
    given |= check_parameters({"profile": profile}, declared)
    stamp = fingerprint(name, root, profile=profile)  # before the run: a later edit makes it stale
    page = pages / f"{name}.ipynb"
    page.parent.mkdir(parents=True, exist_ok=True)
    failed = page.with_suffix(".failed.ipynb")
    with tempfile.TemporaryDirectory(prefix="giqa-run-") as scratch:
        out = Path(scratch) / "out.ipynb"
        started = time.perf_counter()
        try:
            done = _papermill(
                notebook,
                {**given, "output": scratch},
                out,
                profile=profile,
                root=root,
                cwd=source.parent,
            )
            record = _complete(Path(scratch) / profile / f"{name}.json", done)
        except NotebookFailed as error:
            if out.is_file():
                shutil.copy(out, failed)
                raise NotebookFailed(
                    f"{name}: {error}; the notebook up to there: {failed}"
                ) from error
            raise
        seconds = time.perf_counter() - started
    previous = load_record(results / profile / f"{name}.json")
    record["run"] |= {
        "seconds": round(seconds, 1),
        "command": command_line(name, profile, overrides),
        "fingerprint": stamp,
        "previous": {r.identity: r.value for r in previous.results} if previous else {},
    }
    values = {key: parameter.default for key, parameter in declared.items()} | given
    tidy(done, {key: value for key, value in values.items() if key != "output"})
    number_displays(done, page.parent, name)
    # The page comes last: Snakemake compares its time with that of what it depends on.
    write_json(results / profile / f"{name}.json", record)
    part = page.with_suffix(".part")
    nbformat.write(done, part)
    os.replace(part, page)
    failed.unlink(missing_ok=True)
    return Paths(notebook=page, record=results / profile / f"{name}.json")


def _papermill(
    notebook: NotebookNode,
    given: Mapping[str, Any],
    out: Path,
    *,
    profile: str,
    root: Path,
    cwd: Path,
) -> NotebookNode:
    notebook.metadata.kernelspec = {
        "name": "python3", "display_name": "Python 3", "language": "python",
    }  # fmt: skip
    config = Config()
    # Else ipykernel 7 warns of plain TCP in each run.
    config.KernelManager.transport_encryption = "auto"
    try:
        with _environment(profile, root):
            return papermill.execute_notebook(
                notebook,
                str(out),
                parameters=dict(given),
                kernel_name="python3",
                progress_bar=profile != "quick",
                log_output=profile != "quick",
                cwd=str(cwd),
                config=config,
            )
    except PapermillExecutionError as error:
        raise NotebookFailed(f"cell {error.exec_count}: {error.ename}: {error.evalue}") from error
    except (DeadKernelError, CellTimeoutError) as error:
        hint = "a kernel that dies without a word was mostly out of memory"
        raise NotebookFailed(f"{type(error).__name__}: {error}; {hint}") from error


def _complete(made: Path, done: NotebookNode) -> dict[str, Any]:
    """The notebook's own record, with what only the runner knows of its cells."""
    record = load_record(made)
    if record is None:
        raise NotebookFailed("it wrote no record; end it with run.save(output)")
    run = dict(record.run)
    run["seconds_by_cell"] = [
        {
            "cell": cell.source.strip().split("\n")[0][:60],
            "seconds": round(cell.metadata.papermill.duration, 2),
        }
        for cell in done.cells
        if cell.cell_type == "code" and cell.metadata.get("papermill", {}).get("duration")
    ]
    return {"run": run, "results": [asdict(result) for result in record.results]}
