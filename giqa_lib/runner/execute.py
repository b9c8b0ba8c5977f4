"""Run one notebook: check its parameters, execute it, keep its record and its page.

jupytext reads the source, papermill executes it, and what comes out is made fit for the
book: cell ids and timings, random by nature, are taken out, so that two runs of the same
numbers are the same bytes; plots get their captions and alternative text, tables their
numbers, and each plot's data a CSV file. Nothing replaces an earlier run unless this one
ends well.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import papermill
from nbformat import NotebookNode
from papermill.exceptions import PapermillExecutionError
from traitlets.config import Config

from giqa_lib.checks import GiqaError, check_choice
from giqa_lib.results import PROFILES, load_record, write_json
from giqa_lib.results.display import METADATA_KEY
from giqa_lib.runner.fingerprint import fingerprint, notebook_path
from giqa_lib.runner.parameters import check_parameters, declared_parameters

__all__ = ["NotebookFailed", "Paths", "execute"]


class NotebookFailed(GiqaError):
    """A cell raised, or the kernel died; the message holds the cell's own error."""


@dataclass(frozen=True, kw_only=True)
class Paths:
    """What a run leaves: the executed notebook and the record."""

    notebook: Path
    record: Path


def command_line(name: str, profile: str, overrides: Mapping[str, Any]) -> str:
    """The command that repeats a run.

    >>> command_line("1_giqa/a", "cpu", {"seed": 3})
    'make run NOTEBOOK=1_giqa/a PROFILE=cpu ARGS="-p seed=3"'
    """
    extra = " ".join(f"-p {key}={str(value).replace(' ', '')}" for key, value in overrides.items())
    return f"make run NOTEBOOK={name} PROFILE={profile}" + (f' ARGS="{extra}"' if extra else "")


@contextmanager
def _environment(profile: str) -> Iterator[None]:
    """The kernel inherits these: no random hashing, and no progress bars in a quick page."""
    wanted = {"PYTHONHASHSEED": "0", "MPLBACKEND": "agg"}
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


def execute(
    name: str, *, profile: str, overrides: Mapping[str, Any], root: Path, results: Path, pages: Path
) -> Paths:
    """Run notebook ``name`` under ``profile``; write its record below ``results``, its page below ``pages``.

    ``overrides`` replace the profile's parameters. Raises ``InputError`` for parameters that
    the notebook does not declare, ``NotebookFailed`` if a cell raises; then the executed
    notebook up to the failure stays as ``<name>.failed.ipynb`` and no record changes.
    """
    check_choice(profile, PROFILES, name="profile")
    notebook = jupytext.read(notebook_path(name, root))
    declared = declared_parameters(notebook)
    given = check_parameters({**overrides, "profile": profile}, declared)
    page = pages / f"{name}.ipynb"
    page.parent.mkdir(parents=True, exist_ok=True)
    failed = page.with_suffix(".failed.ipynb")
    with tempfile.TemporaryDirectory(prefix="giqa-run-") as scratch:
        started = time.perf_counter()
        done = _papermill(
            notebook, {**given, "output": scratch}, scratch=Path(scratch), failed=failed, profile=profile,
            cwd=notebook_path(name, root).parent,
        )
        record = _complete(
            Path(scratch) / profile / f"{name}.json",
            done,
            seconds=time.perf_counter() - started,
            command=command_line(name, profile, overrides),
            stamp=fingerprint(name, root, profile=profile),
            earlier=results / profile / f"{name}.json",
        )
    failed.unlink(missing_ok=True)
    _tidy(done, {key: p.default for key, p in declared.items()} | given)
    _number_plots_and_tables(done, page.parent, page.stem)
    write_json(results / profile / f"{name}.json", record)
    part = page.with_suffix(".part")
    nbformat.write(done, part)
    os.replace(part, page)
    return Paths(notebook=page, record=results / profile / f"{name}.json")


def _papermill(
    notebook: NotebookNode, given: Mapping[str, Any], *, scratch: Path, failed: Path, profile: str, cwd: Path
) -> NotebookNode:
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    config = Config()
    config.KernelManager.transport_encryption = "auto"  # else ipykernel 7 warns of plain TCP in each run
    out = scratch / "out.ipynb"
    try:
        with _environment(profile):
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
        shutil.copy(out, failed)
        line = f"cell {error.exec_count}: {error.ename}: {error.evalue}; the notebook up to there: {failed}"
        raise NotebookFailed(line) from error


def _complete(
    made: Path, done: NotebookNode, *, seconds: float, command: str, stamp: str, earlier: Path
) -> dict[str, Any]:
    """The notebook's own record, with what only the runner knows."""
    record = load_record(made)
    if record is None:
        raise NotebookFailed(f"{made.stem}: it wrote no record; end it with run.save(output)")
    run = {**record.run}
    run["parameters"] = {k: v for k, v in run["parameters"].items() if k != "output"}
    run["seconds"] = round(seconds, 1)
    run["command"] = command
    run["fingerprint"] = stamp
    run["seconds_by_cell"] = [
        {"cell": c.source.strip().split("\n")[0][:60], "seconds": round(c.metadata.papermill.duration, 2)}
        for c in done.cells
        if c.cell_type == "code" and c.metadata.get("papermill", {}).get("duration") is not None
    ]
    previous = load_record(earlier)
    run["previous"] = {r.identity: r.value for r in previous.results} if previous else {}
    return {"run": run, "results": [vars(r) for r in record.results]}


def _tidy(done: NotebookNode, parameters: Mapping[str, Any]) -> None:
    """Take out what differs between two equal runs, and progress bars."""
    for index, cell in enumerate(done.cells):
        cell.id = f"c{index:03d}"
        cell.metadata.pop("papermill", None)
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = [o for o in cell.outputs if not (o.get("name") == "stderr" and "\r" in o.text)]
            if "injected-parameters" in cell.metadata.get("tags", []):
                cell.metadata.tags = [*cell.metadata.tags, "remove-cell"]
    done.metadata.papermill = {"parameters": {k: v for k, v in parameters.items() if k != "output"}}


def _number_plots_and_tables(done: NotebookNode, folder: Path, stem: str) -> None:
    """Move captions, labels and alternative text to where MyST-NB looks for them."""
    cells = []
    for cell in done.cells:
        cells.append(cell)
        if cell.cell_type != "code":
            continue
        for output in list(cell.outputs):
            details = output.get("metadata", {}).pop(METADATA_KEY, None)
            if details is None:
                continue
            if details.get("table"):
                cell.outputs.remove(output)
                cells.append(_table_cell(details, output.data["text/markdown"], f"{cell.id}-{len(cells):03d}"))
            else:
                _describe_figure(cell, details, folder, stem)
    done.cells = cells


def _describe_figure(cell: NotebookNode, details: Mapping[str, str], folder: Path, stem: str) -> None:
    csv = f"{stem}-{details['name']}.csv"
    (folder / csv).write_text(details["csv"])
    cell.metadata["mystnb"] = {
        "image": {"alt": details["alt"]},
        "figure": {"name": details["name"], "caption": f"{details['caption']} {{download}}`Data (CSV) <{csv}>`"},
    }


def _table_cell(details: Mapping[str, str], markdown: str, identifier: str) -> NotebookNode:
    head = f"```{{table}} {details['caption']}\n:name: {details['name']}\n\n"
    cell = nbformat.v4.new_markdown_cell(f"{head}{markdown}\n```")
    cell.id = identifier
    return cell
