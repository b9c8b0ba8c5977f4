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
# # The paper's data: CIFAR
#
# Both models once more, on the images of the paper's tables. **Does the auxiliary score help there, after as many steps and
# after as many seconds?**
#
# ```{reproduce} 2_scoregan/cifar
# ```
#
# ## What the paper claims
#
# {cite:t}`lee2022scoregan` raise the Inception score on CIFAR-10 by a fifth and lower the FID by a fifth (Table 2), with a like gain on
# CIFAR-100 (Table 3), and the gain grows late in the training (Figure 3).
#
# ```{claims} 2_scoregan/cifar
# ```

# %% tags=["parameters"]
profile: str = "quick"  # quick | cpu | paper: sizes and lengths of training
sets: list[str] = ["cifar10", "cifar100"]  # the paper's data sets: those that are on the machine are measured
dataset: str = "fashion-mnist"  # serves if none of them is there
seed: int = 0  # the first seed; each seed has its own split, classifier and trainings
device: str = "cpu"  # cpu or cuda
output: str = ""  # folder for the record; empty: none is written
seeds: int = 0  # how many seeds; 0: the profile's
timed: int = 6  # steps of each model that are timed, in turn
columns: int = 8  # images of each class that are shown

# %% tags=["hide-input"]
import numpy as np
import pandas as pd
import torch

from giqa_lib.applications.scoregan import COLOUR_PRESETS, INCEPTION, LATE_FALL, ScoreStudy, at_equal_seconds, late_progress, step_seconds
from giqa_lib.applications.snapshots import PRESETS, Study
from giqa_lib.data import find
from giqa_lib.evaluation import combine_seeds, paired_differences
from giqa_lib.figures import bars, curves, image_grid
from giqa_lib.gan import ClassNorm
from giqa_lib.results import Run, show, show_table
from giqa_lib.store import default_store

# %% tags=["hide-input"]
names = ("profile", "sets", "dataset", "seed", "device", "output", "seeds", "timed", "columns")
run = Run("2_scoregan/cifar", {name: globals()[name] for name in names})
all_seeds = list(range(seed, seed + (seeds or {"quick": 1, "cpu": 3, "paper": 3}[profile])))
chosen = [name for name in sets if find(name) is not None] or [dataset]
titles = {name: {"cifar10": "CIFAR-10", "cifar100": "CIFAR-100"}.get(name, name) for name in chosen}
several, pair = len(all_seeds) > 1, ["ControlGAN", "ScoreGAN"]
titles

# %% [markdown]
# ## By hand: two budgets
#
# Two constructed trainings whose Inception score rises by one every hundred steps. They are equal after equal steps. But a step of
# the second takes a quarter longer, so when the first has made all its steps the second has made four fifths of them, and is
# behind. A method that costs more must be better after equal steps to be equal.

# %%
steps = pd.DataFrame({"step": [100, 200, 300, 400], "seed": 0, "judge": "by hand", "metric": "IS", "value": [2.0, 3.0, 4.0, 5.0]})
by_hand = at_equal_seconds(pd.concat([steps.assign(run=name) for name in pair]), {"ControlGAN": 1.0, "ScoreGAN": 1.25})
show_table(by_hand[["run", "step", "value"]], name="tbl-by-hand", caption="Two constructed trainings after equal seconds.", digits=1)

# %% [markdown]
# ## The trainings
#
# As in {doc}`training`: for each seed both models have the same initial weights, real images, latents and labels, and differ by the score alone.

# %%
preset = COLOUR_PRESETS[profile]
last, own, other = preset.steps[-1], "classifier", f"{preset.judge}@{preset.judge_size}"
slug = {own: "own", other: "other", INCEPTION: "inception", "evaluator": "evaluator"}
benches = {name: [ScoreStudy(Study(PRESETS[profile], dataset=name, seed=one, store=default_store(), device=device), preset) for one in all_seeds]
           for name in chosen}  # fmt: skip
