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
# # Training with and without the score
#
# Two trainings that differ in one term of the generator's loss, judged along the way by networks that took no part in
# either. **Does the auxiliary score help, does it help longer, and what does a generator make of a score alone?**
#
# ```{reproduce} 2_scoregan/training
# ```
#
# ## What the paper claims
#
# {cite:t}`lee2022scoregan` train ControlGAN and ScoreGAN on CIFAR-10 for 100,000 iterations (their Figure 3): ControlGAN slows
# down after a third of them, ScoreGAN goes on improving to the end. And since the evaluator is not the network
# that judges, and the score is only auxiliary, the images are no adversarial examples.
#
# ```{claims} 2_scoregan/training
# ```

# %% tags=["parameters"]
profile: str = "quick"  # quick | cpu | paper: sizes and lengths of training
dataset: str = "fashion-mnist"  # a labelled data set with the splits train and test
seed: int = 0  # the first seed; each seed has its own split, classifier and trainings
device: str = "cpu"  # cpu or cuda
output: str = ""  # folder for the record; empty: none is written
seeds: int = 0  # how many seeds; 0: the profile's
others: int = 0  # seeds of the runs beside the paper's two; 0: all
timed: int = 6  # steps of each model that are timed, in turn

# %% tags=["hide-input"]

import numpy as np
import pandas as pd
import torch

from giqa_lib.applications.scoregan import INCEPTION, LATE_FALL, SCORE_PRESETS, SCORE_RUNS, ScoreStudy, at_equal_seconds, late_progress, step_seconds
from giqa_lib.applications.snapshots import PRESETS, Study
from giqa_lib.evaluation import combine_seeds, paired_differences
from giqa_lib.figures import bars, curves, image_grid
from giqa_lib.results import Run, show, show_table
from giqa_lib.store import default_store

all_seeds = list(range(seed, seed + (seeds or {"quick": 1, "cpu": 3, "paper": 3}[profile])))
names = ("profile", "dataset", "seed", "device", "output", "seeds", "others", "timed")
run = Run("2_scoregan/training", {name: globals()[name] for name in names})

# %% [markdown]
# ## The runs
#
# Same initial weights, real images, latents and labels for all runs of a seed:
#
# - *ControlGAN* and *ScoreGAN*, the paper's two; the score is bounded by the real batch's, by the minimum ({doc}`architecture`);
# - *ScoreGAN, as printed*: with the maximum of Eq. 9; for the first seed alone, since in the committed run it is ControlGAN to the last bit;
# - *FID as the score* and *density as the score*: the paper's future work, and this library's own score, in the place of the Inception score;
# - *score alone*: without bound, discriminator and classifier, the case that {cite:t}`barratt2018note` warn of.

# %%
preset, pair = SCORE_PRESETS[profile], ["ControlGAN", "ScoreGAN"]
benches = [ScoreStudy(Study(PRESETS[profile], dataset=dataset, seed=one, store=default_store(), device=device), preset) for one in all_seeds]
mine, last, printed = benches[0], preset.steps[-1], "ScoreGAN, as printed"
beside_pair = [name for name in SCORE_RUNS if name not in (*pair, printed)]
guided = {bench: [*beside_pair, *([printed] if bench is mine else [])] for bench in benches[: others or None]}
for bench in benches:
    for name in (*pair, *guided.get(bench, [])):
        bench.snapshots(name)

# %% [markdown]
# ## Control: a score without weight is no score
#
# With $\delta = 0$ the training must be ControlGAN's to the last bit; a test of the library makes it so. Here the same is
# seen of the printed bound: as long as generated batches score lower than real ones, it must give ControlGAN again.

# %%
labels = mine.labels(64)
ends = {name: mine.snapshots(name).images(last, 64, seed=seed, labels=labels) for name in (*pair, printed)}
apart = {name: float((images.float() - ends["ControlGAN"].float()).abs().mean()) for name, images in ends.items()}
# %%
run.record(paper="ours", exhibit="printed bound", row="ScoreGAN, as printed, against ControlGAN", column="images", metric="mean difference of pixels",
           value=apart[printed], n=64, seeds=[seed], dataset=dataset, key="printed-apart")  # fmt: skip
run.record(paper="ours", exhibit="control", row="ScoreGAN against ControlGAN", column="pass" if apart["ScoreGAN"] > 0 else "FAIL",
           metric="mean difference of pixels", value=apart["ScoreGAN"], n=64, seeds=[seed], dataset=dataset, key="score-apart")  # fmt: skip
pd.Series(apart, name="mean difference of pixels from ControlGAN").to_frame()

