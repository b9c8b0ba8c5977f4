"""The book's own Sphinx extension: measured numbers, verdicts, reproduce boxes, run checks.

Every number that a page shows is read from a record at build time, and the page depends on
that record: a new run rebuilds it, a missing number fails the build.
"""

import os

from sphinx.application import Sphinx

from giqa_book.chapter import Claims, Comparison, Deviations, Reproduce
from giqa_book.counted import Counted
from giqa_book.numbers import Number, Numbers
from giqa_book.overview import Benchmarks, Datasets, Exhibits, Ledger, Verdicts
from giqa_book.pages import check_chapters, copy_mathjax, keep_offline, require_mathjax
from giqa_book.plotted import PowerLaws
from giqa_lib.checks import check_choice
from giqa_lib.results import PROFILES

DIRECTIVES = {
    "benchmarks": Benchmarks,
    "claims": Claims,
    "comparison": Comparison,
    "counted": Counted,
    "datasets": Datasets,
    "deviations": Deviations,
    "exhibits": Exhibits,
    "ledger": Ledger,
    "numbers": Numbers,
    "power-laws": PowerLaws,
    "reproduce": Reproduce,
    "verdicts": Verdicts,
}


def setup(app: Sphinx) -> dict[str, bool]:
    """Sphinx calls this; the profile that pages show comes from ``$GIQA_PROFILE``."""
    profile = check_choice(os.environ.get("GIQA_PROFILE") or "quick", PROFILES, name="GIQA_PROFILE")
    app.add_config_value("giqa_profile", profile, "env", [str])
    app.add_role("num", Number())
    for name, directive in DIRECTIVES.items():
        app.add_directive(name, directive)
    app.connect("builder-inited", require_mathjax)
    app.connect("env-updated", check_chapters)
    app.connect("html-page-context", keep_offline, priority=900)
    app.connect("build-finished", copy_mathjax)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
