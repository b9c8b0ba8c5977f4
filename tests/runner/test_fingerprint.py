from pathlib import Path

import pytest
from scratch_book import CHAPTER, Book

from giqa_lib.checks import InputError
from giqa_lib.runner import dependencies, fingerprint, notebook_path

SOURCE = """\
import giqa_lib.alpha
from giqa_lib.pack import beta
def later():
    from giqa_lib.pack.gamma import thing
"""
LIBRARY = {
    "__init__.py": "",
    "alpha.py": "import giqa_lib.delta\nimport numpy",
    "delta.py": "import giqa_lib.alpha",  # a circle must not trap the search
    "unused.py": "import giqa_lib.alpha",
    "pack/__init__.py": "",
    "pack/beta.py": "",
    "pack/gamma.py": "",
    "pack/unused.py": "",
}


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A notebook and a library of eight modules."""
    for name, text in {f"giqa_lib/{k}": v for k, v in LIBRARY.items()}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "a.py").write_text(SOURCE)
    return tmp_path


def test_imports_are_followed(small: Path) -> None:
    found = [path.relative_to(small).as_posix() for path in dependencies("a", small, profile="cpu")]
    assert found[0] == "notebooks/a.py"
    assert found[1:] == [
        f"giqa_lib/{name}"
        for name in (
            "__init__.py", "alpha.py", "delta.py", "pack/__init__.py", "pack/beta.py", "pack/gamma.py",
        )
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("notebooks/a.py", True),
        ("giqa_lib/alpha.py", True),
        ("giqa_lib/delta.py", True),
        ("giqa_lib/pack/gamma.py", True),
        ("giqa_lib/pack/__init__.py", True),
        ("giqa_lib/unused.py", False),
        ("giqa_lib/pack/unused.py", False),
    ],
)
def test_only_what_is_imported_counts(small: Path, name: str, counts: bool) -> None:
    before = fingerprint("a", small, profile="quick")
    with (small / name).open("a") as file:
        file.write("\n# changed\n")
    assert (fingerprint("a", small, profile="quick") != before) is counts


def test_the_cpu_record_counts_except_for_its_own_run(book: Book) -> None:
    record = book.results / "cpu" / f"{CHAPTER}.json"
    before = {p: fingerprint(CHAPTER, book.root, profile=p) for p in ("quick", "cpu")}
    record.write_text(record.read_text().replace("0.3", "0.4"))
    assert fingerprint(CHAPTER, book.root, profile="quick") != before["quick"]
    assert fingerprint(CHAPTER, book.root, profile="cpu") == before["cpu"]


def test_the_papers_values_count_and_the_quick_record_does_not(executed_copy: Book) -> None:
    root = executed_copy.root
    before = fingerprint(CHAPTER, root, profile="quick")
    executed_copy.record.unlink()
    assert fingerprint(CHAPTER, root, profile="quick") == before
    with (root / "book" / "papers" / "values.csv").open("a") as file:
        file.write("p,Table 1,mean,a,6,0.25,,higher,\n")
    assert fingerprint(CHAPTER, root, profile="quick") != before


def test_the_book_chapter_does_not_hang_on_what_it_does_not_import(book: Book) -> None:
    before = fingerprint(CHAPTER, book.root, profile="quick")
    (book.root / "giqa_lib" / "runner" / "claim.py").write_text("changed")
    assert fingerprint(CHAPTER, book.root, profile="quick") == before
    with (book.root / "giqa_lib" / "results" / "records.py").open("a") as file:
        file.write("# changed\n")
    assert fingerprint(CHAPTER, book.root, profile="quick") != before


def test_an_unknown_notebook(book: Book) -> None:
    with pytest.raises(
        InputError, match="notebook: expected one of 1_part/chapter, got '1_part/x'"
    ):
        notebook_path("1_part/x", book.root)