# %% [markdown]
# ## Figure 3: along the training
#
# Inception score by a network of the data set's own labels and by an ImageNet network that is not the evaluator; FID in
# the spaces of the same two. Fewer images than the paper's 50,000, as the profile allows, in the committed runs in ten parts like theirs. Where
# the weights of the Inception network are on the machine, it judges too.

# %%
judged = pd.concat([bench.judge_run(name) for bench in benches for name in pair], ignore_index=True)
real = combine_seeds(pd.concat([bench.judge_real() for bench in benches]), by=["judge", "metric"])
course = combine_seeds(judged, by=["run", "step", "judge", "metric"])
own, other = "classifier", f"{preset.judge}@{preset.judge_size}"

# %%
for judge, metric in ((own, "IS"), (own, "FID"), (other, "IS"), (other, "FID")):
    part = course[(course["judge"] == judge) & (course["metric"] == metric)]
    plot = curves(part, x="step", y="value", error="standard_error", by="run", xlabel="step of the generator", ylabel=f"{metric}, {judge.split('@')[0]}")
    show(plot, name=f"fig-{metric.lower()}-{'own' if judge == own else 'other'}", caption=f"{metric} along the training, judged by {'the classifier of the data set' if judge == own else judge} (this build).")

# %%
short = {own: "own", other: "other", INCEPTION: "inception", "evaluator": "evaluator"}
several = len(all_seeds) > 1
for r in course.itertuples():
    run.record(paper="scoregan" if r.metric in ("IS", "FID") and r.judge == other else "ours", row=r.run, column=f"{r.step}, {r.judge}",
               exhibit="Figure 3" if r.metric in ("IS", "FID") and r.judge == other else "along the training", metric=r.metric, value=r.value,
               standard_error=r.standard_error, n=r.n, seeds=r.seeds, dataset=dataset,
               key=f"{r.run.lower()}-{r.metric.lower().replace(' ', '-')}-{short[r.judge]}-{r.step}")  # fmt: skip
# %%
for r in real.itertuples():
    run.record(paper="ours", exhibit="along the training", row="real images", column=r.judge, metric=r.metric, value=r.value,
               standard_error=r.standard_error, n=r.n, seeds=r.seeds, dataset=dataset, key=f"real-{r.metric.lower()}-{short[r.judge]}")  # fmt: skip
show_table(course[course["step"] == last].drop(columns=["step", "seeds", "n"]), name="tbl-last", caption="Both models at the end, by each judge (this build).")

# %% [markdown]
# ### The text's two statements
#
# After a third of the training ControlGAN is nearly where it ends, by its Inception score, and ScoreGAN is not; and in the second half
# ScoreGAN's FID falls by more. The printed percentages stand beside ours on the paper's data ({doc}`cifar`).

# %%
late = late_progress(judged)
found = paired_differences(late, [("ScoreGAN", "ControlGAN")], by=["judge", "metric"])

# %%
by_model = combine_seeds(late.assign(standard_error=0.0, n=preset.judged), by=["judge", "metric", "run"])
for r in by_model[by_model["judge"] == other].itertuples():
    run.record(paper="scoregan", exhibit="Figure 3 text", row=r.run, column=dataset, metric=r.metric, value=r.value,
               standard_error=r.standard_error if several else None, n=r.n, seeds=r.seeds, dataset=dataset)  # fmt: skip
# %%
for r in found.itertuples():
    run.record(paper="scoregan" if r.judge == other else "ours", exhibit="Figure 3 text" if r.judge == other else "late progress", row=r.name, column=r.judge,
               metric=r.metric, value=r.value, standard_error=r.standard_error if r.pairs > 1 else None, n=r.pairs, seeds=r.seeds, dataset=dataset,
               key=f"late-{'fid' if r.metric == LATE_FALL else 'is'}-{short[r.judge]}")  # fmt: skip
show_table(by_model[["judge", "metric", "run", "value"]], name="tbl-late", caption="Late progress of both models by each judge (this build).", digits=1)

# %% [markdown]
# The committed trainings end while both models still learn. There ScoreGAN's FID is the higher one, by both judges:
# {num}`cpu:2_scoregan/training.scoregan-fid-own-360|.0f` against {num}`cpu:2_scoregan/training.controlgan-fid-own-360|.0f` in the classifier's space. Of late
# progress nothing can be said: the difference of the falls of FID in the second half is
# {num}`cpu:2_scoregan/training.late-fid-other|.0f` percent points.
#
# ## What a step costs
#
# The evaluator sees one batch of generated and one of real images in each step of the generator; the discriminator, five of each.
# The same number of steps is not the same time.

