"""The command line: what it passes on, what it prints, how it ends."""

from typing import Any

import pytest
from scratch_book import CHAPTER, Book

from giqa_lib.runner import Paths
from giqa_lib.runner.__main__ import main


@pytest.fixture(autouse=True)
def _here(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIQA_BOOK", str(book.root))


def test_dependencies_are_printed_relative_to_the_checkout(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["dependencies", CHAPTER]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"notebooks/{CHAPTER}.py"
    assert "giqa_lib/results/records.py" in lines
    assert f"book/results/cpu/{CHAPTER}.json" in lines


def test_the_profile_comes_from_the_environment_unless_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GIQA_PROFILE", "paper")
    assert main(["plan"]) == 0
    assert "1 chapters, profile paper" in capsys.readouterr().out
    assert main(["plan", "--profile", "cpu"]) == 0
    assert "1 chapters, profile cpu" in capsys.readouterr().out
    monkeypatch.setenv("GIQA_PROFILE", "gpu")
    assert main(["plan"]) == 4
    assert "profile: expected one of cpu, paper, quick, got 'gpu'" in capsys.readouterr().err


def test_run_passes_parameters_on(monkeypatch: pytest.MonkeyPatch, book: Book) -> None:
    seen: dict[str, Any] = {}

    def execute(name: str, **options: Any) -> Paths:
        seen.update(options, name=name)
        return Paths(notebook=book.page, record=book.root.resolve() / "r.json")

    monkeypatch.setattr("giqa_lib.runner.__main__.execute", execute)
    assert main(["run", CHAPTER, "-p", "n=5", "-p", "sizes=[1]"]) == 0
    assert seen["overrides"] == {"n": 5, "sizes": [1]}
    assert seen["pages"] == book.root.resolve() / "build" / "quick" / "notebooks"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "1_part/x"], "notebook: expected one of 1_part/chapter"),
        (["run", CHAPTER, "-p", "n"], "-p: expected NAME=VALUE"),
        (["run", CHAPTER, "-p", "nn=1"], "parameter: expected one of"),
        (["claim", "P2"], "claim P2: expected one that is attempted"),
        (["site"], "1_part/chapter has not been run"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 4
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
