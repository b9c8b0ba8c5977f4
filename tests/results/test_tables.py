import json

import pytest
from scratch_book import CHAPTER, NUMBER, RUN, Book

from giqa_lib.results import (
    Result,
    comparison_table,
    exhibit_table,
    format_number,
    ledger_table,
    number_table,
    record_path,
    records,
    verdict_counts,
    write_json,
)


def add_record(book: Book, profile: str, *numbers: dict[str, object]) -> None:
    path = record_path(CHAPTER, profile, root=book.root)
    write_json(path, {"run": RUN | {"profile": profile}, "results": [NUMBER | n for n in numbers]})


def test_the_papers_numbers_stand_beside_ours(book: Book) -> None:
    add_record(book, "quick", {"value": 0.1}, {"value": 0.7, "dataset": "other", "key": ""})
    frame = comparison_table(book.root, "p", "Table 1", CHAPTER).set_index(["Row", "Measured on"])
    assert frame.loc[("a", "digits"), "Paper"] == "0.25 ± 0.01"
    assert frame.loc[("a", "digits"), "Ours, cpu"] == "0.300 ± 0.010"
    assert frame.loc[("a", "digits"), "This build, quick"] == "0.100 ± 0.010"
    assert frame.loc[("a", "digits"), "n"] == "10000"
    # What only one side has is shown as missing.
    assert frame.loc[("a", "other"), "Ours, cpu"] == "–"
    assert frame.loc[("None", "–"), "Paper"] == "0.5"
    assert len(frame) == 3


def test_columns_follow_the_profiles_that_ran(book: Book) -> None:
    wanted = ["Row", "Column", "Metric", "Measured on", "Paper", "Ours, cpu", "n", "Seeds"]
    assert list(comparison_table(book.root, "p", "Table 1", CHAPTER)) == wanted
    add_record(book, "paper", {"n": 7})
    frame = comparison_table(book.root, "p", "Table 1", CHAPTER)
    assert list(frame)[5:7] == ["Ours, paper's settings", "Ours, cpu"]
    assert frame.loc[0, "n"] == "7"


def test_the_ledger_judges_the_committed_number(book: Book) -> None:
    ledger = ledger_table(book.root).set_index("id")
    assert ledger.loc["P1", "verdict"] == "reproduced"
    assert ledger.loc["P1", "interval"] == "[0.173, 0.427]"
    assert ledger.loc["P1", "change"] == "+0.1000"
    assert ledger.loc["P1", "quick"] == "–"
    assert ledger.loc["P2", "verdict"] == "not attempted"
    assert ledger.loc["P2", "reason"] == "No test of beauty."
    counts = verdict_counts(book.root).set_index("paper").loc["p"]
    assert counts.to_dict() == {
        "reproduced": 1, "direction only": 0, "not reproduced": 0, "inconclusive": 0, "not attempted": 1,
    }  # fmt: skip


def test_a_quick_number_gives_no_verdict(book: Book) -> None:
    record_path(CHAPTER, "cpu", root=book.root).unlink()
    add_record(book, "quick", {"value": 0.9})
    row = ledger_table(book.root).set_index("id").loc["P1"]
    assert row["verdict"] == "not attempted"
    assert row["quick"] == "0.900"
    assert row["reason"] == "Its notebook has no committed cpu record yet."


def test_a_record_without_the_claims_number_says_so(book: Book) -> None:
    add_record(book, "cpu", {"key": "other"})
    row = ledger_table(book.root).set_index("id").loc["P1"]
    assert row["reason"] == "The committed cpu record does not hold its number."


def test_numbers_with_a_key_are_listed(book: Book) -> None:
    add_record(book, "quick", {"row": "x", "key": ""}, {"key": "mean"})
    frame = number_table(book.root)
    assert frame["profile"].tolist() == ["cpu", "quick"]
    assert frame["key"].unique().tolist() == ["mean"]
    assert frame.loc[0, "value"] == "0.3000 ± 0.0100"
    assert frame.loc[0, "seeds"] == "0, 1"


def test_no_number_at_all(book: Book) -> None:
    record_path(CHAPTER, "cpu", root=book.root).unlink()
    assert number_table(book.root).empty


def test_records_by_profile(book: Book) -> None:
    assert list(records(book.root, CHAPTER)) == ["cpu"]
    assert records(book.root, "1_part/none") == {}


def test_exhibits_without_a_notebook_stay(book: Book) -> None:
    assert exhibit_table(book.root)["notebook"].tolist() == [CHAPTER, ""]


@pytest.mark.parametrize(
    ("error", "text"), [(None, "0.1235"), (0.01, "0.1235 ± 0.0100"), (0.0, "0.1235 ± 0.0000")]
)
def test_format_number(error: float | None, text: str) -> None:
    number = Result(**(NUMBER | {"value": 0.12345, "standard_error": error, "seeds": ()}))
    assert format_number(number, 4) == text
    assert format_number(None) == "–"


def test_the_scratch_record_is_json(book: Book) -> None:
    assert json.loads(record_path(CHAPTER, "cpu", root=book.root).read_text())["results"] == [
        NUMBER
    ]
