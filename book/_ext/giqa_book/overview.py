"""The pages about the whole book: ledger, verdicts, exhibits, data sets, benchmarks."""

import json
import re
from typing import Any

import pandas as pd

from giqa_book.directive import (
    MarkdownDirective,
    anchor,
    depend,
    depend_on_all,
    markdown_table,
    root_of,
    table,
)
from giqa_lib.data import dataset_card, dataset_names
from giqa_lib.results import exhibit_table, ledger_table, verdict_counts


class Ledger(MarkdownDirective):
    """Every claim, one section each, grouped by paper."""

    sections = True

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
                lines += ["### Not attempted", "", *self.waiting(waiting, paper)]
        return lines

    @staticmethod
    def waiting(rows: pd.DataFrame, paper: str) -> list[str]:
        titles = {"claim": "Claim", "place": "Place", "paper_value": "Paper", "reason": "Why"}
        frame = rows[list(titles)].rename(columns=titles)
        caption = f"Claims of {paper} not attempted yet."
        return table(frame, caption=caption, name=anchor("tbl waiting", paper))

    @staticmethod
    def card(row: dict[str, Any]) -> list[str]:
        titles = {
            "paper_value": "Paper",
            "ours": "Ours, cpu",
            "interval": "95 % interval",
            "expect": "Expected",
            "quick": "This build, quick (no evidence)",
            "change": "Change since last run",
        }
        numbers = pd.DataFrame([[row[name] for name in titles]], columns=list(titles.values()))
        return [
            f"({anchor('claim', row['id'])})=",
            f"### {row['claim'].rstrip('.')}",
            "",
            f"**Verdict: {row['verdict']}.** {row['place']}. Measured on: {row['scale']}."
            f" {row['reason']}",
            "",
            markdown_table(numbers),
            "",
            f"Margin, set before the run: {row['margin_reason']}",
            "",
            f"Chapter: {{doc}}`/notebooks/{row['notebook']}`. Repeat: `{row['command']}`",
            "",
        ]


class Verdicts(MarkdownDirective):
    """How many claims of each paper got which verdict."""

    def markdown(self) -> list[str]:
        depend_on_all(self.env)
        counts = verdict_counts(root_of(self.env))
        caption = "Claims by verdict, from the {doc}`ledger </book/ledger>`."
        return table(counts, caption=caption, name="tbl-verdicts")


class Exhibits(MarkdownDirective):
    """Every table and figure of the papers and where it is answered."""

    def markdown(self) -> list[str]:
        depend_on_all(self.env)
        frame = exhibit_table(root_of(self.env))
        pages = self.env.found_docs
        frame["notebook"] = [
            f"{{doc}}`/notebooks/{name}`" if f"notebooks/{name}" in pages else name
            for name in frame["notebook"]
        ]
        caption = "Every table and figure of the four papers."
        return table(frame, caption=caption, name="tbl-exhibits")


class Datasets(MarkdownDirective):
    """The data sets that the library knows by name."""

    def markdown(self) -> list[str]:
        cards = [dataset_card(name) for name in dataset_names()]
        frame = pd.DataFrame(
            {
                "Name": [f"`{card.name}`" for card in cards],
                # in one cell: five columns of text are wider than the page
                "What it is, and how it is had": [
                    f"{_as_text(card.description)}. *Had:* {_as_text(card.access)}"
                    for card in cards
                ],
                "Images": ["" if card.images is None else f"{card.images:,}" for card in cards],
                "Licence": [card.licence for card in cards],
            }
        )
        caption = "The data sets the library knows by name."
        return table(frame, caption=caption, name="tbl-datasets")


def _as_text(plain: str) -> str:
    """Plain text as Markdown: 'quoted' becomes code, $ and * lose their meaning."""
    parts = re.split(r"(?<![\w(])'([^']+)'(?![\w)])", plain)
    parts[::2] = [re.sub(r"([$*_<])", r"\\\1", part) for part in parts[::2]]
    parts[1::2] = [f"`{part}`" for part in parts[1::2]]
    return "".join(parts)


class Benchmarks(MarkdownDirective):
    """The committed benchmark rows: ours against a named peer, in one run.

    ``{benchmarks} threads``: only those of ``bench_threads.py``.
    """

    optional_arguments = 1

    def markdown(self) -> list[str]:
        path = root_of(self.env) / "book" / "results" / "benchmarks.json"
        depend(self.env, path)
        if not path.exists():
            return ["No benchmark has been committed yet; `make bench` makes one."]
        content = json.loads(path.read_text(encoding="utf-8"))
        run, only = content["run"], self.arguments[0] if self.arguments else None
        rows = [r for r in content["rows"] if not only or r["file"] == f"bench_{only}.py"]
        if not rows:
            self.warn(f"book/results/benchmarks.json has no row of bench_{only}.py")
            return []
        numbers = {
            "Ours, s": "ours_seconds",
            "Peer, s": "peer_seconds",
            "Times faster": "ratio",
            "Mark": "mark",
        }
        frame = pd.DataFrame(
            {
                "Task": [f"{row['task']}, {row['size']}" for row in rows],
                "Peer": [f"{row['peer']} {row.get('peer_version') or ''}" for row in rows],
                **{t: pd.Series([r.get(f) for r in rows], dtype=float) for t, f in numbers.items()},
                "Reached": [row.get("reached", "") for row in rows],
            }
        )
        caption = (
            "Speed against peers, ours and the peer in turn in one run:"
            f" {run['device']}, {run['date']}."
        )
        return [
            *table(frame, caption=caption, name=anchor("tbl benchmarks", only or "")),
            "",
            *_lost(rows),
            *(line for row in rows for line in _details(row)),
        ]


#: Here the other side is ours too: a plain GAN's step, other numbers of threads.
OURS = ("bench_gman.py", "bench_threads.py")


def _lost(rows: list[dict[str, Any]]) -> list[str]:
    """The rows in which a peer's package is faster than we are."""
    others = [row for row in rows if row.get("file") not in OURS]
    lost = [row for row in others if row.get("ratio") is not None and row["ratio"] < 1]
    if not lost:
        return []
    lines = ["**Where we lose.** In these rows the peer is the faster one:", ""]
    for row in lost:
        times = 1 / row["ratio"]
        lines.append(f"- {row['task']}, {row['size']}: {row['peer']} is {times:.1f} times as fast")
    return [*lines, ""]


def _details(row: dict[str, Any]) -> list[str]:
    """A definition list's entry: agreement, memory, and why a mark was missed."""
    memory = _mebibytes(row)
    parts = [
        _agreement(row.get("agreement")),
        f"extra memory, MiB, ours / peer: {memory}" if memory else "",
        row.get("note") or "",
        f"measured at commit {row['commit']}" if row.get("commit") else "",
    ]
    said = ". ".join(part[:1].upper() + part[1:].rstrip(".") for part in parts if part)
    if not said:
        return []
    missed = " (mark missed)" if row.get("reached") == "no" else ""
    return [f"{row['task']}, {row['size']}, against {row['peer']}{missed}", f": {said}.", ""]


def _agreement(found: str | float | None) -> str:
    """In words; a number is the rank correlation of scores made from both sides' features."""
    if isinstance(found, float):
        return f"scores rank-correlate {found:.5f}"
    return found or ""


def _mebibytes(row: dict[str, Any]) -> str:
    ours, peer = (row.get(f"{side}_memory_bytes") for side in ("ours", "peer"))
    if ours is None and peer is None:
        return ""
    return " / ".join("–" if b is None else f"{b / 2**20:.0f}" for b in (ours, peer))
