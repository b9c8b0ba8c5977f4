"""Checks of the chapters' runs, and pages that name no other host."""

import importlib.util
import json
import shutil
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError

from giqa_book.directive import log, root_of
from giqa_lib.results import records


def check_chapters(app: Sphinx, env: BuildEnvironment) -> None:
    """A chapter that failed, has no record, or shows a picture without words fails the build."""
    profile = app.config.giqa_profile
    for page in sorted(env.found_docs):
        if not page.startswith("notebooks/"):
            continue
        if profile not in records(root_of(env), page.removeprefix("notebooks/")):
            log.warning("%s has no %s record", page, profile, type="giqa")
        notebook = json.loads(Path(env.doc2path(page)).read_text(encoding="utf-8"))
        for cell in notebook["cells"]:
            outputs = cell.get("outputs", [])
            if any(output["output_type"] == "error" for output in outputs):
                log.warning("%s failed when it ran", page, type="giqa")
            pictures = any(k.startswith("image/") for o in outputs for k in o.get("data", {}))
            if pictures and not cell["metadata"].get("mystnb", {}).get("image", {}).get("alt"):
                text = "%s has a picture without alternative text: show it with giqa_lib.results"
                log.warning(text, page, type="giqa")


def keep_offline(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Drop thebe, which names another host, and the scripts that Sphinx 7.4 emits twice."""
    seen, kept = set(), []
    for script in context.get("script_files", []):
        attributes = getattr(script, "attributes", {})
        key = (str(getattr(script, "filename", script) or ""), attributes.get("body"))
        if key in seen or "thebe" in (key[0] + (key[1] or "")).lower():
            continue
        seen.add(key)
        kept.append(script)
    if "script_files" in context:
        context["script_files"][:] = kept


def mathjax_source() -> Path:
    """MathJax in its package, whose name is no identifier and cannot be imported."""
    found = importlib.util.find_spec("sphinx-mathjax-offline")
    if found is None or found.origin is None:
        raise ExtensionError("sphinx-mathjax-offline is not installed: no formula would show")
    return Path(found.origin).parent / "static" / "mathjax"


def require_mathjax(app: Sphinx) -> None:
    """Stop at the start: a warning at the end of a build no longer fails it."""
    mathjax_source()


def copy_mathjax(app: Sphinx, error: Exception | None) -> None:
    """Copy the part of MathJax that pages use: 2 MB of 24."""
    if error is not None or app.builder.format != "html":
        return
    target = Path(app.outdir) / "_static" / "mathjax"
    for part in ("tex-mml-chtml.js", "output/chtml/fonts/woff-v2", "input/tex/extensions"):
        source, place = mathjax_source() / part, target / part
        if not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            (shutil.copytree if source.is_dir() else shutil.copy2)(source, place)
