"""What the book's directives share: Markdown made at build time, tables, dependencies."""

from pathlib import Path

import pandas as pd
from docutils import nodes
from docutils.statemachine import StringList
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from giqa_lib.results import markdown_table

log = logging.getLogger(__name__)


def root_of(env: BuildEnvironment) -> Path:
    """The site folder: it holds copies of the prose, the records and the papers' numbers."""
    return Path(env.srcdir)


def depend(env: BuildEnvironment, *paths: Path) -> None:
    """Rebuild the present page when one of ``paths`` changes."""
    for path in paths:
        env.note_dependency(str(path))


def depend_on_all(env: BuildEnvironment) -> None:
    """Rebuild the present page when any record, claim, value or exhibit changes."""
    root = root_of(env)
    depend(env, *(root / "book" / "papers").glob("*"), *(root / "book" / "results").rglob("*.json"))


def anchor(*parts: str) -> str:
    """A label that docutils keeps as it is for an HTML id."""
    words = "".join(c if c.isascii() and c.isalnum() else " " for c in " ".join(parts).lower())
    return "-".join(words.split())


def table(frame: pd.DataFrame, *, caption: str, name: str) -> list[str]:
    """A numbered table as Markdown."""
    # A fence of backticks could not hold a caption with code or a role in it.
    return [f"~~~~{{table}} {caption}", f":name: {name}", "", markdown_table(frame), "~~~~", ""]


class MarkdownDirective(SphinxDirective):
    """A directive whose content is Markdown made at build time.

    With ``sections`` it begins with a heading and may hold more; MyST appends their sections
    to the page's own by level, so that the directive comes last in its section.
    """

    has_content = False
    sections = False

    def markdown(self) -> list[str]:
        raise NotImplementedError

    def warn(self, message: str) -> None:
        """Warn, which fails a build with -W, and name the place."""
        log.warning(message, location=self.get_location(), type="giqa")

    def run(self) -> list[nodes.Node]:
        box = nodes.container()
        lines = StringList("\n".join(self.markdown()).split("\n"), source=self.env.docname)
        self.state.nested_parse(lines, 0, box, match_titles=self.sections)
        return box.children
