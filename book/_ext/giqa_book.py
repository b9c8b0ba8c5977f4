"""The book's own Sphinx extension: measured numbers, ledger, reproduce boxes, run checks, offline pages.

Every number that a page shows is read here from a record at build time, and the page depends
on that record: a new run rebuilds it, a missing number fails the build.
"""

import importlib.util
import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
from docutils import nodes
from docutils.statemachine import StringList
from giqa_lib.data import dataset_card, dataset_names
from giqa_lib.results import (
    PROFILES,
    claims,
    comparison_table,
    deviations,
    exhibit_table,
    format_number,
    ledger_table,
    markdown_table,
    number_table,
    record_path,
    records,
    verdict_counts,
)
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective, SphinxRole

log = logging.getLogger(__name__)

NUMBER = re.compile(r"(?:(?P<profile>\w+):)?(?P<notebook>[\w/]+)\.(?P<key>[\w-]+)(?:\|(?P<format>\S+))?")


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


class Number(SphinxRole):
    """``{num}`cpu:1_giqa/density_sweeps.gain|.3f` ``: a recorded number, linked to its origin."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        match = NUMBER.fullmatch(self.text)
        if not match:
            return self.problem("is not [profile:]notebook.key[|format]")
        profile = match["profile"] or self.config.giqa_profile
        root = root_of(self.env)
        depend(self.env, record_path(match["notebook"], profile, root=root))
        record = records(root, match["notebook"]).get(profile)
        found = [r for r in record.results if r.key == match["key"]] if record else []
        if not found:
            return self.problem(f"has no result in the {profile} record")
        interval = found[0].interval()
        spec = match["format"] or ".3f"
        text = format(found[0].value, spec)
        if interval:
            text += f" [{format(interval[0], spec)}, {format(interval[1], spec)}]"
        anchor = f"num-{profile}-{match['notebook'].replace('/', '-')}-{match['key']}".replace("_", "-")
        page = self.env.app.builder.get_relative_uri(self.env.docname, "book/numbers")
        link = nodes.reference(text, text, refuri=f"{page}#{anchor}", internal=True)
        link["reftitle"] = f"{found[0].metric}, profile {profile}, commit {record.run['commit']}" if record else ""
        return [link], []

    def problem(self, why: str) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        log.warning("number %s %s", self.text, why, location=self.get_location(), type="giqa")
        return [nodes.problematic(self.text, f"[{self.text}?]")], []


class MarkdownDirective(SphinxDirective):
    """A directive whose content is Markdown made at build time."""

    has_content = False

    def markdown(self) -> list[str]:
        raise NotImplementedError

    def run(self) -> list[nodes.Node]:
        box = nodes.container()
        lines = "\n".join(self.markdown()).split("\n")
        self.state.nested_parse(StringList(lines, source=self.get_source_info()[0]), 0, box)
        return box.children


def table(frame: pd.DataFrame, *, caption: str, name: str, classes: str = "") -> list[str]:
    option = [f":class: {classes}"] if classes else []
    return [f"````{{table}} {caption}", f":name: {name}", *option, "", markdown_table(frame), "````"]


class Reproduce(MarkdownDirective):
    """The box at the head of a chapter: what kind of evidence it is, and how to repeat it."""

    required_arguments = 1

    def markdown(self) -> list[str]:
        name, profile, root = self.arguments[0], self.config.giqa_profile, root_of(self.env)
        depend(self.env, *(record_path(name, p, root=root) for p in PROFILES))
        found = records(root, name)
        record = found.get(profile)
        if record is None:
            log.warning("%s has no %s record", name, profile, location=self.get_location(), type="giqa")
            return []
        lines = []
        if profile == "quick":
            lines += [
                ":::{warning}",
                "The pictures and tables below that are not marked *cpu* come from the **quick** profile:",
                "small samples and short training, made to show that the code runs. They are **no evidence**.",
                "Verdicts rest on the committed *cpu* numbers.",
                ":::",
            ]
        run = record.run
        slowest = max(run["seconds_by_cell"], key=lambda cell: cell["seconds"], default=None)
        lines += [f":::{{dropdown}} Reproduce this page ({run['seconds']:.0f} s, {profile} profile)", "```bash", run["command"], "```"]
        for other in ("cpu", "paper"):
            if other in found and other != profile:
                full = found[other].run
                lines += [
                    f"The committed {other} numbers took {full['seconds'] / 60:.0f} min on {full['device']}"
                    f" (commit `{full['commit']}`):",
                    "```bash", full["command"], "```",
                ]  # fmt: skip
        if slowest:
            lines += [f"Slowest cell: `{slowest['cell']}` ({slowest['seconds']:.1f} s). "]
        versions = ", ".join(f"{name} {version}" for name, version in run["versions"].items())
        lines += [f"Device: {run['device']}. Commit `{run['commit']}`, fingerprint `{run['fingerprint']}`. {versions}.", ":::"]
        return lines


class Comparison(MarkdownDirective):
    """``{comparison} giqa / Table 8``: the paper's numbers beside ours."""

    required_arguments = 1
    final_argument_whitespace = True

    def markdown(self) -> list[str]:
        paper, exhibit = (part.strip() for part in self.arguments[0].split("/"))
        root = root_of(self.env)
        known = exhibit_table(root)
        rows = known[(known["paper"] == paper) & (known["exhibit"] == exhibit)]
        if rows.empty:
            log.warning("no exhibit %s", self.arguments[0], location=self.get_location(), type="giqa")
            return []
        notebook = str(rows["notebook"].iloc[0])
        depend(self.env, *(record_path(notebook, p, root=root) for p in PROFILES))
        frame = comparison_table(root, paper, exhibit, notebook)
        frame = frame.drop(columns=[c for c in ("Metric", "Row", "Measured on") if frame[c].nunique() == 1])
        label = f"tbl-{paper}-{exhibit}".lower().replace(" ", "-")
        caption = f"{exhibit} of the paper beside our numbers (value ± standard error). *quick* is no evidence."
        return table(frame, caption=caption, name=label)


