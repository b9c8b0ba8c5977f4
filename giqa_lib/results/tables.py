"""The tables that the book computes from records: comparisons, ledger, numbers, exhibits.

Each function returns a data frame of text ready to print; nothing here is typed by hand.
"""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from giqa_lib.results.checkout import PROFILES, claims, exhibits, paper_values, record_path
from giqa_lib.results.records import Record, Result, load_record
from giqa_lib.results.verdicts import VERDICTS, find_result, judge

__all__ = [
    "comparison_table",
    "exhibit_table",
    "format_number",
    "ledger_table",
    "number_table",
    "records",
    "verdict_counts",
]

EVIDENCE = "cpu"  # the profile whose committed numbers decide a verdict in the ledger
OURS = {"paper": "Ours, paper's settings", "cpu": "Ours, cpu", "quick": "This build, quick"}
MISSING = "–"


def records(root: Path, notebook: str) -> dict[str, Record]:
    """The records of one notebook that exist, by profile."""
    found = {
        profile: load_record(record_path(notebook, profile, root=root)) for profile in PROFILES
    }
    return {profile: record for profile, record in found.items() if record is not None}


def format_number(result: Result | None, digits: int = 3) -> str:
    """Value and standard error to ``digits`` places.

    >>> format_number(Result(paper="p", exhibit="e", row="r", column="c", metric="m", value=0.5,
    ...                      standard_error=0.01))
    '0.500 ± 0.010'
    """
    if result is None:
        return MISSING
    text = f"{result.value:.{digits}f}"
    return text if result.standard_error is None else f"{text} ± {result.standard_error:.{digits}f}"


def comparison_table(root: Path, paper: str, exhibit: str, notebook: str) -> pd.DataFrame:
    """The paper's numbers of an exhibit beside the committed and this build's own.

    One row for each (row, column, metric) and, where ours were measured on several data
    sets, each data set; a number that one side lacks is shown as missing, not left out.
    ``n`` and ``Seeds`` are those of the leftmost of our numbers.
    """
    values = paper_values(root)
    values = values[(values["paper"] == paper) & (values["exhibit"] == exhibit)]
    printed = {
        (v["row"], v["column"], v["metric"]): f"{v['value']:g}"
        + ("" if math.isnan(v["std"]) else f" ± {v['std']:g}")
        for v in values.to_dict("records")
    }
    found = records(root, notebook)
    ours: dict[tuple[str, str, str, str], dict[str, Result]] = {}
    for profile, record in found.items():
        for result in record.results:
            if (result.paper, result.exhibit) == (paper, exhibit):
                place = (result.row, result.column, result.metric, result.dataset)
                ours.setdefault(place, {})[profile] = result
    measured = {place[:3] for place in ours}
    places = [*ours, *((*place, MISSING) for place in printed if place not in measured)]
    # cpu is the evidence: its column stands there even when it is empty.
    columns = {p: title for p, title in OURS.items() if p in found or p == EVIDENCE}
    rows = []
    for place in places:
        by_profile = ours.get(place, {})
        best = next((by_profile[p] for p in columns if p in by_profile), None)
        rows.append(
            dict(zip(("Row", "Column", "Metric", "Measured on"), place, strict=True))
            | {"Paper": printed.get(place[:3], MISSING)}
            | {title: format_number(by_profile.get(p)) for p, title in columns.items()}
            | {
                "n": MISSING if best is None or best.n is None else str(best.n),
                "Seeds": MISSING if best is None else str(len(best.seeds) or MISSING),
            }
        )
    return pd.DataFrame(rows)


def _change(result: Result, record: Record) -> str:
    previous = record.run.get("previous", {}).get(result.identity)
    return "first run" if previous is None else f"{result.value - previous:+.4f}"


def _reason(claim: Mapping[str, Any], evidence: Record | None) -> str:
    """Why a claim has no number to judge."""
    if not claim["attempted"]:
        return str(claim["reason"])
    if evidence is None:
        return f"Its notebook has no committed {EVIDENCE} record yet."
    return f"The committed {EVIDENCE} record does not hold its number."


def _claim_row(claim: Mapping[str, Any], root: Path) -> dict[str, str]:
    found = records(root, claim["notebook"]) if claim.get("notebook") else {}
    evidence = found.get(EVIDENCE)
    result = find_result(claim, evidence)
    quick = find_result(claim, found.get("quick"))
    interval = result.interval() if result else None
    printed = claim.get("paper_value")
    return {
        "id": claim["id"],
        "paper": claim["paper"],
        "claim": claim["claim"],
        "place": claim["place"],
        "scale": claim.get("scale", ""),
        "expect": "" if not claim["attempted"] else f"{claim['expect']} {claim['margin']:g}",
        "margin_reason": claim.get("margin_reason", ""),
        "paper_value": MISSING if printed is None else str(printed),
        "ours": MISSING if result is None else f"{result.value:.3f}",
        "interval": MISSING if interval is None else f"[{interval[0]:.3f}, {interval[1]:.3f}]",
        "quick": MISSING if quick is None else f"{quick.value:.3f}",
        "verdict": judge(claim, result),
        "reason": "" if result else _reason(claim, evidence),
        "change": "" if result is None or evidence is None else _change(result, evidence),
        "notebook": claim.get("notebook") or "",
        "command": f"make claim ID={claim['id']} PROFILE={EVIDENCE}" if claim["attempted"] else "",
    }


def ledger_table(root: Path) -> pd.DataFrame:
    """Every claim with its verdict, by the committed ``cpu`` numbers."""
    return pd.DataFrame([_claim_row(claim, root) for claim in claims(root)])


def verdict_counts(root: Path) -> pd.DataFrame:
    """How many claims of each paper got which verdict."""
    ledger = ledger_table(root)
    counts = pd.crosstab(ledger["paper"], ledger["verdict"])
    return counts.reindex(columns=list(VERDICTS), fill_value=0).reset_index()


def _number_row(
    result: Result, notebook: str, profile: str, run: Mapping[str, Any]
) -> dict[str, str]:
    return {
        "key": result.key,
        "notebook": notebook,
        "profile": profile,
        "value": format_number(result, 4),
        "what": f"{result.metric}: {result.row}, {result.column} ({result.dataset or 'no data set'})",
        "n": MISSING if result.n is None else str(result.n),
        "seeds": ", ".join(map(str, result.seeds)) or MISSING,
        "commit": run.get("commit", MISSING),
        "command": run.get("command", MISSING),
    }


def number_table(root: Path) -> pd.DataFrame:
    """Every number that prose may cite: its key, value, error, and the run that made it."""
    folder = root / "book" / "results"
    rows = []
    for profile in PROFILES:
        for path in sorted((folder / profile).rglob("*.json")):
            notebook = path.relative_to(folder / profile).with_suffix("").as_posix()
            record = records(root, notebook)[profile]
            cited = [result for result in record.results if result.key]
            rows += [_number_row(result, notebook, profile, record.run) for result in cited]
    columns = ["key", "notebook", "profile", "value", "what", "n", "seeds", "commit", "command"]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.sort_values(["notebook", "key", "profile"], ignore_index=True)


def exhibit_table(root: Path) -> pd.DataFrame:
    """Every table and figure of the papers and where it is answered."""
    return exhibits(root)
