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
# # What a step costs
#
# An auxiliary score is one more network in every step of the generator. **How large may the evaluator see, before a step costs more
# than half as much again? And what do shorter numbers save, at what price?**
#
# ```{reproduce} 2_scoregan/cost
# ```
#
# ## What the paper claims
#
# Nothing: {cite:t}`lee2022scoregan` compare both models after equal iterations and give no seconds. A score that makes steps dearer must be
# worth the steps that it costs, so {doc}`training` and {doc}`cifar` also compare after equal seconds, with the ratio that is measured here.

# %% tags=["parameters"]
profile: str = "quick"  # quick | cpu | paper: sizes and lengths of training
dataset: str = "fashion-mnist"  # a labelled data set with the splits train and test
seed: int = 0  # the first seed; each seed has its own split, classifier and trainings
device: str = "cpu"  # cpu or cuda
output: str = ""  # folder for the record; empty: none is written
seeds: int = 0  # how many seeds are trained in both arithmetics; 0: the profile's
timed: int = 6  # steps of each model that are timed, in turn
sides: list[int] = [32, 48, 64, 96]  # sizes in pixels that the evaluator may see
widths: list[int] = []  # widths of the networks that are timed in both arithmetics; empty: the profile's
allowed: float = 1.5  # how many times the baseline's step a step may cost

# %% tags=["hide-input"]
from dataclasses import replace

import numpy as np
import pandas as pd
import torch

from giqa_lib.applications.scoregan import SCORE_PRESETS, ScoreStudy, step_operations, step_seconds
from giqa_lib.applications.snapshots import PRESETS, Study
from giqa_lib.evaluation import combine_seeds, paired_differences
from giqa_lib.figures import bars, curves
from giqa_lib.gan import CountedOperations, computes_bfloat16
from giqa_lib.results import Run, show, show_table
from giqa_lib.store import default_store

# %% tags=["hide-input"]
names = ("profile", "dataset", "seed", "device", "output", "seeds", "timed", "sides", "widths", "allowed")
run = Run("2_scoregan/cost", {name: globals()[name] for name in names})
all_seeds = list(range(seed, seed + (seeds or {"quick": 1, "cpu": 3, "paper": 3}[profile])))
several, preset = len(all_seeds) > 1, SCORE_PRESETS[profile]
benches = [ScoreStudy(Study(PRESETS[profile], dataset=dataset, seed=one, store=default_store(), device=device), preset) for one in all_seeds]
small = replace(SCORE_PRESETS["cpu"], batch_size=8, guide=replace(SCORE_PRESETS["cpu"].guide, batch_size=8))
counted_as = ScoreStudy(benches[0].study, small if profile == "quick" else preset)  # the quick profile's networks are all but nothing beside an evaluator

# %% [markdown]
# ## By hand: one convolution
#
# Of $c$ channels to $c$, three pixels a side, over an image of side $s$: one multiplication and one addition for each weight
# at each place, $2 \cdot 9 c^2 s^2$. Twice the side is four times the work. What counts the operations below must find the same.

# %%
rows = []
for side in (8, 16, 32):
    with CountedOperations() as counted:
        torch.nn.Conv2d(8, 8, 3, padding=1)(torch.zeros(1, 8, side, side))
    rows.append({"side": side, "counted": counted.total, "by the formula": 2 * 9 * 8**2 * side**2})
by_hand = pd.DataFrame(rows)
# %%
gap = float((by_hand["counted"] / by_hand["by the formula"] - 1).abs().max())
run.record(paper="ours", exhibit="control", row="operations of a convolution, counted and by the formula", column="pass" if gap == 0 else "FAIL",
           metric="largest relative difference", value=gap, n=len(by_hand), dataset="synthetic", key="counted")  # fmt: skip
show_table(by_hand, name="tbl-by-hand", caption="Operations of one convolution of eight channels to eight.", digits=0)

