"""A few commands in each trouble; ``make robust`` counts more of them."""

from types import SimpleNamespace

import pytest
from troubles import TROUBLES, scorer_trouble, try_trouble

NEVER_HARMLESS = [
    name for name in TROUBLES if name.startswith(("a scorer", "an archive", "NaN"))
]  # fmt: skip


@pytest.mark.parametrize("trouble", TROUBLES)
def test_one_line_and_nothing_left_or_no_harm(trouble):
    found = try_trouble(trouble, trials=2, seed=0)
    assert found.wrong == 0
    assert found.refused + found.unharmed == 2
    assert found.unharmed == 0 or trouble not in NEVER_HARMLESS


def test_the_count_would_see_a_scorer_that_is_loaded_all_the_same(monkeypatch):
    name = "a scorer of other weights"
    monkeypatch.setitem(TROUBLES, name, scorer_trouble(lambda folder, random: None))
    assert try_trouble(name, trials=1, seed=0).wrong == 1


def test_the_count_would_see_what_is_left_behind(monkeypatch):
    forgetful = SimpleNamespace(rmtree=lambda *_, **__: None)
    monkeypatch.setattr("giqa_lib.cli.writing.shutil", forgetful)
    assert try_trouble("NaN or infinity among the features", trials=2, seed=0).wrong == 2


def test_the_count_would_see_an_error_of_two_lines(monkeypatch):
    monkeypatch.setattr("giqa_lib.cli.reporting.one_line", lambda error: f"{error}\nand more")
    assert try_trouble("a scorer of another version", trials=1, seed=0).wrong == 1
