"""The rendered book of one chapter: what its pages say, and what stops it.

One test renders a sound book and all others of this file read its pages.
"""

import importlib
import json
import re
from pathlib import Path

import pytest
from book_pages import Page, read_pages
from bs4 import Tag
from scratch_book import CHAPTER, Book

from giqa_lib.runner import RenderFailed, assemble, render

CHAPTER_PAGE = f"notebooks/{CHAPTER}.html"


def build(book: Book) -> Path:
    assemble(book.root, profile="quick", pages=book.pages, site=book.site)
    render(book.site, profile="quick", out=book.site.parent)
    return book.site.parent / "_build" / "html"


@pytest.fixture(scope="module")
def html(executed: Book, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(executed.copy(tmp_path_factory.mktemp("rendered") / "a book"))


@pytest.fixture(scope="module")
def pages(html: Path) -> dict[str, Page]:
    return read_pages(html)


@pytest.fixture
def chapter(pages: dict[str, Page]) -> Page:
    return pages[CHAPTER_PAGE]


def link(page: Page, text: str) -> Tag:
    (found,) = [a for a in page.article.find_all("a") if a.get_text() == text]
    return found


def caption(page: Page, label: str) -> str:
    """The caption of a figure or table."""
    tag = page.article.find(id=label)
    assert isinstance(tag, Tag)
    found = tag.find(["caption", "figcaption"])
    assert found is not None
    return " ".join(found.get_text().split()).removesuffix("#")


def test_a_number_stands_with_its_interval_and_links_to_its_origin(
    chapter: Page, pages: dict[str, Page], executed: Book
) -> None:
    number = json.loads(executed.record.read_text())["results"][0]
    value, half = number["value"], 1.959964 * number["standard_error"]
    quick = link(chapter, f"{value:.2f} [{value - half:.2f}, {value + half:.2f}]")
    assert quick["href"] == "../../book/numbers.html#num-quick-1-part-chapter-mean"
    cpu = link(chapter, "0.300 [0.173, 0.427]")
    assert cpu["href"] == "../../book/numbers.html#num-cpu-1-part-chapter-mean"
    origin = pages["book/numbers.html"].article.find(id="num-cpu-1-part-chapter-mean")
    assert isinstance(origin, Tag)
    assert "make run PROFILE=cpu" in origin.get_text()


def test_a_plot_of_a_committed_record_stands_in_the_page(pages: dict[str, Page]) -> None:
    figure = pages["book/exhibits.html"].article.find("figure", id="fig-growth-seconds")
    assert isinstance(figure, Tag)
    (image,) = figure.find_all("img")
    assert image["src"].startswith("data:image/png;base64,")
    assert image["alt"].endswith("fit rises from 2 at 10 to 20 at 100, fitted slope 1.00.")


def test_a_figure_has_words_a_number_and_its_data(chapter: Page, html: Path) -> None:
    figure = chapter.article.find("figure", id="part-chapter-fig-line")
    assert isinstance(figure, Tag)
    (image,) = figure.find_all("img")
    assert image["alt"] == "A line of 50 points: it rises & <falls>."
    assert re.match(
        r"Fig\. 1 A line, drawn: .* Data \(CSV\)", caption(chapter, "part-chapter-fig-line")
    )
    data = link(Page("", figure), "Data (CSV)")
    rows = (html / CHAPTER_PAGE).parent.joinpath(data["href"]).read_text().splitlines()
    assert rows[0] == "x,y"
    assert len(rows) == 51


def test_figures_of_one_cell_are_numbered_apart(chapter: Page) -> None:
    assert caption(chapter, "part-chapter-fig-short").startswith("Fig. 2 A short line.")
    assert caption(chapter, "part-chapter-fig-long").startswith("Fig. 3 A longer line.")


def test_tables_are_numbered_and_hold_their_numbers(chapter: Page) -> None:
    assert re.match(r"Table \d+ Two means\.", caption(chapter, "part-chapter-tbl-means"))
    table = chapter.article.find(id="part-chapter-tbl-means")
    assert isinstance(table, Tag)
    assert [cell.get_text() for cell in table.find_all("td")] == ["5", "0.500", "70", ""]
    assert re.match(r"Table \d+ Table 1 of the paper", caption(chapter, "tbl-p-table-1"))
    comparison = chapter.article.find(id="tbl-p-table-1")
    assert isinstance(comparison, Tag)
    assert "0.300 ± 0.010" in comparison.get_text()


def test_cross_references_and_citations_resolve(chapter: Page) -> None:
    assert link(chapter, "Fig. 1")["href"] == "#part-chapter-fig-line"
    assert link(chapter, "(1)")["href"] == "#equation-eq-mean"
    assert chapter.article.find(class_="bibtex-citation") is not None


def test_the_verdict_links_to_the_ledger(chapter: Page, pages: dict[str, Page]) -> None:
    assert link(chapter, "The mean exceeds a tenth.")["href"] == "../../book/ledger.html#claim-p1"
    ledger = pages["book/ledger.html"].article
    assert "Verdict: reproduced." in ledger.get_text()
    assert "No test of beauty." in ledger.get_text()
    assert [h.name for h in ledger.find_all(re.compile("h[1-6]"))] == ["h1", "h2", "h3", "h3"]


def test_the_box_says_how_to_repeat_and_that_quick_is_no_evidence(chapter: Page) -> None:
    text = chapter.article.get_text()
    assert "no evidence" in text
    assert "make run NOTEBOOK=1_part/chapter PROFILE=quick" in text
    assert "The committed cpu numbers took 10 min on a CPU" in text


def test_what_papermill_injects_is_hidden(chapter: Page) -> None:
    assert "# Parameters" not in chapter.article.get_text()
    assert "50 %" not in chapter.article.get_text().replace('"\\r 50 %"', "")


def test_the_overviews(pages: dict[str, Page]) -> None:
    index = pages["book/index.html"].article.get_text()
    assert "Claims by verdict, from the ledger." in index
    assert "No benchmark has been committed yet" in index
    # Counted tables: one that was measured, one that was not.
    assert all(words in index for words in ("kill -9, counted.", "1,200", "0.123", "make robust"))
    assert index.count("Nothing has been committed yet.") == 1
    # A dollar in the text about data is no mathematics.
    assert pages["book/index.html"].article.find(class_="math") is None
    exhibits = pages["book/exhibits.html"].article
    assert link(Page("", exhibits), "One chapter")["href"] == "../notebooks/1_part/chapter.html"
    assert "Fewer draws." in exhibits.get_text()


def test_where_a_peer_is_faster_the_page_says_so(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(root / "book" / "_ext"))
    lost = importlib.import_module("giqa_book.overview")._lost
    row = {"task": "KNN", "size": "N=9", "peer": "faiss", "file": "bench_scores.py"}
    assert lost([row | {"ratio": ratio} for ratio in (None, 1.0, 3.0)]) == []
    assert lost([row | {"ratio": 0.5, "file": "bench_gman.py"}]) == []
    said = lost([row | {"ratio": 0.5}, row | {"ratio": 2.0}])
    assert [line for line in said if line.startswith("- ")] == [
        "- KNN, N=9: faiss is 2.0 times as fast"
    ]


def test_every_check_of_the_real_book_holds(pages: dict[str, Page], html: Path) -> None:
    for page in pages.values():
        assert not page.problems(html), page.name


def test_mathematics_needs_no_other_host(html: Path) -> None:
    text = (html / CHAPTER_PAGE).read_text()
    assert "_static/mathjax/tex-mml-chtml.js" in text
    assert (html / "_static" / "mathjax" / "tex-mml-chtml.js").is_file()
    assert list((html / "_static" / "mathjax").rglob("*.woff*"))
    assert not re.search(r"unpkg\.com|jsdelivr|cdnjs|googleapis", text)


def edit(book: Book, name: str, old: str, new: str) -> None:
    path = book.root / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def spoil(book: Book, how: str) -> str:
    """Break the book in one way; what jupyter-book must then say."""
    match how:
        case "number":
            edit(book, "book/index.md", "# A book", "# A book\n\n{num}`cpu:1_part/chapter.none`")
            return "number cpu:1_part/chapter.none has no result in the cpu record"
        case "format":
            edit(
                book, "book/index.md", "# A book", "# A book\n\n{num}`cpu:1_part/chapter.mean|.3q`"
            )
            return "has no format that Python knows"
        case "page of numbers":
            edit(book, "_toc.yml", "- file: book/numbers\n", "")
            return "undefined label: 'num-quick-1-part-chapter-mean'"
        case "exhibit":
            edit(book, "book/index.md", "# A book", "# A book\n\n```{comparison} p / Table 7\n```")
            return "no exhibit p / Table 7"
        case "failed cell":
            notebook = json.loads(book.page.read_text())
            failure = {"output_type": "error", "ename": "E", "evalue": "", "traceback": []}
            notebook["cells"][-1]["outputs"] = [failure]
            book.page.write_text(json.dumps(notebook))
            return "failed when it ran"
        case "picture":
            notebook = json.loads(book.page.read_text())
            for cell in notebook["cells"]:
                cell["metadata"].pop("mystnb", None)
            book.page.write_text(json.dumps(notebook))
            return "has a picture without alternative text"
    raise AssertionError(how)


@pytest.mark.parametrize(
    "how",
    [
        "number",
        *(
            pytest.param(how, marks=pytest.mark.slow)
            for how in ("format", "page of numbers", "exhibit", "failed cell", "picture")
        ),
    ],
)
def test_what_is_missing_or_broken_fails_the_build(
    executed_copy: Book, how: str, capfd: pytest.CaptureFixture[str]
) -> None:
    message = spoil(executed_copy, how)
    with pytest.raises(RenderFailed, match="exit status"):
        build(executed_copy)
    said = capfd.readouterr()
    assert message in " ".join((said.out + said.err).split())
