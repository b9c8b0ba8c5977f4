import shutil

import pytest
from scratch_book import CHAPTER, Book

from giqa_lib.runner import StaleRun, assemble, chapters


def lay_out(book: Book) -> set[str]:
    """Assemble the site; the names of its files."""
    assemble(book.root, profile="quick", pages=book.pages, site=book.site)
    return {p.relative_to(book.site).as_posix() for p in book.site.rglob("*") if p.is_file()}


def test_chapters_are_the_notebooks_of_the_contents(book: Book) -> None:
    assert chapters(book.root) == [CHAPTER]


def test_the_site_holds_prose_pages_data_and_records(executed_copy: Book) -> None:
    names = lay_out(executed_copy)
    assert {
        "_config.yml",
        "_toc.yml",
        "book/index.md",
        "book/papers/claims.yml",
        "book/results/quick/1_part/chapter.json",
        "book/results/cpu/1_part/chapter.json",
        "notebooks/1_part/chapter.ipynb",
        "notebooks/1_part/part-chapter-fig-line.csv",
    } <= names
    assert not any(name.endswith((".py", ".pyc")) and "_ext" not in name for name in names)


def test_only_what_changed_is_copied_and_what_is_gone_is_removed(executed_copy: Book) -> None:
    lay_out(executed_copy)
    kept = executed_copy.site / "book" / "index.md"
    time = kept.stat().st_mtime_ns
    (executed_copy.root / "book" / "numbers.md").unlink()
    (executed_copy.root / "book" / "ledger.md").write_text("# Other\n")
    (executed_copy.page.parent / "other.failed.ipynb").write_text("{}")
    (executed_copy.page.parent / "other.part").write_text("{}")
    names = lay_out(executed_copy)
    assert kept.stat().st_mtime_ns == time
    assert "book/numbers.md" not in names
    assert (executed_copy.site / "book" / "ledger.md").read_text() == "# Other\n"
    assert not any("other" in name for name in names)


def test_quick_records_are_not_shown_in_another_profile(executed_copy: Book) -> None:
    book = executed_copy
    shutil.copytree(book.results / "quick", book.results / "paper")
    path = book.results / "paper" / f"{CHAPTER}.json"
    site = book.root / "site"
    assemble(book.root, profile="paper", pages=book.pages, site=site)
    assert path.relative_to(book.root).as_posix() in {
        p.relative_to(site).as_posix() for p in site.rglob("*.json")
    }
    assert not (site / "book" / "results" / "quick").exists()


def test_a_book_that_was_not_run(book: Book) -> None:
    with pytest.raises(StaleRun, match="profile quick: 1_part/chapter has not been run; run: make"):
        lay_out(book)
    assert not book.site.exists()


@pytest.mark.parametrize(
    "name", [f"notebooks/{CHAPTER}.py", "giqa_lib/results/display.py", "book/papers/values.csv"]
)
def test_a_change_after_the_run_stops_the_book(executed_copy: Book, name: str) -> None:
    with (executed_copy.root / name).open("a") as file:
        file.write("\n")
    with pytest.raises(StaleRun, match="1_part/chapter changed after its run"):
        lay_out(executed_copy)


@pytest.mark.parametrize("gone", ["page", "record"])
def test_a_lost_page_or_record_stops_the_book(executed_copy: Book, gone: str) -> None:
    getattr(executed_copy, gone).unlink()
    with pytest.raises(StaleRun, match="1_part/chapter has not been run"):
        lay_out(executed_copy)
