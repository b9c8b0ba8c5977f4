"""Records with provenance, the papers' numbers, verdicts, and the tables made of them."""

from giqa_lib.results.checkout import (
    PROFILES,
    claims,
    deviations,
    exhibits,
    find_checkout,
    paper_values,
    record_path,
)
from giqa_lib.results.display import DescribedPlot, markdown_table, show, show_table
from giqa_lib.results.records import Record, Result, Run, load_record, write_json
from giqa_lib.results.tables import (
    comparison_table,
    exhibit_table,
    format_number,
    ledger_table,
    number_table,
    records,
    verdict_counts,
)
from giqa_lib.results.verdicts import VERDICTS, find_result, judge

__all__ = [
    "PROFILES",
    "VERDICTS",
    "DescribedPlot",
    "Record",
    "Result",
    "Run",
    "claims",
    "comparison_table",
    "deviations",
    "exhibit_table",
    "exhibits",
    "find_checkout",
    "find_result",
    "format_number",
    "judge",
    "ledger_table",
    "load_record",
    "markdown_table",
    "number_table",
    "paper_values",
    "record_path",
    "records",
    "show",
    "show_table",
    "verdict_counts",
    "write_json",
]