# %%
seconds = step_seconds({name: (mine, name) for name in pair}, count=timed)
ratio = float(np.median(seconds["ScoreGAN"] / seconds["ControlGAN"]))
run.record(paper="ours", exhibit="cost", row="ScoreGAN over ControlGAN", column="seconds a step", metric="ratio", value=ratio, n=timed, dataset=dataset, key="cost-ratio")
# %%
equal = at_equal_seconds(judged[judged["judge"] != "evaluator"], {"ControlGAN": 1.0, "ScoreGAN": ratio})
# %%
for r in paired_differences(equal, [("ScoreGAN", "ControlGAN")], by=["judge", "metric"]).itertuples():
    run.record(paper="ours", exhibit="equal seconds", row=r.name, column=r.judge, metric=f"{r.metric} difference", value=r.value,
               standard_error=r.standard_error if r.pairs > 1 else None, n=r.pairs, seeds=r.seeds, dataset=dataset, key=f"seconds-{r.metric.lower().replace(' ', '-')}-{short[r.judge]}")  # fmt: skip
run.table("equal seconds")[["row", "column", "metric", "value"]]

# %% [markdown]
# In the committed run a step with the evaluator takes {num}`cpu:2_scoregan/training.cost-ratio|.2f` times as long. {doc}`cost` has more on this, and what bfloat16 saves.
#
# ## Other scores, and none but a score
#
# All runs at their end, by the judges and by the evaluator that guided.

# %%
rest = [bench.judge_run(name, steps=[last]) for bench, runs in guided.items() for name in runs]
everyone = pd.concat([judged[(judged["step"] == last) & judged["seed"].isin([bench.study.seed for bench in guided])], *rest], ignore_index=True)
beside = combine_seeds(everyone, by=["run", "judge", "metric"])
for r in beside[~beside["run"].isin(pair)].itertuples():
    run.record(paper="ours", exhibit="other scores", row=r.run, column=r.judge, metric=r.metric, value=r.value, standard_error=r.standard_error,
               n=r.n, seeds=r.seeds, dataset=dataset, key=f"{r.run.lower().replace(' ', '-').replace(',', '')}-{r.metric.lower().replace(' ', '-')}-{short[r.judge]}")  # fmt: skip
# %%
table = beside.assign(column=beside["metric"] + ", " + beside["judge"].map(short)).pivot(index="run", columns="column", values="value").loc[list(SCORE_RUNS)]
show_table(table.reset_index(), name="tbl-others", caption="Each run at its end: Inception score by each network, FID in each judge's space, share of images of the class asked for; mean over seeds (this build).")

# %% [markdown]
# Against ControlGAN, seed by seed. The log of the FID is compared, since a distance that is twice as large is as much worse at any size.

# %%
logs = everyone[everyone["metric"] == "FID"].assign(metric="log FID", value=lambda t: np.log(t["value"]))
contrasts = [(name, "ControlGAN") for name in ("ScoreGAN", *beside_pair)]
whole = pd.concat([everyone, logs]).query("run != @printed and metric in ['IS', 'log FID']")
against = paired_differences(whole, contrasts, by=["judge", "metric"])
for r in against[against["judge"] != "evaluator"].itertuples():
    run.record(paper="ours", exhibit="other scores", row=r.name, column=r.judge, metric=f"difference of {r.metric}", value=r.value, n=r.pairs, seeds=r.seeds, dataset=dataset,
               standard_error=r.standard_error if r.pairs > 1 else None, key=f"against-{r.name.split(' minus')[0].lower().replace(' ', '-')}-{r.metric.lower().replace(' ', '-')}-{short[r.judge]}")  # fmt: skip
# %%
drawn = against[(against["metric"] == "log FID")].assign(run=against["name"].str.removesuffix(" minus ControlGAN"), error=against["half_width"] / 1.959964, label=against["judge"].map(short))
plot = bars(drawn, x="label", y="value", by="run", error="error" if len(guided) > 1 else None, ylabel="log FID minus ControlGAN's")
show(plot, name="fig-others", caption="What each score does to the log of the FID, by the judges; below nought is better (this build; intervals of 95 % over seeds).")

# %%
shown = [*pair, "score alone"]
grid = image_grid(torch.cat([mine.images(name, 10) for name in shown]), columns=10, row_labels=shown)
show(grid, name="fig-runs", caption="Ten images of three runs, one a class, of the same latents (this build).")

# %% [markdown]
# ## Where it fails: what the evaluator likes
#
# If images were adversarial to the evaluator, its own score would rise more than that of a judge. The bars are each
# network's Inception score as a share of what real images get from it.

