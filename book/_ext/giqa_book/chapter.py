"""What stands in a chapter: how to repeat it, the paper's numbers beside ours, its verdicts."""

import pandas as pd

from giqa_book.directive import MarkdownDirective, anchor, depend, depend_on_all, root_of, table
from giqa_lib.results import (
    PROFILES,
    Record,
    comparison_table,
    deviations,
    exhibit_table,
    ledger_table,
    record_path,
    records,
)

NO_EVIDENCE = [
    ":::{warning}",
    "Pictures and tables on this page that are not marked *cpu* come from the **quick** profile:",
    "small samples and short training, made to show that the code runs. They are **no evidence**.",
    "Verdicts rest on the committed *cpu* numbers.",
    ":::",
    "",
]


class Reproduce(MarkdownDirective):
    """The box at the head of a chapter: what kind of evidence it is, and how to repeat it."""

    required_arguments = 1

    def markdown(self) -> list[str]:
        name, profile, root = self.arguments[0], self.config.giqa_profile, root_of(self.env)
        depend(self.env, *(record_path(name, p, root=root) for p in PROFILES))
        found = records(root, name)
        if profile not in found:
            self.warn(f"{name} has no {profile} record")
            return []
        others = [p for p in PROFILES if p in found and p != profile and p != "quick"]
        return [
            *(NO_EVIDENCE if profile == "quick" else []),
            f"::::{{dropdown}} Reproduce this page ({_duration(found[profile])}, {profile} profile)",
            *_command(found[profile]),
            *(line for other in others for line in _other(found[other], other)),
            *_origin(found[profile]),
            "::::",
            "",
        ]


def _duration(record: Record) -> str:
    seconds = record.run["seconds"]
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def _command(record: Record) -> list[str]:
    return ["```bash", record.run.get("command", "unknown"), "```", ""]


def _other(record: Record, profile: str) -> list[str]:
    run = record.run
    head = f"The committed {profile} numbers took {_duration(record)} on {run['device']}"
    return [f"{head} (commit `{run['commit']}`):", "", *_command(record)]


def _origin(record: Record) -> list[str]:
    run = record.run
    cells = run.get("seconds_by_cell", [])
    slowest = max(cells, key=lambda cell: cell["seconds"], default=None)
    versions = ", ".join(f"{name} {version}" for name, version in run["versions"].items())
    return [
        *(
            [f"Slowest cell: `` {slowest['cell']} `` ({slowest['seconds']:.1f} s)."]
            if slowest
            else []
        ),
        f"Device: {run['device']}. Commit `{run['commit']}`, fingerprint"
        f" `{run.get('fingerprint', 'none')}`. {versions}.",
    ]


class Comparison(MarkdownDirective):
    """``{comparison} giqa / Table 8``: the paper's numbers beside ours."""

    required_arguments = 1
    final_argument_whitespace = True

    def markdown(self) -> list[str]:
        paper, _, exhibit = (part.strip() for part in self.arguments[0].partition("/"))
        root = root_of(self.env)
        known = exhibit_table(root)
        rows = known[(known["paper"] == paper) & (known["exhibit"] == exhibit)]
        if rows.empty:
            self.warn(f"no exhibit {self.arguments[0]} in book/papers/exhibits.csv")
            return []
        notebook = str(rows["notebook"].iloc[0])
        depend(self.env, *(record_path(notebook, p, root=root) for p in PROFILES))
        depend(self.env, root / "book" / "papers" / "values.csv")
        frame = comparison_table(root, paper, exhibit, notebook)
        if frame.empty:
            self.warn(f"{self.arguments[0]} has no number, of the paper or of ours")
            return []
        same = [c for c in ("Metric", "Row", "Measured on") if frame[c].nunique() == 1]
        said = "".join(f" {c}: {frame[c].iloc[0]}." for c in same if frame[c].iloc[0])
        caption = f"{exhibit} of the paper beside our numbers (value ± standard error).{said}"
        if "This build, quick" in frame:
            caption += " *Quick* is no evidence."
        return table(frame.drop(columns=same), caption=caption, name=anchor("tbl", paper, exhibit))


class Claims(MarkdownDirective):
    """``{claims} 1_giqa/density_sweeps``: the verdicts of one chapter."""

    required_arguments = 1

    def markdown(self) -> list[str]:
        depend_on_all(self.env)
        ledger = ledger_table(root_of(self.env))
        rows = ledger[(ledger["notebook"] == self.arguments[0]) & (ledger["command"] != "")]
        if rows.empty:
            self.warn(f"no attempted claims for {self.arguments[0]} in book/papers/claims.yml")
            return []
        links = zip(rows["claim"], rows["id"], strict=True)
        frame = pd.DataFrame(
            {
                "Claim": [f"[{claim}](#{anchor('claim', name)})" for claim, name in links],
                "Paper": rows["paper_value"],
                "Ours, cpu": rows["ours"],
                "95 % interval": rows["interval"],
                "Margin": rows["expect"],
                "Verdict": [f"**{verdict}**" for verdict in rows["verdict"]],
            }
        )
        caption = "The claims tested here and their verdicts, by the committed *cpu* numbers."
        return table(frame, caption=caption, name=anchor("tbl claims", self.arguments[0]))


class Deviations(MarkdownDirective):
    """What is done otherwise than in the papers; with an argument, that chapter's rows."""

    optional_arguments = 1

    def markdown(self) -> list[str]:
        root = root_of(self.env)
        depend(self.env, root / "book" / "papers" / "deviations.yml")
        rows = deviations(root)
        if self.arguments:
            rows = [row for row in rows if self.arguments[0] in row["notebooks"]]
            if not rows:
                self.warn(f"no deviations of {self.arguments[0]} in book/papers/deviations.yml")
        return [
            *(
                f"{count}. **{row['what']}** {row['why']}"
                f" *Expected effect:* {row['expected_effect']}"
                for count, row in enumerate(rows, 1)
            ),
            "",
        ]