class Claims(MarkdownDirective):
    """``{claims} 1_giqa/density_sweeps``: the verdicts of one chapter."""

    required_arguments = 1

    def markdown(self) -> list[str]:
        depend_on_all(self.env)
        ledger = ledger_table(root_of(self.env))
        rows = ledger[(ledger["notebook"] == self.arguments[0]) & (ledger["command"] != "")]
        if rows.empty:
            log.warning("no claims for %s", self.arguments[0], location=self.get_location(), type="giqa")
            return []
        frame = pd.DataFrame(
            {
                "Claim": [f"[{c}](../../book/ledger.md#claim-{i})" for c, i in zip(rows["claim"], rows["id"], strict=True)],
                "Paper": rows["paper_value"],
                "Ours, cpu": rows["ours"],
                "95 % interval": rows["interval"],
                "Margin": rows["expect"],
                "Verdict": [f"**{v}**" for v in rows["verdict"]],
            }
        )
        name = f"tbl-claims-{self.arguments[0]}".replace("/", "-").replace("_", "-")
        return table(frame, caption="The claims tested here and their verdicts, by the committed cpu numbers.", name=name)


class Ledger(MarkdownDirective):
    """Every claim, one card each, grouped by paper."""

    def markdown(self) -> list[str]:
        depend_on_all(self.env)
        lines = []
        ledger = ledger_table(root_of(self.env))
        for paper in dict.fromkeys(ledger["paper"]):
            lines += [f"## {paper}", ""]
            rows = ledger[ledger["paper"] == paper]
            for row in rows[rows["command"] != ""].to_dict("records"):
                lines += self.card(row)
            waiting = rows[rows["command"] == ""]
            if len(waiting):
                frame = pd.DataFrame(
                    {"Claim": waiting["claim"], "Place": waiting["place"], "Paper": waiting["paper_value"],
                     "Verdict": waiting["verdict"], "Why": waiting["reason"]}
                )  # fmt: skip
                lines += [*table(frame, caption=f"Claims of {paper} not attempted yet.", name=f"tbl-waiting-{paper}"), ""]
        return lines

    @staticmethod
    def card(row: dict[str, Any]) -> list[str]:
        frame = pd.DataFrame(
            [[row["paper_value"], row["ours"], row["interval"], row["expect"], row["quick"], row["change"]]],
            columns=["Paper", "Ours, cpu", "95 % interval", "Expected", "This build, quick (no evidence)", "Change since last run"],
        )  # fmt: skip
        return [
            f"(claim-{row['id']})=",
            f"### {row['claim']}",
            "",
            f"**Verdict: {row['verdict']}.** {row['place']}. Measured on: {row['scale']}. {row['reason']}",
            "",
            markdown_table(frame),
            "",
            f"Margin, set before the run: {row['margin_reason']}",
            "",
            f"Chapter: {{doc}}`/notebooks/{row['notebook']}`. Repeat: `{row['command']}`",
            "",
        ]


