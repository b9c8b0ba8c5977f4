"""Rendered pages as the tests read them, and the rules that every page must obey."""

import re
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup, Tag

REMOTE = re.compile(r"(https?:)?//")
LOADED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href"}
MADE_BY_SPHINX = ("genindex.html", "search.html", "index.html")  # index.html sends on to the root

SCREENSHOTS = {p.name for p in (Path(__file__).parents[1] / "book" / "pictures").glob("*.png")}


@dataclass(frozen=True)
class Page:
    """One page of the site, named by its path in it."""

    name: str
    soup: Tag

    @cached_property
    def article(self) -> Tag:
        found = self.soup.find("article")
        return found if isinstance(found, Tag) else self.soup

    @cached_property
    def ids(self) -> set[str]:
        return {str(tag["id"]) for tag in self.soup.find_all(id=True)}

    def problems(self, html: Path) -> list[str]:
        """What is wrong with the page; empty if nothing is."""
        own = [] if self.name in MADE_BY_SPHINX else [*self._headings(), *self._leftovers()]
        chapter = self._figures() if self.name.startswith("notebooks/") else []
        return [
            *self._remote(),
            *self._images(),
            *self._title(),
            *self._links(html),
            *own,
            *chapter,
        ]

    def _remote(self) -> list[str]:
        return [
            f"names another host: {tag.get(attribute)}"
            for name, attribute in LOADED.items()
            for tag in self.soup.find_all(name)
            if REMOTE.match(str(tag.get(attribute) or ""))
        ]

    def _images(self) -> list[str]:
        found = []
        for image in self.soup.find_all("img"):
            alt = str(image.get("alt") or "").strip()
            if not alt or alt.startswith("<Figure") or re.search(r"\.(png|svg|jpe?g)$", alt):
                found.append(f"an image without words: {image.get('src')} ({alt!r})")
        return found

    def _title(self) -> list[str]:
        title = self.soup.find("title")
        if self.soup.find("meta", attrs={"http-equiv": "Refresh"}):  # it only sends on
            return []
        return [] if title is not None and title.get_text().strip() else ["no title"]

    def _headings(self) -> list[str]:
        levels = [int(tag.name[1]) for tag in self.article.find_all(re.compile(r"^h[1-6]$"))]
        if levels[:1] != [1] or levels.count(1) != 1:
            return [f"headings do not start with the only h1: {levels}"]
        jumps = [b for a, b in pairwise(levels) if b > a + 1]
        return [f"a heading skips a level: {levels}"] if jumps else []

    def _leftovers(self) -> list[str]:
        """Markdown that was not understood stands in the text as it was typed."""
        prose = BeautifulSoup(str(self.article), "html.parser")
        for code in prose.find_all(["pre", "code", "script", "style"]):
            code.decompose()
        return [
            f"not rendered: {match}"
            for match in re.findall(
                r"(?:[`~:]{3,}\s*\{[\w:-]+\}|\{[\w:-]+\}`)[^\n]*", prose.get_text()
            )
        ]

    def _figures(self) -> list[str]:
        found = []
        figures = self.article.find_all("figure")
        for figure in figures:
            name = figure.get("id", "a figure")
            words = figure.find("figcaption")
            if words is None or not words.get_text().strip():
                found.append(f"{name} has no caption")
            elif words.find("a", href=re.compile(r"\.csv$"), download=True) is None:
                found.append(f"{name} does not offer its data")
        bare = [i for i in self.article.find_all("img") if i.find_parent("figure") is None]
        # A screenshot has no data to offer; that it says what it shows is a rule for every image.
        bare = [i for i in bare if Path(i.get("src", "")).name not in SCREENSHOTS]
        return [*found, *(f"{image.get('src')} is in no figure" for image in bare)]

    def _links(self, html: Path) -> list[str]:
        """Links within the site whose file or anchor does not exist."""
        found = []
        for tag in self.soup.find_all("a", href=True):
            parts = urlsplit(str(tag["href"]))
            if parts.scheme or parts.netloc:
                continue
            here = html / self.name
            target = (here.parent / unquote(parts.path)).resolve() if parts.path else here
            if not target.is_file():
                found.append(f"a link leads nowhere: {tag['href']}")
            elif parts.fragment and target.suffix == ".html":
                ids = self.ids if target == here else _ids(target)
                if unquote(parts.fragment) not in ids:
                    found.append(f"a link to no anchor: {tag['href']}")
        return found


_known_ids: dict[Path, set[str]] = {}


def _ids(path: Path) -> set[str]:
    if path not in _known_ids:
        text = path.read_text(encoding="utf-8")
        _known_ids[path] = set(re.findall(r'\bid="([^"]+)"', text))
    return _known_ids[path]


def read_pages(html: Path) -> dict[str, Page]:
    """Every page of a rendered site, by its path; not what lies below ``_static``."""
    found = {}
    for path in sorted(html.rglob("*.html")):
        name = path.relative_to(html).as_posix()
        if not name.startswith("_"):
            soup = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
            found[name] = Page(name, soup)
    return found