# %% [markdown]
# ## The evaluator's size: operations
#
# A step of the generator goes with five of the discriminator, each with its gradient penalty. The evaluator sees one batch of generated images, with
# gradients, and one of real images, without. Operations do not depend on what else the machine does.

# %%
plain, chosen = step_operations(counted_as, "ControlGAN"), counted_as.preset.evaluator_size
seen = {side: step_operations(ScoreStudy(counted_as.study, replace(counted_as.preset, evaluator_size=side)), "ScoreGAN") / plain for side in {*sides, chosen}}
run.record(paper="ours", exhibit="control", row=f"with the evaluator at {chosen} pixels a step costs at most {allowed} times the baseline's", column="pass" if seen[chosen] <= allowed else "FAIL",
           metric="ratio of operations", value=seen[chosen], n=1, dataset=dataset, key="operations-ratio")  # fmt: skip
for side, ratio in seen.items():
    run.record(paper="ours", exhibit="operations", row="ScoreGAN over ControlGAN", column=f"{side} pixels", metric="ratio", value=ratio, n=1, dataset=dataset,
               key=f"operations-{side}")  # fmt: skip
# %%
sized = pd.DataFrame({"side": sorted(seen), "ratio": [seen[side] for side in sorted(seen)], "what": "ScoreGAN over ControlGAN"})
lines = pd.concat([sized, sized.assign(ratio=allowed, what="what is allowed")])
plot = curves(lines, x="side", y="ratio", by="what", xlabel="pixels a side that the evaluator sees", ylabel="operations, times ControlGAN's")
show(plot, name="fig-operations", caption="Operations of a training step with the score, by the size that the evaluator sees (this build).")

# %% [markdown]
# {doc}`architecture` asks from which size on the score can tell real images from blurred ones: it takes 48 pixels, not 32. That size costs
# {num}`cpu:2_scoregan/cost.operations-48|.2f` times the baseline's operations at this width; 64 pixels, {num}`cpu:2_scoregan/cost.operations-64|.2f` times,
# and 96, {num}`cpu:2_scoregan/cost.operations-96|.2f` times. The wider the two players, the less the evaluator weighs.
#
# ## Seconds

# %%
seconds = step_seconds({name: (counted_as, name) for name in ("ControlGAN", "ScoreGAN")}, count=timed)
ratio = float(np.median(seconds["ScoreGAN"] / seconds["ControlGAN"]))
run.record(paper="ours", exhibit="cost", row="ScoreGAN over ControlGAN", column="seconds a step", metric="ratio", value=ratio, n=timed, dataset=dataset, key="seconds-ratio")
show_table(seconds.describe().loc[["min", "50%", "max"]].rename(index={"50%": "median"}).reset_index(names="seconds a step"), name="tbl-seconds", caption="Steps of both models, timed in turn (this build).")

# %% [markdown]
# In the committed run a step with the score takes {num}`cpu:2_scoregan/cost.seconds-ratio|.2f` times as long as one without.
#
# ## In bfloat16
#
# Both players may compute in a format with eight bits of precision, which newer processors multiply faster; weights, losses and the optimisers stay in
# float32, and so do the evaluator and the classifier: a score is a small difference of large logarithms. Seconds of a step of ControlGAN, by width.

# %%
columns = widths or {"quick": [4, 8], "cpu": [16, 32, 64, 128], "paper": [256]}[profile]
timings = []
for width in columns:
    both = {word: (ScoreStudy(benches[0].study, replace(preset, width=width, arithmetic=word)), "ControlGAN") for word in ("float32", "bfloat16")}
    found = step_seconds(both, count=min(timed, 3))
    timings.append({"width": width, "float32": found["float32"].median(), "bfloat16": found["bfloat16"].median(), "ratio": float((found["bfloat16"] / found["float32"]).median())})