class Verdicts(MarkdownDirective):
    def markdown(self) -> list[str]:
        depend_on_all(self.env)
        counts = verdict_counts(root_of(self.env))
        return table(counts, caption="Claims by verdict, from the [ledger](ledger.md).", name="tbl-verdicts")


class Numbers(MarkdownDirective):
    """Every number that prose cites, with an anchor to link to."""

    def markdown(self) -> list[str]:
        depend_on_all(self.env)
        lines = []
        for row in number_table(root_of(self.env)).to_dict("records"):
            anchor = f"num-{row['profile']}-{row['notebook'].replace('/', '-')}-{row['key']}".replace("_", "-")
            lines += [
                f"({anchor})=",
                f"**{row['notebook']}.{row['key']}** ({row['profile']}): {row['value']}",
                f": {row['what']}; n {row['n']}; seeds {row['seeds']}; commit `{row['commit']}`; `{row['command']}`",
                "",
            ]
        return lines


class Exhibits(MarkdownDirective):
    def markdown(self) -> list[str]:
        depend_on_all(self.env)
        frame = exhibit_table(root_of(self.env))
        found = self.env.found_docs
        frame["notebook"] = [
            f"{{doc}}`/notebooks/{n}`" if f"notebooks/{n}" in found else n for n in frame["notebook"]
        ]
        return table(frame, caption="Every table and figure of the four papers.", name="tbl-exhibits")


class Deviations(MarkdownDirective):
    """What is done otherwise than in the papers; with an argument, that chapter's rows."""

    optional_arguments = 1

    def markdown(self) -> list[str]:
        root = root_of(self.env)
        depend(self.env, root / "book" / "papers" / "deviations.yml")
        rows = deviations(root)
        if self.arguments:
            rows = [row for row in rows if self.arguments[0] in row["notebooks"]]
        lines = []
        for count, row in enumerate(rows, 1):
            lines += [f"{count}. **{row['what']}** {row['why']} *Expected effect:* {row['expected_effect']}"]
        return [*lines, ""]


class Datasets(MarkdownDirective):
    def markdown(self) -> list[str]:
        cards = [dataset_card(name) for name in dataset_names()]
        frame = pd.DataFrame(
            {
                "Name": [f"`{card.name}`" for card in cards],
                "What it is": [card.description for card in cards],
                "Images": ["" if card.images is None else f"{card.images:,}" for card in cards],
                "Licence": [card.licence for card in cards],
                "How it is had": [card.access for card in cards],
            }
        )
        return table(frame, caption="The data sets the library knows by name.", name="tbl-datasets")


