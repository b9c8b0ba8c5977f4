"""The rules that a notebook's source obeys, beyond running: see CONTRIBUTING.md, Add a chapter."""

import re
from collections.abc import Iterable
from pathlib import Path
from statistics import median

import jupytext

from giqa_lib.checks import InputError
from giqa_lib.runner import declared_parameters

REQUIRED = {"profile", "dataset", "seed", "device", "output"}
CELLS = range(8, 26)
MEDIAN_LINES, MOST_LINES = 6, 15

# What may hold a decimal number in prose: code, mathematics, directives, links, places in a paper.
ALLOWED = (
    r"(?ms)^(?P<fence>`{3,}|~{3,}|:{3,})\s*\{?(?:math|code|bash|python|figure|image|comparison)\b.*?^(?P=fence)\s*$",
    r"(?s)\$\$.*?\$\$",
    r"\$[^$\n]+\$",
    r"\{[\w:-]+\}`[^`]*`",
    r"(?<!`)(?P<tick>`{1,2})[^`\n]+(?P=tick)(?!`)",
    r"\]\([^)]*\)",
    r"<https?://[^>]*>",
    r"\b(?:[Ss]ections?|[Ss]ec\.|[Cc]hapters?|[Aa]ppendix|[Vv]ersions?|Python)\s+\d+(?:\.\d+)+",
)
DECIMAL = re.compile(r"(?<![\w.])[-−]?\d+\.\d+(?![\w.]*\w)%?")


def code_lines(source: str) -> int:
    """Lines that say something to Python."""
    lines = (line.strip() for line in source.split("\n"))
    return sum(bool(line) and not line.startswith("#") for line in lines)


def typed_numbers(markdown: str) -> list[str]:
    """Decimal numbers that stand in prose as text."""
    for pattern in ALLOWED:
        markdown = re.sub(pattern, " ", markdown)
    return DECIMAL.findall(markdown)


def _parameters_cell(notebook: object, source: str) -> list[str]:
    try:
        declared = declared_parameters(notebook)
    except InputError as error:
        return [str(error)]
    missing = REQUIRED - set(declared)
    found = [f"no parameter {', '.join(sorted(missing))}"] if missing else []
    for name in declared:
        line = next(text for text in source.split("\n") if text.startswith(f"{name}:"))
        if not re.search(r"#\s*\S", line):
            found.append(f"parameter {name} has no comment that says what it is")
    return found


def problems(path: Path, *, name: str, directives: Iterable[str] = ("reproduce",)) -> list[str]:
    """What is wrong with the notebook ``name`` (as ``1_giqa/density_scores``) at ``path``.

    ``directives`` are those that it must hold with its own name.
    """
    notebook = jupytext.read(path)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    prose = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    tagged = [c.source for c in code if "parameters" in c.metadata.get("tags", [])]
    found = _parameters_cell(notebook, "\n".join(tagged))

    if len(code) not in CELLS:
        found.append(f"{len(code)} code cells; {CELLS.start} to {CELLS.stop - 1} are wanted")
    # A parameter takes one line each: that cell is no measure of how the rest reads.
    rest = [cell.source for cell in code if cell.source not in tagged]
    middle = median(map(code_lines, rest)) if rest else 0
    if middle > MEDIAN_LINES:
        found.append(f"median of {middle:g} lines a cell, over {MEDIAN_LINES}")
    found += [
        f"a cell of {code_lines(source)} lines, over {MOST_LINES}: {source.strip().splitlines()[0]}"
        for source in rest
        if code_lines(source) > MOST_LINES
    ]
    found += [
        f"the number {number} is typed in prose: record it and cite it with {{num}}"
        for text in prose
        for number in typed_numbers(text)
    ]
    text = path.read_text(encoding="utf-8")
    if f'Run("{name}"' not in text:
        found.append(f'does not make its record as Run("{name}", ...)')
    if not any("run.save(output)" in cell.source for cell in code[-1:]):
        found.append("does not end with run.save(output)")
    if not (prose and prose[0].lstrip().startswith("# ")):
        found.append("does not begin with a title")
    for directive in directives:
        if f"{{{directive}}} {name}" not in text:
            found.append(f"has no {{{directive}}} {name}")
    return found
