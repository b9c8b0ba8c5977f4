# ---
# jupyter:
#   jupytext:
#     formats: py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---
# %% [markdown]
# # Results: the last images of both models
#
# The trainings of {doc}`training` at their end, beside real images as the ceiling. **Is the auxiliary score's gain there for
# judges that do not share its labels?**
#
# ```{reproduce} 2_scoregan/results
# ```
#
# ## What the paper claims
#
# {cite:t}`lee2022scoregan` report for CIFAR-10 an Inception score a fifth higher than ControlGAN's and an FID a fifth lower (their
# Table 2), and a like gain on CIFAR-100 (Table 3): one training each, judged by Inception.
#
# ```{claims} 2_scoregan/results
# ```

# %% tags=["parameters"]
profile: str = "quick"  # quick | cpu | paper: sizes and lengths of training
dataset: str = "fashion-mnist"  # cifar10 is the paper's Table 2, cifar100 its Table 3; any labelled set with train and test
seed: int = 0  # the first seed; each seed has its own split, classifier and trainings
device: str = "cpu"  # cpu or cuda
output: str = ""  # folder for the record; empty: none is written
seeds: int = 0  # how many seeds; 0: the profile's
columns: int = 10  # images of each class that are shown

# %% tags=["hide-input"]
import numpy as np
import pandas as pd

from giqa_lib.applications.scoregan import INCEPTION, SCORE_PRESETS, ScoreStudy
from giqa_lib.applications.snapshots import PRESETS, Study
from giqa_lib.evaluation import combine_seeds, inception_score, paired_differences
from giqa_lib.figures import bars, image_grid
from giqa_lib.results import Run, show, show_table
from giqa_lib.store import default_store

all_seeds = list(range(seed, seed + (seeds or {"quick": 1, "cpu": 3, "paper": 3}[profile])))
run = Run("2_scoregan/results", {name: globals()[name] for name in ("profile", "dataset", "seed", "device", "output", "seeds", "columns")})
exhibit, figure = ("Table 3", "Figure 4") if dataset == "cifar100" else ("Table 2", "Figure 2")
pair = ["ControlGAN", "ScoreGAN"]

# %% [markdown]
# ## By hand: what the Inception score sees of a collapse
#
# Answers of a classifier to images of ten classes: all classes, and half of them. The Inception score halves. It does not
# move when each class is only ever one image: it asks how different answers are, not images.

# %%
answers = np.tile(np.eye(10) * 0.91 + 0.009, (50, 1))
half = answers[np.argsort(np.arange(500) % 10, kind="stable")][np.arange(500) % 250]
repeated = np.tile(answers[:10], (50, 1))
by_hand = pd.DataFrame({"images": ["all classes", "half of the classes", "one image a class"],
                        "Inception score": [inception_score(rows[np.random.default_rng(seed).permutation(500)], splits=2).value for rows in (answers, half, repeated)]})  # fmt: skip
show_table(by_hand, name="tbl-by-hand", caption="Inception score of constructed answers.", digits=2)

# %% [markdown]
# ## The models

# %%
preset = SCORE_PRESETS[profile]
benches = [ScoreStudy(Study(PRESETS[profile], dataset=dataset, seed=one, store=default_store(), device=device), preset) for one in all_seeds]
own, other = "classifier", f"{preset.judge}@{preset.judge_size}"
judged = pd.concat([bench.judge_run(name, steps=preset.steps[-1:]) for bench in benches for name in pair], ignore_index=True)
real = pd.concat([bench.judge_real() for bench in benches], ignore_index=True)

# %% [markdown]
# ## Figures 2 and 4: a column a class
#
# Not chosen: the first latents of the first seed.

# %%
mine = benches[0]
classes = min(mine.classes, 10)
for name in pair:
    images = mine.images(name, columns * mine.classes).unflatten(0, (columns, mine.classes))[:, :classes].flatten(0, 1)
    show(image_grid(images, columns=classes), name=f"fig-{name.lower()}", caption=f"Images by {name}, one class a column (this build).")

# %% [markdown]
# ## Tables 2 and 3
#
# The Inception score and FID by an ImageNet network other than the evaluator stand in for the paper's by Inception, and cannot
# be compared with its numbers; where Inception's weights are on the machine, its own stand in their place. Those by the data set's own classifier
# are the control that does not share ImageNet's labels.

# %%
table = combine_seeds(pd.concat([judged, real]), by=["run", "judge", "metric"])
slug = {own: "own", other: "other", INCEPTION: "inception", "evaluator": "evaluator"}
several, printing = len(all_seeds) > 1, INCEPTION if INCEPTION in mine.judges else other
for r in table.itertuples():
    printed = r.judge == printing and not (r.run == "real images" and r.metric == "FID")
    row = {"real images": "Real data", "ControlGAN": "ControlGAN (w/ Table 1; baseline)" if exhibit == "Table 2" else "ControlGAN (baseline)"}.get(r.run, r.run)
    run.record(paper="scoregan" if printed else "ours", exhibit=exhibit if printed else "models", row=row if printed else r.run, column=dataset if printed else r.judge,
               metric=r.metric, value=r.value, standard_error=r.standard_error, n=r.n, seeds=r.seeds, dataset=dataset,
               key=f"{r.run.lower().replace(' ', '-')}-{r.metric.lower().replace(' ', '-')}-{slug[r.judge]}")  # fmt: skip

# %%
wide = table.assign(text=[f"{v:.2f} ± {e:.2f}" for v, e in zip(table["value"], table["standard_error"], strict=True)], column=table["metric"] + ", " + table["judge"].map(slug))
wide = wide.pivot(index="run", columns="column", values="text").loc[[*pair, "real images"]].reset_index()
show_table(wide, name="tbl-models", caption="Both models and real images, mean over seeds ± standard error (this build).")

