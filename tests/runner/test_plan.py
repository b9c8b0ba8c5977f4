from pathlib import Path

import pytest
from scratch_book import CHAPTER, Book

from giqa_lib.checks import InputError
from giqa_lib.runner import plan, plan_text, training_lines
from giqa_lib.store import Store


def test_a_plan_says_what_is_known_and_nothing_else(book: Book) -> None:
    (entry,) = plan(book.root, profile="paper", overrides={"n": 7})
    assert entry.notebook == CHAPTER
    assert entry.parameters["profile"] == "paper"
    assert entry.parameters["n"] == 7
    assert "output" not in entry.parameters
    assert entry.dataset == "digits"
    assert entry.found  # scikit-learn has them
    assert entry.seconds == {"cpu": 600.0}
    text = plan_text([entry], profile="paper")
    assert "time, quick not measured" in text
    assert "time, cpu   10 min on a CPU" in text
    assert "time, paper not measured" in text
    assert "cpu   10 min (1 of 1 chapters measured)" in text
    assert "paper not measured (0 of 1 chapters measured)" in text


def test_data_that_is_not_here(book: Book, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GIQA_DATA", str(tmp_path))
    (ffhq,) = plan(book.root, profile="paper", overrides={"dataset": "ffhq"})
    assert ffhq.found == ""
    assert "NOT on this machine" in plan_text([ffhq], profile="paper")
    (other,) = plan(book.root, profile="paper", overrides={"dataset": "a/folder"})
    assert "giqa_lib.data does not know this name" in plan_text([other], profile="paper")


def test_bad_parameters_are_refused(book: Book) -> None:
    with pytest.raises(InputError, match="expected a parameter that some chapter declares, got nn"):
        plan(book.root, profile="paper", overrides={"nn": 7})
    with pytest.raises(InputError, match="parameter n: expected int"):
        plan(book.root, profile="paper", overrides={"n": "7"})
    with pytest.raises(InputError, match="profile: expected one of"):
        plan(book.root, profile="gpu", overrides={})


def test_trainings_are_estimated_from_a_step_of_each(tmp_path: Path) -> None:
    lines = list(training_lines("quick", dataset="digits", store=Store(tmp_path), sustained=2.0))
    twice = list(training_lines("quick", dataset="digits", store=Store(tmp_path), sustained=4.0))
    assert "assumed 2 TFLOP/s" in lines[0]
    names = [line.split()[1] for line in lines[1:-1]]
    assert {"DCGAN", "pggan", "spade", "ControlGAN", "GMAN"} <= set(names)
    there, faster = (float(found[-1].split()[3]) for found in (lines, twice))
    assert there == pytest.approx(2 * faster, rel=0.1)
    assert not list(tmp_path.iterdir())  # nothing is trained
    with pytest.raises(InputError, match="sustained"):
        list(training_lines("quick", dataset="digits", store=Store(tmp_path), sustained=0))