judged = pd.concat([bench.judge_run(model).assign(dataset=name) for name in chosen for bench in benches[name] for model in pair], ignore_index=True)
real = pd.concat([bench.judge_real().assign(dataset=name) for name in chosen for bench in benches[name]], ignore_index=True)

# %% [markdown]
# ## Figure 3: along the training
#
# Inception score and FID by an ImageNet network that is not the evaluator. The bands are over seeds.

# %%
course = combine_seeds(judged, by=["dataset", "run", "step", "judge", "metric"])
for name in chosen:
    for metric in ("IS", "FID"):
        part = course[(course["dataset"] == name) & (course["judge"] == other) & (course["metric"] == metric)]
        plot = curves(part, x="step", y="value", error="standard_error", by="run", xlabel="step of the generator", ylabel=f"{metric}, {preset.judge}")
        show(plot, name=f"fig-{metric.lower()}-{name}", caption=f"{metric} along the training on {titles[name]}, judged by {other} (this build).")

# %%
for r in course.itertuples():
    printed = r.judge == other and r.metric in ("IS", "FID")
    run.record(paper="scoregan" if printed else "ours", exhibit="Figure 3" if printed else "along the training", row=r.run, column=f"{r.step}, {r.judge}",
               metric=r.metric, value=r.value, standard_error=r.standard_error, n=r.n, seeds=r.seeds, dataset=r.dataset,
               key=f"{r.dataset}-{r.run.lower()}-{r.metric.lower().replace(' ', '-')}-{slug[r.judge]}-{r.step}")  # fmt: skip

# %% [markdown]
# ### Late progress
#
# The Inception score after a third of the training as a share of the last, and how much the FID falls in the second half.
#
# ```{comparison} scoregan / Figure 3 text
# ```

# %%
late = pd.concat([late_progress(judged[judged["dataset"] == name]).assign(dataset=name) for name in chosen], ignore_index=True)
by_model = combine_seeds(late.assign(standard_error=0.0, n=preset.judged), by=["dataset", "judge", "metric", "run"])
for r in by_model[by_model["judge"] == other].itertuples():
    run.record(paper="scoregan", exhibit="Figure 3 text", row=r.run, column=titles[r.dataset], metric=r.metric, value=r.value,
               standard_error=r.standard_error if several else None, n=r.n, seeds=r.seeds, dataset=r.dataset,
               key=f"{r.dataset}-{r.run.lower()}-{'fall' if r.metric == LATE_FALL else 'early'}")  # fmt: skip

# %%
for r in paired_differences(late, [("ScoreGAN", "ControlGAN")], by=["dataset", "judge", "metric"]).itertuples():
    run.record(paper="scoregan" if r.judge == other else "ours", exhibit="Figure 3 text" if r.judge == other else "late progress", row=r.name, column=r.judge,
               metric=r.metric, value=r.value, standard_error=r.standard_error if several else None, n=r.pairs, seeds=r.seeds, dataset=r.dataset,
               key=f"{r.dataset}-late-{'fall' if r.metric == LATE_FALL else 'early'}-{slug[r.judge]}")  # fmt: skip
show_table(by_model[["dataset", "judge", "metric", "run", "value"]], name="tbl-late", caption="Late progress of both models by each judge (this build).", digits=1)

# %% [markdown]
# ## Tables 2 and 3
#
# After the last step of both. Judged by another network than the paper's, so the values cannot be compared with the printed ones: their
# differences can, as shares of what real images get. Where the weights of the Inception network are on the machine, its numbers stand here.