timings = pd.DataFrame(timings)
# %%
for r in timings.itertuples():
    run.record(paper="ours", exhibit="bfloat16", row="bfloat16 over float32, ControlGAN", column=f"width {r.width}", metric="ratio of seconds", value=r.ratio, n=min(timed, 3), dataset=dataset,
               note="the processor has it" if computes_bfloat16(device) else "emulated: the processor lacks it", key=f"bfloat16-{r.width}")  # fmt: skip
show_table(timings, name="tbl-bfloat16", caption="Median seconds of a step of ControlGAN in both arithmetics, by width (this build).", digits=2)

# %% [markdown]
# ### What it does to the images
#
# ControlGAN of each seed once more, from the same weights and of the same images, latents and labels. Rounding sends a training another way, as another
# seed would: the question is whether the differences have a direction, and how they compare with the spread that seeds make.

# %%
last, pair = preset.steps[-1], ["float32", "bfloat16"]
judged = pd.concat([ScoreStudy(bench.study, replace(preset, arithmetic=word)).judge_run("ControlGAN", steps=[last]).assign(run=word)
                    for bench in benches for word in pair], ignore_index=True)  # fmt: skip
judged = judged[judged["judge"] != "evaluator"]
logs = judged[judged["metric"] == "FID"].assign(metric="log FID", value=lambda t: np.log(t["value"]))
effect = paired_differences(pd.concat([judged, logs]), [("bfloat16", "float32")], by=["judge", "metric"])
# %%
for r in effect.itertuples():
    run.record(paper="ours", exhibit="bfloat16", row="bfloat16 minus float32, ControlGAN", column=r.judge, metric=f"difference of {r.metric}", value=r.value,
               standard_error=r.standard_error if several else None, n=r.pairs, seeds=r.seeds, dataset=dataset,
               key=f"effect-{r.metric.lower().replace(' ', '-')}-{'own' if r.judge == 'classifier' else 'inception' if r.judge.startswith('inception') else 'other'}")  # fmt: skip
show_table(effect[["judge", "metric", "value", "half_width"]], name="tbl-effect", caption="bfloat16 minus float32 after the last step, mean over seeds and half width of the 95 % interval (this build; none from one seed).")
# %%
both = combine_seeds(judged[judged["metric"] == "FID"], by=["judge", "run"])
plot = bars(both.assign(value=np.log(both["value"]), error=both["standard_error"] / both["value"]), x="judge", y="value", by="run", error="error" if several else None, ylabel="log FID of ControlGAN")
show(plot, name="fig-effect", caption="ControlGAN's log FID in both arithmetics, by the judges (this build; bars are over seeds).")

# %% [markdown]
# ## Where it fails: narrow networks
#
# A processor's unit for short numbers multiplies blocks of many channels. With few channels there is little to multiply and much to move, cast and normalise.
# At the width of the committed trainings a step in bfloat16 takes {num}`cpu:2_scoregan/cost.bfloat16-16|.2f` times as long as in float32, at 128 channels
# {num}`cpu:2_scoregan/cost.bfloat16-128|.2f` times: the saving comes with the paper's widths, not with this book's. So the committed trainings stay in
# float32.
#
# What three pairs say of its effect: the log FID moves by {num}`cpu:2_scoregan/cost.effect-log-fid-own|+.2f` in the classifier's space and by
# {num}`cpu:2_scoregan/cost.effect-log-fid-other|+.2f` in Lite2's. An interval as wide as that excludes no more than a gross harm.
#
# ## Differences from the paper
#
# ```{deviations} 2_scoregan/cost
# ```
#
# ## What to try
#
# - `profile=paper device=cuda`: the paper's width on a GPU, where bfloat16 has units of its own.
# - `sides=[224]`: the evaluator at the size that it was trained for.
# - Several GPUs: `giqa_lib.distributed.share_training` gives each process a share of the batch, and the gradients, the batch norms' statistics and the score of a
#   batch are those of the whole. A test of the library trains ScoreGAN in one and in two processes and holds their weights against each other.

# %%
record = run.save(output)
