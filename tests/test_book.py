"""The rendered book, if it has been built: what every one of its pages owes its readers."""

import os
from pathlib import Path

import pytest
import yaml
from book_pages import Page, read_pages

from giqa_lib.results import PROFILES, load_record, record_path
from giqa_lib.runner import chapters, fingerprint

ROOT = Path(__file__).resolve().parent.parent
PROFILE = os.environ.get("GIQA_TEST_BOOK", "quick")
HTML = ROOT / "build" / PROFILE / "_build" / "html"
PAGES = read_pages(HTML) if HTML.is_dir() else {}

pytestmark = pytest.mark.skipif(
    not PAGES,
    reason=f"no rendered book at build/{PROFILE}/_build/html: make book PROFILE={PROFILE}",
)


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES.keys())
def test_a_page_keeps_the_rules(page: Page) -> None:
    assert page.problems(HTML) == []


def test_every_page_of_the_contents_is_rendered() -> None:
    def files(node: object) -> list[str]:
        if isinstance(node, dict):
            own = [node[key] for key in ("file", "root") if key in node]
            return own + [name for value in node.values() for name in files(value)]
        return [name for item in node for name in files(item)] if isinstance(node, list) else []

    contents = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    assert not [name for name in files(contents) if f"{name}.html" not in PAGES]


@pytest.mark.parametrize("name", chapters(ROOT))
def test_a_chapter_shows_its_last_run(name: str) -> None:
    assert PROFILE in PROFILES
    record = load_record(record_path(name, PROFILE, root=ROOT))
    assert record is not None, "it was not run"
    stamp = fingerprint(name, ROOT, profile=PROFILE)
    if record.run["fingerprint"] != stamp:
        pytest.skip("changed after its run; make book runs it again")
    text = PAGES[f"notebooks/{name}.html"].article.get_text()
    assert stamp in text
    assert "Reproduce this page" in text
