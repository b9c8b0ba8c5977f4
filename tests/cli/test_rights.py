"""giqa where the system refuses to read or write; ``make robust`` counts the same."""

import os

import pytest
from rights import CASES, NOTHING, can_be_refused, try_case

pytestmark = pytest.mark.skipif(
    not can_be_refused(), reason="this root may not become nobody, and is refused nothing"
)


@pytest.mark.parametrize("case", [case for case in CASES if case != NOTHING])
def test_one_line_says_what_is_refused_and_nothing_is_left(case):
    found = try_case(case)
    assert found.commands > 0
    assert found.wrong == 0


def test_who_opens_a_path_says_what_is_refused(giqa, scores, monkeypatch):
    """Not click, for which a path that may not be read would be wrong usage."""
    monkeypatch.setattr(os, "access", lambda *_, **__: False)
    assert giqa("pick", scores, "--keep", 1).status == 0


def test_the_same_commands_end_well_where_nothing_is_refused():
    assert try_case(NOTHING).refused == 0
