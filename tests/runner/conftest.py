"""Books of one chapter: not run, run once, and a copy of that."""

from pathlib import Path

import pytest
from scratch_book import Book, make_book


@pytest.fixture
def book(tmp_path: Path, root: Path) -> Book:
    """A book that has not been run."""
    return make_book(tmp_path / "a book", root)


@pytest.fixture(scope="session")
def executed(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Book:
    """A book whose chapter has been run once; not to be changed."""
    made = make_book(tmp_path_factory.mktemp("executed") / "a book", root)
    made.run()
    return made


@pytest.fixture
def executed_copy(executed: Book, tmp_path: Path) -> Book:
    """A copy of the executed book to change at will."""
    return executed.copy(tmp_path / "a book")
