"""Tables of counts and times that a script measured and committed: robustness, scale."""

import json
from typing import Any

import pandas as pd

from giqa_book.directive import MarkdownDirective, anchor, depend, root_of, table


class Counted(MarkdownDirective):
    """Every table of ``book/results/<name>.json``, with where and when it was measured."""

    required_arguments = 1

    def markdown(self) -> list[str]:
        name = self.arguments[0]
        path = root_of(self.env) / "book" / "results" / f"{name}.json"
        depend(self.env, path)
        if not path.exists():
            return ["Nothing has been committed yet."]
        content = json.loads(path.read_text(encoding="utf-8"))
        run = content["run"]
        lines = [f"Measured by `{run['command']}`: {run['device']}, {run['date']}.", ""]
        for part in content["tables"]:
            lines += [*self.one(name, part), ""]
        return lines

    @staticmethod
    def one(name: str, part: dict[str, Any]) -> list[str]:
        rows = [{key: _text(row.get(key, "")) for key in part["columns"]} for row in part["rows"]]
        frame = pd.DataFrame(rows).rename(columns=lambda column: column[:1].upper() + column[1:])
        return table(frame, caption=part["caption"], name=anchor("tbl", name, part["name"]))


def _text(value: object) -> object:
    """Numbers to three digits; whole ones as they are, with thousands apart."""
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return value