# %%
ends = pd.concat([judged[judged["step"] == last], real], ignore_index=True)
table = combine_seeds(ends, by=["dataset", "run", "judge", "metric"])
printing = INCEPTION if INCEPTION in benches[chosen[0]][0].judges else other
exhibits = {name: "Table 3" if name == "cifar100" else "Table 2" for name in chosen}
for r in table[(table["judge"] == printing) & ~((table["run"] == "real images") & (table["metric"] == "FID"))].itertuples():
    baseline = "ControlGAN (w/ Table 1; baseline)" if exhibits[r.dataset] == "Table 2" else "ControlGAN (baseline)"
    row = {"real images": "Real data", "ControlGAN": baseline}.get(r.run, r.run)
    run.record(paper="scoregan", exhibit=exhibits[r.dataset], row=row, column=titles[r.dataset], metric=r.metric, value=r.value,
               standard_error=r.standard_error, n=r.n, seeds=r.seeds, dataset=r.dataset, note=f"by {printing}")  # fmt: skip
# %%
for r in table[table["run"] == "real images"].itertuples():
    run.record(paper="ours", exhibit="real images", row=r.run, column=r.judge, metric=r.metric, value=r.value, standard_error=r.standard_error,
               n=r.n, seeds=r.seeds, dataset=r.dataset, key=f"{r.dataset}-real-{r.metric.lower()}-{slug[r.judge]}")  # fmt: skip
text = table.assign(text=[f"{v:.2f} ± {e:.2f}" for v, e in zip(table["value"], table["standard_error"], strict=True)], column=table["metric"] + ", " + table["judge"].map(slug))
text = text.pivot(index=["dataset", "run"], columns="column", values="text").reset_index().fillna("")
show_table(text, name="tbl-models", caption="Both models and real images, mean over seeds ± standard error (this build).")

# %% [markdown]
# ```{comparison} scoregan / Table 2
# ```
#
# ```{comparison} scoregan / Table 3
# ```
#
# ### Equal steps, and equal seconds
#
# Seed by seed, with Student's interval. The second budget ends when ControlGAN has made its last step; how far ScoreGAN is by then comes from steps
# of both that are timed in turn.

# %%
seconds = {name: step_seconds({model: (benches[name][0], model) for model in pair}, count=timed) for name in chosen}
cost = {name: {"ControlGAN": 1.0, "ScoreGAN": float(np.median(found["ScoreGAN"] / found["ControlGAN"]))} for name, found in seconds.items()}
for name in chosen:
    run.record(paper="ours", exhibit="cost", row="ScoreGAN over ControlGAN", column="seconds a step", metric="ratio", value=cost[name]["ScoreGAN"],
               n=timed, dataset=name, key=f"{name}-cost-ratio")  # fmt: skip
# %%
measures = judged[(judged["judge"] != "evaluator") & judged["metric"].isin(["IS", "FID"])]
timely = pd.concat([at_equal_seconds(part, cost[name]).assign(dataset=name) for name, part in measures.groupby("dataset")])
budgets = pd.concat([measures[measures["step"] == last].assign(budget="equal steps"), timely.assign(budget="equal seconds")], ignore_index=True)
level = real[real["metric"] == "IS"].groupby(["dataset", "judge"])["value"].mean()
scores = budgets[budgets["metric"] == "IS"].merge(level.rename("level").reset_index(), on=["dataset", "judge"])
distances = budgets[budgets["metric"] == "FID"]
both = pd.concat([scores.assign(metric="IS, percent of real images'", value=100 * scores["value"] / scores["level"]), distances.assign(metric="log FID", value=np.log(distances["value"]))])
# %%
found = paired_differences(both, [("ScoreGAN", "ControlGAN")], by=["dataset", "budget", "judge", "metric"])
for r in found.itertuples():
    printed = r.judge == other and r.budget == "equal steps"
    run.record(paper="scoregan" if printed else "ours", exhibit=exhibits[r.dataset] if printed else r.budget, row=r.name, column=r.judge, metric=f"difference of {r.metric}",
               value=r.value, standard_error=r.standard_error if several else None, n=r.pairs, seeds=r.seeds, dataset=r.dataset,
               key=f"{r.dataset}-{r.budget.replace(' ', '-')}-{r.metric.split(',')[0].lower().replace(' ', '-')}-{slug[r.judge]}")  # fmt: skip