# %%
level = real[real["metric"] == "IS"].set_index("judge")["value"]
likes = beside[beside["metric"] == "IS"].assign(share=lambda t: t["value"] / t["judge"].map(level), label=lambda t: t["judge"].map(short))
plot = bars(likes[likes["run"].isin(shown)], x="run", y="share", by="label", ylabel="IS as a share of real images'")
show(plot, name="fig-likes", caption="Inception score of three runs by three networks, as a share of that of real images (this build).")

# %%
ends = pd.concat([judged[judged["step"] == last], *rest]).query("metric == 'IS'")
by_judge = ends.assign(value=ends["value"] / ends["judge"].map(level)).pivot(index=["run", "seed"], columns="judge", values="value")
excess = (by_judge["evaluator"] - by_judge[other]).rename("value").reset_index().assign(metric="excess of the evaluator's IS")
# %%
for name in SCORE_RUNS[1:]:
    (r,) = paired_differences(excess[excess["seed"].isin(excess[excess["run"] == name]["seed"])], [(name, "ControlGAN")]).itertuples()
    run.record(paper="scoregan" if name == "ScoreGAN" else "ours", exhibit="Figure 3" if name == "ScoreGAN" else "evaluator's excess", row=r.name, column=dataset,
               metric=r.metric, value=r.value, standard_error=r.standard_error if r.pairs > 1 else None, n=r.pairs, seeds=r.seeds, dataset=dataset,
               key="excess-" + name.lower().replace(" ", "-").replace(",", ""))  # fmt: skip
excess.pivot(index="run", columns="seed", values="value")

# %% [markdown]
# In the committed runs **the score did what Barratt and Sharma warn of, although it was auxiliary and bounded**: the evaluator's Inception
# score of ScoreGAN's images is {num}`cpu:2_scoregan/training.scoregan-is-evaluator-360|.1f` against ControlGAN's
# {num}`cpu:2_scoregan/training.controlgan-is-evaluator-360|.1f`, that of the other ImageNet network
# {num}`cpu:2_scoregan/training.scoregan-is-other-360|.1f` against {num}`cpu:2_scoregan/training.controlgan-is-other-360|.1f`. In shares of real images'
# scores the evaluator's excess over the judge grew by {num}`cpu:2_scoregan/training.excess-scoregan|.2f`; for the score alone, by
# {num}`cpu:2_scoregan/training.excess-score-alone|.2f`. Below real images' score, where the bound does nothing, the only thing that holds the score
# back is its weight against the discriminator's; the paper's one half is not little for networks as small as these.
#
# **The paper's future work** does neither harm nor good that three seeds could vouch for. With the distance of batch moments as the score the log of the FID
# differs from ControlGAN's by {num}`cpu:2_scoregan/training.against-fid-as-the-score-log-fid-other|+.2f` in Lite2's space and by
# {num}`cpu:2_scoregan/training.against-fid-as-the-score-log-fid-own|+.2f` in the classifier's; with this library's density,
# {num}`cpu:2_scoregan/training.against-density-as-the-score-log-fid-other|+.2f` and {num}`cpu:2_scoregan/training.against-density-as-the-score-log-fid-own|+.2f`. Neither
# is seen to please the evaluator more than the judge ({num}`cpu:2_scoregan/training.excess-fid-as-the-score|+.2f` and {num}`cpu:2_scoregan/training.excess-density-as-the-score|+.2f`).
#
# **The score alone**, by contrast, takes the evaluator to {num}`cpu:2_scoregan/training.score-alone-is-evaluator|.1f`, near real images'
# {num}`cpu:2_scoregan/training.real-is-evaluator|.1f`, with images of which the data set's own classifier thinks nothing: a score of
# {num}`cpu:2_scoregan/training.score-alone-is-own|.1f` beside real images' {num}`cpu:2_scoregan/training.real-is-own|.1f`, and in its space the largest distance of all runs.
#
# The printed bound gave ControlGAN's images to the last bit: their mean difference is {num}`cpu:2_scoregan/training.printed-apart|.0f`. And the share of
# images of the class asked for, {num}`cpu:2_scoregan/training.controlgan-label-accuracy-own-360|.2f`, is chance: in so short a training the classifier is
# not heard. {doc}`cifar` measures why.
#
# ## Differences from the paper
#
# ```{deviations} 2_scoregan/training
# ```
#
# ## What to try
#
# - `others=1` trains the runs beside the paper's two for the first seed alone.
# - `profile=paper` on a GPU has the paper's width and length.
# - Several GPUs: `giqa_lib.distributed.share_training`, with Lightning's Fabric. A test of the library trains ScoreGAN in one and in two processes and holds
#   their images against each other.

# %%
record = run.save(output)
