"""Test one claim: run what it needs, judge its number, and say so.

The book's unit of test is the claim: the exit status is its verdict.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from giqa_lib.checks import InputError, check_choice, error_line
from giqa_lib.results import Result, claims, find_result, judge, load_record
from giqa_lib.runner.execute import execute

__all__ = ["EXIT_STATUS", "ClaimTest", "run_claim"]

EXIT_STATUS = {
    "reproduced": 0,
    "direction only": 1,
    "not reproduced": 1,
    "inconclusive": 2,
    "not attempted": 3,
}


@dataclass(frozen=True, kw_only=True)
class ClaimTest:
    """A claim, the number measured for it just now, and the verdict."""

    claim: dict[str, Any]
    result: Result | None
    verdict: str

    def line(self) -> str:
        """One line for a terminal."""
        if self.result is None:
            return f"{self.claim['id']}: {self.verdict}"
        low, high = self.result.interval() or (float("nan"), float("nan"))
        number = f"{self.result.value:.4f} [{low:.4f}, {high:.4f}]"
        rule = f"{self.claim['expect']} {self.claim['margin']:g}"
        return f"{self.claim['id']}: {self.verdict} ({number}, expected {rule})"


def run_claim(identifier: str, *, profile: str, root: Path, overrides: dict[str, Any]) -> ClaimTest:
    """Run the claim's notebook with the claim's own parameters, and judge the number it gives.

    Nothing is written to the book's results.
    """
    known = {claim["id"]: claim for claim in claims(root)}
    claim = known[check_choice(identifier, known, name="claim")]
    if not claim["attempted"]:
        hint = "it waits for its notebook"
        raise InputError(
            error_line(
                f"claim {identifier}",
                expected="one that is attempted",
                got=claim["reason"],
                hint=hint,
            )
        )
    with tempfile.TemporaryDirectory(prefix="giqa-claim-") as scratch:
        paths = execute(
            claim["notebook"],
            profile=profile,
            overrides={**claim.get("parameters", {}), **overrides},
            root=root,
            results=Path(scratch) / "results",
            pages=Path(scratch) / "pages",
        )
        result = find_result(claim, load_record(paths.record))
    return ClaimTest(claim=claim, result=result, verdict=judge(claim, result))