show_table(found[["dataset", "budget", "judge", "metric", "value", "half_width"]], name="tbl-budgets", caption="ScoreGAN minus ControlGAN, mean over seeds and half width of the 95 % interval (this build; none from one seed).")

# %% [markdown]
# ## Is the label guide heard?
#
# The classifier's word has the weight $\gamma$, which rises by a thousandth of the difference of its losses on generated and on real images, up to a clip. A label
# reaches the images only through the scales and shifts that it alone has, one at first for all. Adam moves each by no more than about its rate a step.

# %%
def spread(generator: torch.nn.Module) -> float:
    """How far the labels' scales are apart, mean over channels; their mean is near one."""
    scales = [part.scale.weight.detach() for part in generator.modules() if isinstance(part, ClassNorm)]
    return float(torch.cat([each.std(0) for each in scales]).mean())


# %%
clip = preset.guide.gamma_most
for name in chosen:
    losses = [bench.snapshots("ControlGAN").losses["gamma"] for bench in benches[name]]
    heard = {"gamma at the end": [each.iloc[-1] for each in losses], "share of the steps at the clip": [(each >= clip - 1e-6).mean() for each in losses],
             "labels' scales apart": [spread(bench.snapshots("ControlGAN").generator(last)) for bench in benches[name]]}  # fmt: skip
    for metric, values in heard.items():
        run.record(paper="ours", exhibit="label guide", row="ControlGAN", column="last step", metric=metric, value=np.mean(values), n=len(values), seeds=all_seeds,
                   dataset=name, key=f"{name}-{metric.split()[0].strip(chr(39))}")  # fmt: skip
run.table("label guide")[["dataset", "metric", "value"]]

# %% [markdown]
# ## Figures 2 and 4: a column a class
#
# Not chosen: the first latents of the first seed, by the two models and the first test images of each class above them.

# %%
for name in chosen:
    mine = benches[name][0]
    classes = min(mine.classes, 10)
    tops = torch.cat([mine.study.real.tensor()[np.flatnonzero(mine.study.real.labels == label)[:2]] for label in range(classes)]).unflatten(0, (classes, 2)).transpose(0, 1).flatten(0, 1)
    made = [mine.images(model, columns * mine.classes).unflatten(0, (columns, mine.classes))[:, :classes].flatten(0, 1) for model in pair]
    rows = [word for word, count in zip(("real", *pair), (2, columns, columns), strict=True) for word in (word, *[""] * (count - 1))]
    plot = image_grid(torch.cat([tops, *made]), columns=classes, row_labels=rows)
    show(plot, name=f"fig-images-{name}", caption=f"Real images of {titles[name]} and images by both models, one class a column (this build).")

# %% [markdown]
# ## Control: real images
#
# They must have a lower FID and a higher Inception score than any model, by each judge.

# %%
value = table.set_index(["dataset", "judge", "metric", "run"])["value"]
for name in chosen:
    for judge in (own, other):
        gap = np.log(value[name, judge, "FID", "real images"] / min(value[name, judge, "FID", model] for model in pair))
        lead = value[name, judge, "IS", "real images"] - max(value[name, judge, "IS", model] for model in pair)
        run.record(paper="ours", exhibit="control", row=f"real images minus the better model, {judge}", column="pass" if gap < 0 < lead else "FAIL",
                   metric="log FID", value=gap, n=preset.judged, seeds=all_seeds, dataset=name, key=f"{name}-control-{slug[judge]}")  # fmt: skip
run.table("control")[["dataset", "row", "column", "value"]]

# %% [markdown]
# ## Where it fails: the evaluator's own score
#
# Each network's Inception score as a share of what real images get from it. Where the evaluator's share is higher for ScoreGAN and the others' is
# not, the generator has learned the evaluator.

