"""Run every benchmark, print one table, and keep it as ``book/results/benchmarks.json``.

    make bench                    all, at full size
    make bench ARGS="--quick"     tiny sizes: shows that it runs, measures nothing

Each ``bench_*.py`` beside this file times ours and a named peer in turn in one run and writes
its rows; a row states the ratio that was asked for (``mark``) and whether it was reached.
"""

import argparse
import datetime
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd

from giqa_lib.results import write_json
from giqa_lib.results.provenance import commit, device_name, versions

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
COLUMNS = ["task", "size", "peer", "ours_seconds", "peer_seconds", "ratio", "mark", "reached"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="tiny sizes; nothing is written to the book"
    )
    parser.add_argument("--only", help="one file's middle name, for example scores")
    options = parser.parse_args()
    rows = []
    for script in sorted(HERE.glob("bench_*.py")):
        if options.only and script.stem != f"bench_{options.only}":
            continue
        with tempfile.TemporaryDirectory() as scratch:
            out = Path(scratch) / "rows.json"
            size = "--quick" if options.quick else "--full"
            subprocess.run([sys.executable, str(script), size, "--json", str(out)], check=True)
            about = {"file": script.name, "commit": commit(ROOT)}
            rows += [row | about for row in json.loads(out.read_text())]
    for row in rows:
        known = row.get("mark") is not None and row.get("ratio") is not None
        row["reached"] = (
            ("yes" if row["ratio"] >= row["mark"] else "no") if known else row.get("reached", "")
        )
    print(pd.DataFrame(rows).reindex(columns=COLUMNS).to_string(index=False))
    if not options.quick:
        path = ROOT / "book" / "results" / "benchmarks.json"
        run = {
            "date": datetime.date.today().isoformat(),
            "commit": commit(ROOT),
            "device": device_name("cpu"),
            "versions": versions(),
        }
        kept = json.loads(path.read_text())["rows"] if options.only and path.exists() else []
        fresh = {row["file"] for row in rows}
        rows = [row for row in kept if row.get("file") not in fresh] + rows
        write_json(path, {"run": run, "rows": rows})
    return 0


if __name__ == "__main__":
    sys.exit(main())