class Benchmarks(MarkdownDirective):
    """The committed benchmark rows: ours against a named peer, in one run."""

    def markdown(self) -> list[str]:
        root = root_of(self.env)
        path = root / "book" / "results" / "benchmarks.json"
        depend(self.env, path)
        if not path.exists():
            return ["No benchmark has been committed yet; `make bench` makes one."]
        content = json.loads(path.read_text())
        run, rows = content["run"], content["rows"]
        frame = pd.DataFrame(
            {
                "Task": [r["task"] for r in rows],
                "Size": [r["size"] for r in rows],
                "Peer": [f"{r['peer']} {r.get('peer_version') or ''}" for r in rows],
                "Ours, s": [r.get("ours_seconds") for r in rows],
                "Peer, s": [r.get("peer_seconds") for r in rows],
                "Times faster": [r.get("ratio") for r in rows],
                "Mark": [r.get("mark") for r in rows],
                "Reached": [r.get("reached", "") for r in rows],
                "Agreement": [r.get("agreement") or "" for r in rows],
                "Extra memory, MiB: ours / peer": [_mebibytes(r) for r in rows],
                "Note": [r.get("note") or "" for r in rows],
            }
        ).astype({c: float for c in ("Ours, s", "Peer, s", "Times faster", "Mark")})
        caption = f"Speed and memory against peers, {run['device']}, {run['date']}, commit `{run['commit']}`."
        return table(frame, caption=caption, name="tbl-benchmarks")


def _mebibytes(row: dict[str, Any]) -> str:
    ours, peer = (row.get(f"{side}_memory_bytes") for side in ("ours", "peer"))
    if ours is None and peer is None:
        return ""
    return " / ".join("–" if b is None else f"{b / 2**20:.0f}" for b in (ours, peer))


def check_pages(app: Sphinx, env: BuildEnvironment) -> None:
    """A chapter whose executed notebook holds an error, or has no record, fails the build."""
    root, profile = root_of(env), app.config.giqa_profile
    for doc in sorted(env.found_docs):
        if not doc.startswith("notebooks/"):
            continue
        notebook = json.loads(Path(env.doc2path(doc)).read_text())
        outputs = [o for cell in notebook["cells"] for o in cell.get("outputs", [])]
        if any(output["output_type"] == "error" for output in outputs):
            log.warning("%s failed when it ran", doc, type="giqa")
        if profile not in records(root, doc.removeprefix("notebooks/")):
            log.warning("%s has no %s record", doc, profile, type="giqa")


def keep_offline(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None) -> None:
    """Drop scripts that stand twice (Sphinx 7.4 emits inline ones so) and thebe, which names another host."""
    seen, kept = set(), []
    for script in context.get("script_files", []):
        attributes = getattr(script, "attributes", {})
        key = (str(getattr(script, "filename", script) or ""), attributes.get("body"))
        if key in seen or "thebe" in (key[0] + (key[1] or "")).lower():
            continue
        seen.add(key)
        kept.append(script)
    context["script_files"][:] = kept


def copy_mathjax(app: Sphinx, error: Exception | None) -> None:
    """MathJax from its package, only the part pages use: 2 MB of 24."""
    if error is not None or app.builder.format != "html":
        return
    found = importlib.util.find_spec("sphinx-mathjax-offline")
    if found is None or found.origin is None:
        log.warning("sphinx-mathjax-offline is not installed: formulas will not show", type="giqa")
        return
    source = Path(found.origin).parent / "static" / "mathjax"
    target = Path(app.outdir) / "_static" / "mathjax"
    for part in ("tex-mml-chtml.js", "output/chtml/fonts/woff-v2", "input/tex/extensions"):
        place = target / part
        if not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            (shutil.copytree if (source / part).is_dir() else shutil.copy2)(source / part, place)


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_config_value("giqa_profile", os.environ.get("GIQA_PROFILE", "quick"), "env", [str])
    app.add_role("num", Number())
    for name, directive in (
        ("benchmarks", Benchmarks), ("claims", Claims), ("comparison", Comparison), ("datasets", Datasets),
        ("deviations", Deviations), ("exhibits", Exhibits), ("ledger", Ledger), ("numbers", Numbers),
        ("reproduce", Reproduce), ("verdicts", Verdicts),
    ):  # fmt: skip
        app.add_directive(name, directive)
    app.connect("env-updated", lambda app, env: check_pages(app, env))
    app.connect("html-page-context", keep_offline, priority=900)
    app.connect("build-finished", copy_mathjax)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
