from pathlib import Path
from typing import Any

import pytest
from scratch_book import CHAPTER, NUMBER, RUN, Book

from giqa_lib.checks import InputError
from giqa_lib.results import VERDICTS, write_json
from giqa_lib.runner import Paths, run_claim
from giqa_lib.runner.claim import EXIT_STATUS


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """``execute`` replaced: it writes a record whose number has ``value``; the call is kept."""
    call: dict[str, Any] = {"value": 0.3}

    def execute(name: str, **options: Any) -> Paths:
        call.update(options, name=name)
        record = Path(options["results"]) / options["profile"] / f"{name}.json"
        write_json(record, {"run": RUN, "results": [NUMBER | {"value": call["value"]}]})
        return Paths(notebook=record, record=record)

    monkeypatch.setattr("giqa_lib.runner.claim.execute", execute)
    return call


def test_every_verdict_has_an_exit_status() -> None:
    assert set(EXIT_STATUS) == set(VERDICTS)
    assert [v for v, status in EXIT_STATUS.items() if status == 0] == ["reproduced"]


@pytest.mark.parametrize(
    ("value", "line"),
    [
        # Two seeds with an error of .01: by Student's t of one degree of freedom, 12.706 of it to each side.
        (0.3, "P1: reproduced (0.3000 [0.1729, 0.4271], expected above 0.1)"),
        (0.05, "P1: inconclusive (0.0500 [-0.0771, 0.1771], expected above 0.1)"),
        (-0.3, "P1: not reproduced (-0.3000 [-0.4271, -0.1729], expected above 0.1)"),
    ],
)
def test_the_number_just_measured_is_judged(
    book: Book, stand_in: dict[str, Any], value: float, line: str
) -> None:
    stand_in["value"] = value
    test = run_claim("P1", profile="quick", root=book.root, overrides={"n": 60})
    assert test.line() == line
    assert stand_in["name"] == CHAPTER
    assert stand_in["overrides"] == {"n": 60}
    # The book's own records are not touched.
    assert not Path(stand_in["results"]).is_relative_to(book.root)


def test_parameters_of_the_command_line_go_over_the_claims(
    book: Book, stand_in: dict[str, Any]
) -> None:
    path = book.root / "book" / "papers" / "claims.yml"
    path.write_text(
        path.read_text().replace("margin: 0.1,", "margin: 0.1, parameters: {n: 9, seed: 1},")
    )
    run_claim("P1", profile="quick", root=book.root, overrides={"n": 60})
    assert stand_in["overrides"] == {"n": 60, "seed": 1}


def test_a_claim_that_is_not_attempted_or_not_known(book: Book) -> None:
    with pytest.raises(InputError, match=r"claim P2: expected one that is attempted, got No test"):
        run_claim("P2", profile="quick", root=book.root, overrides={})
    with pytest.raises(InputError, match=r"claim: expected one of P1, P2, got 'P3'"):
        run_claim("P3", profile="quick", root=book.root, overrides={})
