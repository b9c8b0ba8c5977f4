"""A book of one chapter in a temporary folder: everything that the real one has, in small."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from giqa_lib.runner import Paths, execute

CHAPTER = "1_part/chapter"

NOTEBOOK = """\
# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # One chapter
#
# ```{reproduce} 1_part/chapter
# ```
#
# The mean is {num}`1_part/chapter.mean|.2f`, in the committed run {num}`cpu:1_part/chapter.mean`; see
# {numref}`part-chapter-fig-line` and {eq}`eq-mean`, after {cite:t}`someone2020`.
#
# $$ m = \\\\frac{1}{n} \\\\sum_i x_i $$ (eq-mean)
#
# ```{claims} 1_part/chapter
# ```

# %% tags=["parameters"]
profile: str = "quick"  # quick | cpu | paper
dataset: str = "digits"  # a named data set
seed: int = 0  # the seed
device: str = "cpu"  # cpu or cuda
output: str = ""  # folder for the record
n: int = 50  # how many draws
rate: float = 0.5  # not used
sizes: list[int] = []  # not used
fail: str = ""  # raise, die or forget: ways to end badly

# %% tags=["hide-input"]
import os
import sys
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from giqa_lib.results import Run, show, show_table
from giqa_lib.results.records import Result

run = Run("1_part/chapter", {"profile": profile, "seed": seed, "device": device, "output": output, "n": n})

# %%
@dataclass
class Line:
    values: np.ndarray

    @property
    def alt(self):
        return f"A line of {len(self.values)} points: it rises & <falls>."

    @property
    def data(self):
        return pd.DataFrame({"x": np.arange(len(self.values)), "y": self.values})

    @property
    def figure(self):
        figure = Figure(figsize=(3, 2))
        figure.add_subplot().plot(self.values)
        return figure

# %%
if fail == "raise":
    raise ValueError("on purpose")
if fail == "die":
    os._exit(9)
values = np.random.default_rng(seed).normal(size=n)
mean, error = values.mean(), values.std() / n**0.5
run.record(paper="p", exhibit="Table 1", row="a", column=5, metric="mean", value=mean, standard_error=error,
           n=n, seeds=[seed], dataset=dataset, key="mean")

# %%
sys.stderr.write("\\\\r 50 %")
show(Line(values), name="fig-line", caption="A line, *drawn*: $y$ by $x$.")

# %% [markdown]
# Several outputs of one cell.

# %%
print("before")
show(Line(values[:3]), name="fig-short", caption="A short line.")
show_table(pd.DataFrame({"M": [5, 70], "mean | $x$": [0.5, float("nan")]}), name="tbl-means", caption="Two means.")
show(Line(values[:4]), name="fig-long", caption="A longer line.")
run.table()[["metric", "value"]]

# %% [markdown]
# ```{comparison} p / Table 1
# ```
#
# ## Differences
#
# ```{deviations} 1_part/chapter
# ```

# %%
if fail != "forget":
    run.save(output)
"""

FILES = {
    "_toc.yml": "format: jb-book\nroot: book/index\nchapters:\n- file: notebooks/1_part/chapter\n"
    "- file: book/ledger\n- file: book/exhibits\n- file: book/numbers\n- file: book/references\n",
    "book/index.md": "# A book\n\n```{verdicts}\n```\n\n```{benchmarks}\n```\n\n```{datasets}\n```\n\n"
    "```{counted} robustness\n```\n\n```{counted} scale\n```\n",
    "book/ledger.md": "# Ledger\n\nEvery claim.\n\n```{ledger}\n```\n",
    "book/exhibits.md": "# Exhibits\n\n```{exhibits}\n```\n\n```{deviations}\n```\n\n"
    "```{power-laws} growth / seconds\n```\n\n```{power-laws} scale / seconds\n```\n",
    "book/numbers.md": "# Numbers\n\n```{numbers}\n```\n",
    "book/references.md": "# References\n\n```{bibliography}\n```\n",
    "book/references.bib": "@article{someone2020, author={Some One}, title={It}, journal={J}, year={2020}}\n",
    "book/papers/values.csv": "paper,exhibit,metric,row,column,value,std,better,note\n"
    "p,Table 1,mean,a,5,0.25,0.01,higher,\np,Table 1,mean,None,70,0.5,,higher,\n",
    "book/papers/exhibits.csv": "paper,exhibit,kind,shows,notebook,state\n"
    "p,Table 1,numbers,means | more,1_part/chapter,done\np,Figure 9,plot,a line,,later\n",
    "book/papers/claims.yml": """\
