"""A book whose chapter has a made-up cpu record."""

from pathlib import Path

import pytest
from scratch_book import Book, make_book


@pytest.fixture
def book(tmp_path: Path, root: Path) -> Book:
    return make_book(tmp_path / "a book", root)