# %%
parts = ends[ends["metric"] == "IS"].merge(level.rename("level").reset_index(), on=["dataset", "judge"])
parts["value"] /= parts["level"]
shown = parts[parts["run"] != "real images"].groupby(["dataset", "run", "judge"], as_index=False)["value"].mean()
for name in chosen:
    plot = bars(shown[shown["dataset"] == name].assign(label=lambda t: t["judge"].map(slug)), x="label", y="value", by="run", ylabel="IS as a share of real images'")
    show(plot, name=f"fig-failure-{name}", caption=f"Inception score on {titles[name]} by each network, as a share of that of real images (this build).")
# %%
wide = parts[parts["run"] != "real images"].pivot(index=["dataset", "run", "seed"], columns="judge", values="value")
excess = (wide["evaluator"] - wide[other]).rename("value").reset_index().assign(metric="excess of the evaluator's IS")
for r in paired_differences(excess, [("ScoreGAN", "ControlGAN")], by=["dataset", "metric"]).itertuples():
    run.record(paper="scoregan", exhibit="Figure 3", row=r.name, column=titles[r.dataset], metric=r.metric, value=r.value,
               standard_error=r.standard_error if several else None, n=r.pairs, seeds=r.seeds, dataset=r.dataset, key=f"{r.dataset}-excess")  # fmt: skip
excess.pivot(index=["dataset", "run"], columns="seed", values="value")

# %% [markdown]
# ## What the full runs show
#
# Three seeds on CIFAR-10 (interval: Student's, of three pairs):
#
# - **By an ImageNet network the score may help, by the data's own classifier it may not: three pairs tell neither from nought.** After equal steps
#   ScoreGAN's Inception score differs by {num}`cpu:2_scoregan/cifar.cifar10-equal-steps-is-other|+.1f` percent of real images' score, the log of the FID by
#   {num}`cpu:2_scoregan/cifar.cifar10-equal-steps-log-fid-other|+.2f`. The classifier, which shares no labels with the evaluator, sees
#   {num}`cpu:2_scoregan/cifar.cifar10-equal-steps-is-own|+.1f` percent and {num}`cpu:2_scoregan/cifar.cifar10-equal-steps-log-fid-own|+.2f`.
# - A step costs {num}`cpu:2_scoregan/cifar.cifar10-cost-ratio|.2f` times ControlGAN's; after equal seconds the picture is the same
#   ({num}`cpu:2_scoregan/cifar.cifar10-equal-seconds-is-other|+.1f` percent, log FID {num}`cpu:2_scoregan/cifar.cifar10-equal-seconds-log-fid-other|+.2f`).
# - **The evaluator is pleased more than the judge**: its share of real images' score rises by {num}`cpu:2_scoregan/cifar.cifar10-excess|.2f` more. The
#   generator learned the evaluator in part.
# - Late progress is ScoreGAN's in the mean, as the paper says, and is not told from nought: the FID's fall in the second half differs by
#   {num}`cpu:2_scoregan/cifar.cifar10-late-fall-other|+.1f` points, the share of the last Inception score that is reached after a third by
#   {num}`cpu:2_scoregan/cifar.cifar10-late-early-other|+.0f`.
# - **These trainings are far from the paper's**: the labels are not heard (the classifier names {num}`cpu:2_scoregan/cifar.cifar10-controlgan-label-accuracy-own-300|.2f` of
#   ControlGAN's images rightly, a tenth is chance), and real images' Inception score, {num}`cpu:2_scoregan/cifar.cifar10-real-is-other|.0f`, is far above
#   ControlGAN's {num}`cpu:2_scoregan/cifar.cifar10-controlgan-is-other-300|.1f`. They test the first steps of a training, not its end.
#
# ## Differences from the paper
#
# ```{deviations} 2_scoregan/cifar
# ```
#
# ## What to try
#
# - bfloat16, and what it does to the images: {doc}`cost`.
# - `sets=[cifar100]`, with its files in `GIQA_DATA`, is Table 3 and Figure 4 alone.
# - `profile=paper` on a GPU has the paper's width and length.

# %%
record = run.save(output)
