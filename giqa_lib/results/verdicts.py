"""The verdict on a claim, by a margin that was written down before the run.

A claim names one recorded number and what is expected of it: to be ``above`` or ``below``
a margin, or ``equal`` to a target within the margin. The number's 95 % interval decides;
so a wide interval cannot reproduce anything.
"""

from collections.abc import Mapping
from typing import Any

from giqa_lib.checks import InputError, check_choice, error_line
from giqa_lib.results.records import Record, Result

__all__ = ["VERDICTS", "find_result", "judge"]

VERDICTS = (
    "reproduced",
    "direction only",
    "not reproduced",
    "inconclusive",
    "not attempted",
)


def find_result(claim: Mapping[str, Any], record: Record | None) -> Result | None:
    """The recorded number that a claim rests on, or None if it was not measured.

    Raises ``InputError`` if the claim's ``result`` fits several numbers.
    """
    if record is None or not claim["attempted"]:
        return None
    wanted = claim["result"]
    matches = [
        result
        for result in record.results
        if result.paper == wanted.get("paper", claim["paper"])
        and all(str(getattr(result, field)) == str(wanted[field]) for field in wanted)
    ]
    if len(matches) > 1:
        hint = "name more of row, column, metric and dataset in claims.yml"
        got = "; ".join(match.identity for match in matches[:3])
        raise InputError(
            error_line(f"claim {claim['id']}", expected="one recorded number", got=got, hint=hint)
        )
    return matches[0] if matches else None


def judge(claim: Mapping[str, Any], result: Result | None) -> str:
    """One of ``VERDICTS``.

    With margin m, null value z (no effect; 0 unless the claim says otherwise) and interval
    [low, high], ``expect: above`` gives

    - reproduced: low >= m
    - direction only: low > z, but the interval does not lie above m
    - not reproduced: high < m and low <= z
    - inconclusive: the interval holds both m and z

    ``below`` is the mirror image. ``equal`` to target t: reproduced if the interval lies in
    [t - m, t + m], not reproduced if it misses it wholly, else inconclusive.

    >>> claim = {"attempted": True, "expect": "above", "margin": 0.01}
    >>> number = dict(paper="p", exhibit="e", row="r", column="c", metric="m")
    >>> judge(claim, Result(**number, value=0.05, standard_error=0.01))
    'reproduced'
    >>> judge(claim, Result(**number, value=0.05, standard_error=0.1))
    'inconclusive'
    """
    if not claim["attempted"] or result is None:
        return "not attempted"
    interval = result.interval()
    if interval is None:
        return "inconclusive"
    expect = check_choice(claim["expect"], ("above", "below", "equal"), name="expect")
    low, high = interval
    margin, null = float(claim["margin"]), float(claim.get("null", 0.0))
    if expect == "equal":
        target = float(claim["target"] if "target" in claim else claim["paper_value"])
        if target - margin <= low and high <= target + margin:
            return "reproduced"
        return (
            "not reproduced" if high < target - margin or low > target + margin else "inconclusive"
        )
    if expect == "below":
        low, high, margin, null = -high, -low, -margin, -null
    if low >= margin:
        return "reproduced"
    if low > null:
        return "direction only"
    return "not reproduced" if high < margin else "inconclusive"