- {id: P1, paper: p, claim: The mean exceeds a tenth., place: Table 1, attempted: true, notebook: 1_part/chapter,
   scale: "digits, 50 draws", result: {key: mean}, expect: above, margin: 0.1, margin_reason: "A tenth.", paper_value: 0.25}
- {id: P2, paper: p, claim: It is pretty, place: Figure 9, attempted: false, reason: "No test of beauty."}
""",
    "book/papers/deviations.yml": "- {id: D1, paper: p, notebooks: [1_part/chapter], what: Fewer draws.,"
    " why: 'It takes less time.', expected_effect: 'A wider interval.'}\n",
    "book/results/robustness.json": '{"run": {"command": "make robust", "device": "a CPU", "date": "2026-01-01"},'
    ' "tables": [{"name": "kills", "caption": "kill -9, counted.", "columns": ["stage", "trials", "seconds"], "rows": [{"stage": "fit", "trials": 1200, "seconds": 0.12345}]}]}',
    "book/results/growth.json": '{"tables": [{"name": "measured", "rows": [{"stage": "fit", "images": 10, "seconds": 2.0}, {"stage": "fit", "images": 100, "seconds": 20.0}]}]}',
    f"notebooks/{CHAPTER}.py": NOTEBOOK.replace("\\\\", "\\"),
}

RUN = {
    "notebook": CHAPTER, "profile": "cpu", "parameters": {"n": 10000}, "versions": {"python": "3"},
    "commit": "abc", "device": "a CPU", "seconds": 600.0, "command": "make run PROFILE=cpu",
    "previous": {"p | Table 1 | mean | a | 5 | digits": 0.2},
}  # fmt: skip
NUMBER = {
    "paper": "p", "exhibit": "Table 1", "row": "a", "column": "5", "metric": "mean", "value": 0.3,
    "standard_error": 0.01, "n": 10000, "seeds": [0, 1], "dataset": "digits", "note": "", "key": "mean",
}  # fmt: skip


@dataclass(frozen=True)
class Book:
    """A checkout and where its runs go."""

    root: Path

    @property
    def results(self) -> Path:
        return self.root / "book" / "results"

    @property
    def pages(self) -> Path:
        return self.root / "build" / "quick" / "notebooks"

    @property
    def site(self) -> Path:
        return self.root / "build" / "quick" / "site"

    @property
    def page(self) -> Path:
        return self.pages / f"{CHAPTER}.ipynb"

    @property
    def record(self) -> Path:
        return self.results / "quick" / f"{CHAPTER}.json"

    def run(self, **overrides: object) -> Paths:
        return execute(
            CHAPTER,
            profile="quick",
            overrides=overrides,
            root=self.root,
            results=self.results,
            pages=self.pages,
        )

    def copy(self, target: Path) -> "Book":
        shutil.copytree(self.root, target)
        return Book(target)


def make_book(folder: Path, checkout: Path) -> Book:
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    shutil.copy(checkout / "_config.yml", folder)
    quiet = shutil.ignore_patterns("__pycache__")
    shutil.copytree(checkout / "book" / "_ext", folder / "book" / "_ext", ignore=quiet)
    shutil.copytree(checkout / "giqa_lib", folder / "giqa_lib", ignore=quiet)
    committed = folder / "book" / "results" / "cpu" / f"{CHAPTER}.json"
    committed.parent.mkdir(parents=True)
    committed.write_text(json.dumps({"run": RUN, "results": [NUMBER]}), encoding="utf-8")
    return Book(folder)