# %% [markdown]
# The paper's numbers stand beside ours on its own data in {doc}`cifar`.
#
# Papers print another spread beside an Inception score: the standard deviation of the parts (in the committed runs ten, as theirs) that the images of *one* training are cut into.
# It says how sure the score of these images is, and nothing of the next training.

# %%
parts = pd.concat([judged, real]).query("metric == 'IS'").assign(deviation=lambda t: t["standard_error"] * np.sqrt(preset.parts))
own_spread = parts.groupby(["run", "judge"]).agg(score=("value", "mean"), over_parts=("deviation", "mean"), over_trainings=("value", "std")).reset_index()
for r in own_spread.itertuples():
    for metric, value in (("over parts", r.over_parts), *((("over trainings", r.over_trainings),) if several else ())):
        run.record(paper="ours", exhibit="spread", row=r.run, column=r.judge, metric=f"standard deviation of IS {metric}", value=value, n=preset.judged, seeds=all_seeds,
                   dataset=dataset, key=f"spread-{r.run.lower().replace(' ', '-')}-{metric.split()[1]}-{slug[r.judge]}")  # fmt: skip
show_table(own_spread.drop(columns=[] if several else "over_trainings"), name="tbl-spread", caption="Inception score with its standard deviation over the parts of one training's images, mean over seeds, and over trainings (this build).", digits=2)

# %% [markdown]
# In the committed runs the deviation over the parts of ScoreGAN's images is {num}`cpu:2_scoregan/results.spread-scoregan-parts-other|.2f` by Lite2, and over
# three trainings {num}`cpu:2_scoregan/results.spread-scoregan-trainings-other|.2f`: a difference that is many times the printed deviation may still be one between two seeds.
#
# ### The difference that the score makes
#
# Seed by seed, with Student's interval over the seeds.

# %%
logs = judged[judged["metric"] == "FID"].assign(metric="log FID", value=lambda t: np.log(t["value"]))
found = paired_differences(pd.concat([judged, logs]), [("ScoreGAN", "ControlGAN")], by=["judge", "metric"])
for r in found.itertuples():
    printed = r.judge == other
    run.record(paper="scoregan" if printed else "ours", exhibit=exhibit if printed else "differences", row=r.name, column=r.judge, metric=f"{r.metric} difference",
               value=r.value, standard_error=r.standard_error if r.pairs > 1 else None, n=r.pairs, seeds=r.seeds, dataset=dataset,
               key=f"d-{r.metric.lower().replace(' ', '-')}-{slug[r.judge]}")  # fmt: skip
show_table(found[["judge", "metric", "value", "half_width"]], name="tbl-differences", caption="ScoreGAN minus ControlGAN, mean over seeds and half width of the 95 % interval (this build; none from one seed).")

# %% [markdown]
# In the committed runs, which end early, ScoreGAN's Inception score by another ImageNet network differs from ControlGAN's by
# {num}`cpu:2_scoregan/results.d-is-other|+.1f`, its $\log$ FID there by {num}`cpu:2_scoregan/results.d-log-fid-other|+.2f` and in the data set's own space by
# {num}`cpu:2_scoregan/results.d-log-fid-own|+.2f`, and the evaluator's own score by {num}`cpu:2_scoregan/results.d-is-evaluator|+.1f`. Three pairs tell little of
# this from nought, but the direction is no surprise: {doc}`training` shows why. This is no verdict on the paper's length of training, which is
# nearly three hundred times as long and sixteen times as wide.

# %%
drawn = found[found["metric"].isin(["IS", "log FID"])].assign(error=lambda t: t["half_width"] / 1.959964, label=lambda t: t["metric"] + ", " + t["judge"].map(slug))
plot = bars(drawn, x="label", y="value", error="error" if several else None, ylabel="ScoreGAN minus ControlGAN")
show(plot, name="fig-differences", caption="What the auxiliary score changes, by each judge (this build). A higher IS is better, a lower FID is.")

# %% [markdown]
# ## Control: real images
#
# Real images must be the ceiling of what they are the ceiling of: a lower FID than any model's, in both spaces.

# %%
fid = table[table["metric"] == "FID"].set_index(["run", "judge"])["value"]
for judge in (own, other):
    gap = fid["real images", judge] - min(fid[name, judge] for name in pair)
    run.record(paper="ours", exhibit="control", row=f"real images minus the better model, {judge}", column="pass" if gap < 0 else "FAIL", metric="FID difference",
               value=float(gap), n=preset.judged, seeds=all_seeds, dataset=dataset, key=f"control-{slug[judge]}")  # fmt: skip
run.table("control")[["row", "column", "value"]]

# %% [markdown]
# ## Where it fails: an Inception score that is not one
#
# The Inception score depends on whose labels it is in. The same images, the same formula, three networks: each as a share of real
# images' own. A model that passes real images by one judge and not by another has not passed them.

# %%
scores = table[table["metric"] == "IS"].copy()
level = scores[scores["run"] == "real images"].set_index("judge")["value"]
scores["share"] = scores["value"] / scores["judge"].map(level)
plot = bars(scores.assign(label=scores["judge"].map(slug)), x="label", y="share", by="run", ylabel="IS as a share of real images'")
show(plot, name="fig-failure", caption="Inception score as a share of that of real images, by each network (this build).")

# %% [markdown]
# ## Differences from the paper
#
# ```{deviations} 2_scoregan/results
# ```
#
# ## What to try
#
# - `columns=5` shows fewer.

# %%
record = run.save(output)
