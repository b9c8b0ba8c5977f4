"""Make an executed notebook fit for the book: equal bytes for equal runs, captions, tables.

Cell ids and timings, random by nature, are taken out, so that two runs of the same numbers
are the same bytes. MyST-NB reads a figure's caption and alternative text from the metadata of
the cell, for every output of that cell; so each plot gets a cell of its own, and its data a
CSV file beside the page.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

from giqa_lib.checks import InputError, error_line
from giqa_lib.results.display import METADATA_KEY

__all__ = ["label", "number_displays", "tidy"]

CONTINUED = "# shown by the cell above"


def label(notebook: str, name: str) -> str:
    """What the book calls a notebook's figure or table ``name``; fit for an HTML id.

    >>> label("1_giqa/density_scores", "fig-pool")
    'giqa-density-scores-fig-pool'
    """
    words = re.sub(r"[^a-z0-9]+", "-", f"{notebook}-{name}".lower())
    return re.sub(r"^[^a-z]+", "", words)  # docutils drops a digit at the head of an id


def tidy(done: NotebookNode, parameters: Mapping[str, Any]) -> None:
    """Take out what differs between two equal runs, and progress bars; hide papermill's cell."""
    for index, cell in enumerate(done.cells):
        cell.id = f"c{index:03d}"
        cell.metadata.pop("papermill", None)
        cell.metadata.pop("execution", None)
        if cell.cell_type != "code":
            continue
        # A progress bar writes carriage returns to stderr, and a line end of its own.
        cell.outputs = [o for o in cell.outputs if not _is_progress(o)]
        if "injected-parameters" in cell.metadata.get("tags", []):
            cell.metadata.tags = [*cell.metadata.tags, "remove-cell"]
            cell.source = re.sub(r"(?m)^output = .*$", 'output = ""', cell.source)
    # papermill keeps the whole source notebook and the time there.
    done.metadata.papermill = {"parameters": dict(parameters)}


def _is_progress(output: Any) -> bool:
    return output.get("name") == "stderr" and ("\r" in output.text or not output.text.strip())


def number_displays(done: NotebookNode, folder: Path, notebook: str) -> None:
    """Turn what ``show`` and ``show_table`` displayed into numbered figures and tables.

    Each plot's data go to ``folder`` as ``<label>.csv``.
    """
    seen: set[str] = set()
    for cell in done.cells:
        for output in cell.get("outputs", []):
            details = output.get("metadata", {}).get(METADATA_KEY)
            if details and details["name"] in seen:
                hint = "rename one: a name is a label that text can refer to"
                got = f"{details['name']!r} again"
                raise InputError(
                    error_line(notebook, expected="one figure or table a name", got=got, hint=hint)
                )
            seen |= {details["name"]} if details else set()
    done.cells = [part for cell in done.cells for part in _parts(cell, folder, notebook)]


def _parts(cell: NotebookNode, folder: Path, notebook: str) -> Iterator[NotebookNode]:
    """The cell, then one cell for each plot or table after its first output, in order."""
    outputs = cell.get("outputs", [])
    if not any(METADATA_KEY in output.get("metadata", {}) for output in outputs):
        yield cell
        return
    cell.outputs = []
    current: NotebookNode | None = cell
    count = 0
    for output in outputs:
        details = output.get("metadata", {}).pop(METADATA_KEY, None)
        table = details is not None and details.get("table", False)
        # A plot must have its cell for itself; other outputs may share one.
        if current is None or table or (details is not None and current.outputs):
            if current is not None:
                yield current
            count += 1
            current = _empty(f"{cell.id}-{count}")
        if table:
            yield _table_cell(details, output.data["text/markdown"], current.id, notebook)
            current = None
            continue
        current.outputs.append(output)
        if details is not None:
            _describe(current, details, folder, notebook)
            yield current
            current = None
    if current is not None:
        yield current


def _empty(identifier: str) -> NotebookNode:
    # MyST-NB leaves out a cell without source, its outputs too.
    cell = new_code_cell(CONTINUED, metadata={"tags": ["remove-input"]})
    cell.id = identifier
    return cell


def _describe(cell: NotebookNode, details: Mapping[str, str], folder: Path, notebook: str) -> None:
    name = label(notebook, details["name"])
    (folder / f"{name}.csv").write_text(details["csv"], encoding="utf-8")
    cell.metadata["mystnb"] = {
        "image": {"alt": details["alt"]},
        "figure": {
            "name": name,
            "caption": f"{details['caption']} {{download}}`Data (CSV) <{name}.csv>`",
        },
    }


def _table_cell(
    details: Mapping[str, str], markdown: str, identifier: str, notebook: str
) -> NotebookNode:
    name = label(notebook, details["name"])
    cell = new_markdown_cell(
        # A fence of backticks could not hold a caption with code or a role in it.
        f"~~~~{{table}} {details['caption']}\n:name: {name}\n\n{markdown}\n~~~~"
    )
    cell.id = identifier
    return cell
