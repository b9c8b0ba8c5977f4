from pathlib import Path

import pytest
import yaml
from scratch_book import Book

from giqa_lib.checks import DataUnavailable, InputError
from giqa_lib.results import claims, deviations, exhibits, find_checkout, paper_values, record_path


def edit_claim(book: Book, **changes: object) -> None:
    """Change the first claim; None takes a field away."""
    path = book.root / "book" / "papers" / "claims.yml"
    rows = yaml.safe_load(path.read_text())
    rows[0] = {k: v for k, v in (rows[0] | changes).items() if v is not None}
    path.write_text(yaml.safe_dump(rows))


def test_the_checkout_is_found_from_a_folder_below(book: Book) -> None:
    assert find_checkout(book.root / "notebooks" / "1_part") == book.root.resolve()


def test_the_checkout_is_named_by_the_environment(
    book: Book, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIQA_BOOK", str(book.root))
    assert find_checkout() == book.root.resolve()
    # A wrong name is an error, not a reason to look elsewhere.
    monkeypatch.setenv("GIQA_BOOK", str(book.root / "notebooks"))
    with pytest.raises(DataUnavailable, match="set GIQA_BOOK"):
        find_checkout(book.root)


def test_no_checkout(tmp_path: Path) -> None:
    with pytest.raises(DataUnavailable, match=r"a folder with _toc.yml and book/"):
        find_checkout(tmp_path)


def test_record_path_keeps_profiles_apart() -> None:
    places = {record_path("1_a/b", p, root=Path("r")) for p in ("quick", "cpu", "paper")}
    assert len(places) == 3


def test_values_are_numbers_and_names_are_text(book: Book) -> None:
    values = paper_values(book.root)
    assert values["value"].tolist() == [0.25, 0.5]
    assert values["std"].isna().tolist() == [False, True]
    # "None" names a row and 70 a column: neither becomes a missing value or a number.
    assert values["row"].tolist() == ["a", "None"]
    assert values["column"].tolist() == ["5", "70"]


def test_a_value_that_is_no_number(book: Book) -> None:
    path = book.root / "book" / "papers" / "values.csv"
    path.write_text(path.read_text().replace("0.25", "about a quarter"))
    with pytest.raises(ValueError, match="about a quarter"):
        paper_values(book.root)


def test_a_missing_column_is_named(book: Book) -> None:
    path = book.root / "book" / "papers" / "exhibits.csv"
    path.write_text("paper,exhibit,kind,shows,notebook\n")
    with pytest.raises(InputError, match=r"exhibits.csv: .* none named state"):
        exhibits(book.root)


def test_claims_and_deviations_are_read(book: Book) -> None:
    assert [claim["id"] for claim in claims(book.root)] == ["P1", "P2"]
    assert deviations(book.root)[0]["notebooks"] == ["1_part/chapter"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"margin": None}, "claim P1: expected complete, got no margin"),
        ({"margin_reason": None}, "no margin_reason"),
        ({"margin": "1e-3"}, "claim P1, margin: expected a number, got '1e-3'"),
        ({"margin": True}, "expected a number, got True"),
        ({"expect": "more"}, "claim P1, expect: expected one of above, below, equal"),
        ({"expect": "equal", "paper_value": None}, "claim P1, target: expected a number, got None"),
        ({"result": {"rows": "a"}}, "claim P1, result: expected some of .* got rows"),
        ({"attempted": False}, "claim P1: expected a reason, got none"),
        ({"place": None}, "claims.yml, P1: expected fields .* got no place"),
        ({"id": "P2"}, "claims.yml, P2: expected one row an id"),
    ],
)
def test_an_incomplete_claim_is_named(book: Book, changes: dict[str, object], message: str) -> None:
    edit_claim(book, **changes)
    with pytest.raises(InputError, match=message):
        claims(book.root)


def test_a_claim_equal_to_the_papers_value_needs_no_target(book: Book) -> None:
    edit_claim(book, expect="equal")
    assert claims(book.root)[0]["expect"] == "equal"


def test_an_empty_list_has_no_rows(book: Book) -> None:
    (book.root / "book" / "papers" / "deviations.yml").write_text("# none yet\n")
    assert deviations(book.root) == []
