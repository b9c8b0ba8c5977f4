"""One chapter run for real: a kernel is started in each test that says so by ``run``."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from scratch_book import CHAPTER, Book

from giqa_lib.checks import InputError
from giqa_lib.results import load_record
from giqa_lib.runner import NotebookFailed, fingerprint, parse_assignments
from giqa_lib.runner.execute import THREADS, _environment, command_line


def test_a_run_leaves_page_record_and_data(executed: Book) -> None:
    record = load_record(executed.record)
    assert record is not None
    assert [r.key for r in record.results] == ["mean"]
    assert record.run["command"] == "make run NOTEBOOK=1_part/chapter PROFILE=quick"
    assert record.run["fingerprint"] == fingerprint(CHAPTER, executed.root, profile="quick")
    assert record.run["parameters"] == {"profile": "quick", "seed": 0, "device": "cpu", "n": 50}
    assert record.run["previous"] == {}
    cells = record.run["seconds_by_cell"]
    assert sum(cell["seconds"] for cell in cells) <= record.run["seconds"] + 0.1
    names = sorted(path.name for path in executed.page.parent.iterdir())
    assert names == [
        "chapter.ipynb",
        "part-chapter-fig-line.csv",
        "part-chapter-fig-long.csv",
        "part-chapter-fig-short.csv",
    ]


def test_a_second_run_is_the_same_bytes(executed: Book, executed_copy: Book) -> None:
    executed_copy.run()
    assert executed_copy.page.read_bytes() == executed.page.read_bytes()
    first, second = (load_record(b.record) for b in (executed, executed_copy))
    assert first is not None
    assert second is not None
    assert second.results == first.results
    # The record remembers what it replaced.
    assert second.run["previous"] == {r.identity: r.value for r in first.results}


def test_no_path_of_this_machine_stays_in_the_page(executed: Book) -> None:
    text = executed.page.read_text()
    assert str(executed.root) not in text
    assert "giqa-run-" not in text


def test_a_failing_cell_changes_nothing(
    executed_copy: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = executed_copy.record.read_bytes(), executed_copy.page.read_bytes()
    monkeypatch.setenv("PYTHONHASHSEED", "7")
    with pytest.raises(
        NotebookFailed, match=r"1_part/chapter: cell \d+: ValueError: on purpose; .*failed\.ipynb"
    ):
        executed_copy.run(fail="raise")
    assert (executed_copy.record.read_bytes(), executed_copy.page.read_bytes()) == before
    failed = json.loads(executed_copy.page.with_suffix(".failed.ipynb").read_text())
    assert any(o["output_type"] == "error" for c in failed["cells"] for o in c.get("outputs", []))
    # The caller's environment is as it was.
    assert os.environ["PYTHONHASHSEED"] == "7"
    assert "GIQA_BOOK" not in os.environ


@pytest.mark.parametrize(
    ("given", "seen"),
    [
        ({}, ["1", "1", "1"]),
        ({"OMP_NUM_THREADS": "3"}, ["3", "3", "3"]),
        ({"OMP_NUM_THREADS": "3", "MKL_NUM_THREADS": "2"}, ["3", "2", "3"]),
    ],
)
def test_a_notebook_gets_one_thread_unless_the_user_says_otherwise(
    given: dict[str, str], seen: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in THREADS:
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    asked = f"import os; print(*[os.environ[name] for name in {THREADS}])"
    with _environment("quick", tmp_path):
        done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True)
    assert done.stdout.split() == seen
    assert {name: os.environ[name] for name in THREADS if name in os.environ} == given


@pytest.mark.slow
@pytest.mark.parametrize(
    ("how", "message"), [("die", "DeadKernelError"), ("forget", r"it wrote no record; end it with")]
)
def test_a_kernel_that_dies_or_a_notebook_that_saves_nothing(
    executed_copy: Book, how: str, message: str
) -> None:
    before = executed_copy.record.read_bytes()
    with pytest.raises(NotebookFailed, match=message):
        executed_copy.run(fail=how)
    assert executed_copy.record.read_bytes() == before


@pytest.mark.slow
def test_a_good_run_takes_the_failed_one_away(executed_copy: Book) -> None:
    failed = executed_copy.page.with_suffix(".failed.ipynb")
    failed.write_text("{}")
    executed_copy.run(n=60)
    assert not failed.exists()
    record = load_record(executed_copy.record)
    assert record is not None
    assert record.run["parameters"]["n"] == 60
    assert record.run["command"].endswith('ARGS="-p n=60"')


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"nn": 5}, "parameter: expected one of"),
        ({"n": "5"}, "parameter n: expected int"),
        ({"profile": "cpu"}, "the runner sets it"),
        ({"output": "here"}, "the runner sets it"),
    ],
)
def test_bad_parameters_are_refused_before_anything_runs(
    book: Book, overrides: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        book.run(**overrides)
    assert not book.pages.exists()


@pytest.mark.parametrize(
    "overrides",
    [
        {},
        {"a": True, "b": 0.001, "c": -3},
        {"a": [5, 70], "b": ["x", "y"]},
        {"a": "two words", "b": "$HOME", "c": 'say "no"', "d": "`x`", "e": "it's", "f": "true"},
    ],
)
def test_the_command_can_be_pasted_into_a_shell(
    overrides: dict[str, object], tmp_path: Path
) -> None:
    (tmp_path / "Makefile").write_text("run:\n\t@printf '%s\\n' $(ARGS)\n")
    command = command_line("n", "cpu", overrides)
    assert command.startswith("make run NOTEBOOK=n PROFILE=cpu")
    # A reader's shell: under ``make test`` an inner make would announce its folder.
    shell = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    words = subprocess.run(
        ["sh", "-c", command], cwd=tmp_path, env=shell, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert parse_assignments([word for word in words if word not in ("-p", "")]) == overrides
