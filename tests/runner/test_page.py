"""What becomes of a cell's outputs; no kernel is started."""

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from giqa_lib.checks import InputError
from giqa_lib.results.display import METADATA_KEY
from giqa_lib.runner.page import label, number_displays, tidy

TEXT = new_output("stream", name="stdout", text="text")


def plot(name: str) -> nbformat.NotebookNode:
    details = {
        "name": name,
        "alt": f"Alt of {name}.",
        "caption": f"Caption of {name}.",
        "csv": "x\n1\n",
    }
    return new_output("display_data", {"image/png": "aaaa"}, metadata={METADATA_KEY: details})


def table(name: str, caption: str = "A table.") -> nbformat.NotebookNode:
    details = {"name": name, "caption": caption, "table": True}
    data = {"text/markdown": "| a |\n|--:|\n| 1 |"}
    return new_output("display_data", data, metadata={METADATA_KEY: details})


def made(folder: Path, *outputs: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    cell = new_code_cell("source", outputs=[nbformat.from_dict(dict(o)) for o in outputs])
    cell.id = "c001"
    notebook = new_notebook(cells=[cell])
    number_displays(notebook, folder, "1_part/chapter")
    nbformat.validate(notebook)
    return notebook.cells


def shape(cells: list[nbformat.NotebookNode]) -> list[str]:
    """Each cell in a word: its kind, what it shows, and whether its source is the author's."""
    words = []
    for cell in cells:
        if cell.cell_type == "markdown":
            words.append("table")
            continue
        shown = "figure" if "mystnb" in cell.metadata else "plain"
        own = "source" if cell.source == "source" else "more"
        assert (own == "more") == ("remove-input" in cell.metadata.get("tags", []))
        assert cell.source  # MyST-NB would leave it out
        words.append(f"{own}:{shown}{len(cell.outputs)}")
    return words


@pytest.mark.parametrize(
    ("outputs", "expected"),
    [
        ([], ["source:plain0"]),
        ([TEXT, TEXT], ["source:plain2"]),
        ([plot("a")], ["source:figure1"]),
        ([table("a")], ["source:plain0", "table"]),
        ([TEXT, plot("a")], ["source:plain1", "more:figure1"]),
        ([plot("a"), TEXT], ["source:figure1", "more:plain1"]),
        ([plot("a"), plot("b")], ["source:figure1", "more:figure1"]),
        ([table("a"), plot("b")], ["source:plain0", "table", "more:figure1"]),
        ([plot("b"), table("a"), TEXT], ["source:figure1", "table", "more:plain1"]),
        ([TEXT, TEXT, table("a"), TEXT, TEXT], ["source:plain2", "table", "more:plain2"]),
    ],
)
def test_each_figure_has_its_own_cell_and_order_is_kept(
    tmp_path: Path, outputs: list[Any], expected: list[str]
) -> None:
    cells = made(tmp_path, *outputs)
    assert shape(cells) == expected
    assert len({cell.id for cell in cells}) == len(cells)


def test_a_figure_gets_words_and_data(tmp_path: Path) -> None:
    (cell,) = made(tmp_path, plot("fig-a"))
    assert cell.metadata.mystnb == {
        "image": {"alt": "Alt of fig-a."},
        "figure": {
            "name": "part-chapter-fig-a",
            "caption": "Caption of fig-a. {download}`Data (CSV) <part-chapter-fig-a.csv>`",
        },
    }
    assert (tmp_path / "part-chapter-fig-a.csv").read_text() == "x\n1\n"
    assert METADATA_KEY not in cell.outputs[0].metadata


def test_a_tables_caption_may_hold_code(tmp_path: Path) -> None:
    _, cell = made(tmp_path, table("tbl-a", "By `code`."))
    assert cell.source.startswith("~~~~{table} By `code`.\n:name: part-chapter-tbl-a\n\n| a |")


def test_a_name_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="1_part/chapter: expected one figure or table a name"):
        made(tmp_path, plot("a"), table("a"))


@pytest.mark.parametrize(
    ("notebook", "expected"),
    [("1_giqa/density_scores", "giqa-density-scores-fig-a"), ("2_a-b/C_d", "a-b-c-d-fig-a")],
)
def test_labels_are_ids_that_docutils_keeps(notebook: str, expected: str) -> None:
    from docutils.nodes import make_id

    assert label(notebook, "fig-a") == expected == make_id(expected)


def test_what_differs_between_equal_runs_goes() -> None:
    bar = new_output("stream", name="stderr", text="\r 10 %\r 20 %")
    end = new_output("stream", name="stderr", text="\n")
    warning = new_output("stream", name="stderr", text="careful")
    injected = new_code_cell(
        'n = 5\noutput = "/tmp/somewhere"\n', metadata={"tags": ["injected-parameters"]}
    )
    timed = new_code_cell(
        "x", outputs=[bar, end, warning], metadata={"papermill": {"duration": 1.0}, "execution": {}}
    )
    notebook = new_notebook(cells=[injected, timed, new_markdown_cell("text")])
    notebook.metadata.papermill = {"input_path": "everything", "start_time": "now"}
    tidy(notebook, {"n": 5})
    assert [cell.id for cell in notebook.cells] == ["c000", "c001", "c002"]
    assert injected.source == 'n = 5\noutput = ""\n'
    assert "remove-cell" in injected.metadata.tags
    assert timed.outputs == [warning]
    assert timed.metadata == {}
    assert notebook.metadata.papermill == {"parameters": {"n": 5}}
