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
# # Hard mining: does a GAN learn more from its worst images?
#
# A score of single images can act during the training: generated images of low quality are given
# more weight in the loss. **Is the generator better for it, and is it the aim that helps, or only the weight?**
#
# ```{reproduce} 1_giqa/ohem
# ```
#
# ## What the paper claims
#
# {cite:t}`gu2020giqa` train StyleGAN on faces and on cats with online hard mining (OHEM, after
# {cite:t}`shrivastava2016ohem`): in the discriminator's loss a generated image counts twice if its
# GIQA score is below a threshold,
#
# $$ w(I) = \begin{cases} w_l & s(I) < T_q \\ 1 & \text{otherwise} \end{cases} \qquad w_l = 2,\; T_q = 0.2, $$ (eq-ohem)
#
# and find a lower FID and a higher quality score than without, and lower and higher still where the image
# picker keeps the best nine tenths afterwards (Table 5). Each number is from one training.
#
# ```{claims} 1_giqa/ohem
# ```

# %% tags=["parameters"]
profile: str = "quick"  # quick | cpu | paper: sizes and lengths of training
dataset: str = "fashion-mnist"  # a data set with the splits train and test
seed: int = 0  # the first seed; each seed has its own split, classifier and GANs
device: str = "cpu"  # cpu or cuda
output: str = ""  # folder for the record; empty: none is written
seeds: int = 0  # how many seeds, each with a run of every kind; 0: the profile's
length: float = 0.0  # share of the plain run's steps after which all runs are judged; 0: the profile's
threshold: float = 0.2  # T_q, on the calibrated score
weight: float = 2.0  # w_l
kept: float = 0.9  # share of the images that the picker keeps

# %% tags=["hide-input"]
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import torch

from giqa_lib.applications.generators import JUDGE_PRESETS, MINING_RUNS, GeneratorJudge, MiningRuns, judge_run, mining_weights, resting_share
from giqa_lib.applications.snapshots import PRESETS, Study
from giqa_lib.evaluation import combine_seeds, paired_differences
from giqa_lib.figures import bars, curves, image_grid, sorted_strip
from giqa_lib.gan import NON_SATURATING
from giqa_lib.results import Run, show, show_table
from giqa_lib.scores import StarvedComponentWarning
from giqa_lib.store import default_store

# %% tags=["hide-input"]
warnings.simplefilter("ignore", StarvedComponentWarning)  # the quick profile's DS fits on few images
all_seeds = list(range(seed, seed + (seeds or {"quick": 1, "cpu": 3, "paper": 5}[profile])))
length = length or {"quick": 0.25, "cpu": 0.5, "paper": 1.0}[profile]
names = ("profile", "dataset", "seed", "device", "output", "seeds", "length", "threshold", "weight", "kept")
run = Run("1_giqa/ohem", {name: globals()[name] for name in names})

# %% [markdown]
# ## The runs
#
# Each seed has its own split of the images, its own classifier, and a GAN {cite:p}`radford2016dcgan` that is trained four times from
# the same initial weights, on the same batches and latents:
#
# - *plain*, as in the other chapters;
# - *OHEM*, weighted in the discriminator as in the paper;
# - *OHEM at the generator*, weighted there instead;
# - *control*: in the discriminator, but each image by the score of another image of its batch. As many images weigh as much,
#   without aim.
#
# The score is GMM-GIQA on the classifier's features, calibrated: an image's rank among held-out real
# images. It is asked anew for the images of every step.

# %%
settings = JUDGE_PRESETS[profile]
studies = [Study(PRESETS[profile], dataset=dataset, seed=one, store=default_store(), device=device) for one in all_seeds]
judges = [GeneratorJudge(study, settings, random_state=study.seed) for study in studies]
steps = [step for step in studies[0].labelled_steps if step <= length * studies[0].steps[-1]]
runs = [MiningRuns(judge, steps, threshold=threshold, weight=weight) for judge in judges]

# %% [markdown]
# ## By hand: the weights, and where they lead
#
# A score at the threshold itself is not below it.

# %%
by_hand = pd.DataFrame({"score": [0.0, 0.1, 0.2, 0.5, 1.0], "weight by hand": [2.0, 2.0, 1.0, 1.0, 1.0]})
by_hand["weight"] = mining_weights(by_hand["score"], threshold=0.2, weight=2.0)
show_table(by_hand, name="tbl-weights", caption="The weights of constructed scores.", digits=1)

# %% [markdown]
# What does a weight do to a game that both players play well? Take a generator that can make two kinds of image: those
# below the threshold, share $q$, and the others. **Of real images too a share $p = T_q$ lies below the threshold**:
# that is what a calibrated score means. The best discriminator's logits are
#
# $$ a_\text{low} = \log \frac{p}{w_D\, q}, \qquad a_\text{high} = \log \frac{1 - p}{1 - q}, $$ (eq-logits)
#
# and the generator moves between the kinds until $w_G \log(1 + e^{-a})$ is the same for both. Without weights that is
# at $q = p$. With $w_D = 2$ it is at $q = \tfrac{p / 2}{p / 2 + 1 - p}$: fewer low-score images than there are among
# real ones. Hard mining does not only speed up the learning of the data; it changes what is learned.

# %%
def play(critic: float, maker: float, rounds: int = 4000) -> float:
    """Share of low-score images after small steps of the generator against the best discriminator."""
    real, place = torch.tensor([0.2, 0.8], dtype=torch.float64), torch.zeros(2, dtype=torch.float64)
    for _ in range(rounds):
        logits = (real / (torch.tensor([critic, 1.0]) * place.softmax(0))).log()
        place = place - 0.2 * torch.tensor([maker, 1.0]) * NON_SATURATING.generator_loss(logits)
    return float(place.softmax(0)[0])

# %%
game = pd.DataFrame({"weight at": ["neither", "the discriminator", "the generator"], "critic": [1.0, 2.0, 1.0], "maker": [1.0, 1.0, 2.0]})
game["played out"] = [play(r.critic, r.maker) for r in game.itertuples()]
game["at rest"] = [resting_share(0.2, discriminator_weight=r.critic, generator_weight=r.maker) for r in game.itertuples()]
show_table(game.drop(columns=["critic", "maker"]), name="tbl-game", caption="Share of low-score images in the game of two kinds, if it is 0.2 of real images: played out, and where it must rest.", digits=4)

# %%
right = np.abs(game["played out"] - game["at rest"]).max() < 1e-4 and abs(game["at rest"][1] - 1 / 9) < 1e-9
for r in game.itertuples():
    run.record(paper="ours", exhibit="control", row=f"two kinds of images, weight at {r._1}", column="pass" if right else "FAIL",
               metric="share of low-score images at rest", value=r._5, dataset="synthetic", key=f"rest-{r._1.split()[-1]}")  # fmt: skip

# %% [markdown]
# ## What is weighted
#
# Images of the plain run at its end in the order of their score; those below the threshold are the ones that weigh twice.

# %%
mine, count = runs[0], {"quick": 250, "cpu": 2000, "paper": 5000}[profile]
images = mine.images("plain", count, step=studies[0].steps[-1])
plot = sorted_strip(images, mine.score(images), count=36, rows=3, score_name="calibrated score")
show(plot, name="fig-sorted", caption="Generated images of the plain run by the mining score, sampled along its range.")

# %% [markdown]
# ## Does mining reduce the images that it weights?

# %%
shares = pd.concat(one.low_shares(MINING_RUNS, count) for one in runs)
lines = combine_seeds(shares, by=["run", "step"])
plot = curves(lines, x="step", y="value", error="standard_error", by="run", xlabel="training step", ylabel="share of images below the threshold")
show(plot, name="fig-shares", caption="Share of generated images below the threshold by training step, mean over seeds.")

# %%
ends = shares[shares.step.isin([steps[0], steps[-1]])].assign(metric=lambda t: np.where(t.step == steps[0], "first", "last"))
for r in combine_seeds(ends, by=["run", "metric"]).itertuples():
    run.record(paper="ours", exhibit="low-score images", row=r.run, column=f"{r.metric} snapshot", metric="share below the threshold", value=r.value,
               standard_error=r.standard_error, n=r.n, seeds=r.seeds, dataset=dataset, key=f"low-{r.run.split()[-1].lower()}-{r.metric}")  # fmt: skip

# %% [markdown]
# ## Table 5
#
# Every run is judged at the same step, in two feature spaces: the score's own, as in the paper, where the score marks its own work, and
# that of EfficientNet-Lite0, trained on ImageNet, which no training saw. The picker keeps the best share by the mining score.

# %%
other = replace(settings, space="efficientnet_lite0@64", fitted=min(settings.fitted, 10_000))
parts = []
for one in runs:
    for judge in (one.judge, GeneratorJudge(one.study, other, random_state=one.study.seed)):
        parts += [judge_run(one, name, judge) for name in MINING_RUNS]
        parts.append(judge_run(one, "OHEM", judge, kept=kept))
judged = pd.concat(parts)

# %%
table = combine_seeds(judged, by=["space", "run", "metric"])
short = {"plain": "plain", "OHEM": "ohem", "OHEM + picker": "picked", "OHEM at the generator": "generator", "control": "control"}
for r in table.itertuples():
    own = r.space == settings.space
    run.record(paper="giqa", exhibit="Table 5", row=r.run, column=r.space, metric=r.metric, value=r.value, standard_error=r.standard_error,
               n=r.n, seeds=r.seeds, dataset=dataset, key=f"{short[r.run]}-{r.metric.lower()}" + ("" if own else "-other"))  # fmt: skip
wide = table.pivot(index=["space", "run"], columns="metric", values="value")[["FID", "QS", "DS", "recall", "coverage"]]
show_table(wide.reset_index(), name="tbl-judged", caption="Each run's last generator in two feature spaces, mean over seeds (this build).", digits=3)

# %% [markdown]
# ```{comparison} giqa / Table 5
# ```
#
# ## The differences that the claims rest on
#
# Runs of one seed are compared with each other. Differences between seeds are then all the noise there is, and three pairs give a wide
# interval: Student's, which for three pairs reaches more than twice as far as the usual two standard errors. The difference of the logarithms of
# two FIDs is, where it is small, the relative difference.

# %%
fid = judged[judged.metric == "FID"].assign(metric="log FID", value=lambda t: np.log(t.value))
pairs = [("OHEM", "plain"), ("OHEM at the generator", "plain"), ("control", "plain"), ("OHEM", "control"), ("OHEM + picker", "OHEM")]
found = paired_differences(pd.concat([judged, fid]), pairs, by=["space", "metric"])
low = paired_differences(ends, pairs[:4], by=["metric"]).query("metric == 'last'").assign(metric="share below the threshold", space=settings.space)
found = pd.concat([found, low], ignore_index=True)

# %%
for r in found.itertuples():
    own, (better, _, base) = r.space == settings.space, r.name.partition(" minus ")
    run.record(paper="giqa", exhibit="Table 5", row=r.name, column=r.space, metric=f"{r.metric} difference", value=r.value,
               standard_error=r.standard_error if r.pairs > 1 else None, n=r.pairs, seeds=r.seeds, dataset=dataset,
               key="-".join(("d", short[better], short[base], *r.metric.lower().split())) + ("" if own else "-other"))  # fmt: skip

# %%
main = found[found.metric.isin(["log FID", "QS", "DS", "share below the threshold"]) & (found.space == settings.space)]
seen = main.assign(**{f"seed {one}": [each[i] for each in main.differences] for i, one in enumerate(all_seeds)})
show_table(seen[["name", "metric", "value", "half_width", *(f"seed {one}" for one in all_seeds)]], name="tbl-differences",
           caption="Differences between runs of one seed in the score's own feature space: mean, half width of the 95 % interval, and by seed (this build).", digits=4)  # fmt: skip

# %%
drawn = found[found.metric.isin(["log FID", "QS", "DS"])].assign(label=lambda t: t.metric + ", " + t.space.str.partition("_")[0], error=lambda t: t.half_width / 1.959964)
plot = bars(drawn, x="label", y="value", error="error", by="name", ylabel="difference")
show(plot, name="fig-differences", caption="Differences between runs of one seed, mean and Student's 95 % interval, in two feature spaces. A lower FID is better, higher QS and DS are.")

# %% [markdown]
# In the committed runs **there is no effect that three pairs of trainings could show**. $\log$ FID of OHEM minus plain is
# {num}`cpu:1_giqa/ohem.d-ohem-plain-log-fid|.3f` in the space that weights and {num}`cpu:1_giqa/ohem.d-ohem-plain-log-fid-other|.3f` in the other; QS
# moves by {num}`cpu:1_giqa/ohem.d-ohem-plain-qs|.3f`, DS by {num}`cpu:1_giqa/ohem.d-ohem-plain-ds|.3f`. The control, which has the
# weight without the aim, moves log FID by {num}`cpu:1_giqa/ohem.d-control-plain-log-fid|.3f`, the weights at the generator by
# {num}`cpu:1_giqa/ohem.d-generator-plain-log-fid|.3f`. The picker after OHEM raises log FID by {num}`cpu:1_giqa/ohem.d-picked-ohem-log-fid|.3f` in
# its own space. The paper's falls are of three in a hundred, from one training each.
#
# The share of images below the threshold is {num}`cpu:1_giqa/ohem.low-plain-last|.3f` at the end of the plain runs,
# {num}`cpu:1_giqa/ohem.low-ohem-last|.3f` with OHEM and {num}`cpu:1_giqa/ohem.low-control-last|.3f` with the control, having begun at
# {num}`cpu:1_giqa/ohem.low-plain-first|.2f`; of real images it is {num}`cpu:1_giqa/ohem.low-real|.3f`.
#
# ## Where it fails: real images are mined too, and at first everything is
#
# Two limits need no training to be seen. By calibration a fifth of *real* images lies below the paper's threshold, for being rare
# rather than bad; a generator that makes their like is told not to. And as long as nearly all images lie below it, all weigh
# alike: what is left is a heavier loss of generated images, which is what the control measures. The quick profile's
# generator hardly gets beyond that: mining and its control are nearly the same training there.

# %%
real = studies[0].real.tensor()
scores = mine.score(real)
lowest, rest = np.flatnonzero(scores < threshold)[:24], np.flatnonzero(scores >= threshold)[:24]
grid = image_grid(real[np.concatenate([lowest, rest])], columns=12, row_labels=["below", "below", "above", "above"])
show(grid, name="fig-real", caption="Real images that the mining score puts below the threshold, and above it.")

# %%
below = pd.DataFrame([{"seed": one.study.seed, "value": float((one.score(one.study.real.tensor()) < threshold).mean()), "n": len(one.study.real)} for one in runs])
below["standard_error"] = np.sqrt(below["value"] * (1 - below["value"]) / below["n"] * 2)  # two samples: scored, calibrating
whole = combine_seeds(below.assign(row="real"), by=["row"]).iloc[0]
real_share = run.record(paper="ours", exhibit="low-score images", row="real images", column="pass" if abs(whole.value - threshold) < 4 * whole.standard_error else "FAIL",
                        metric="share below the threshold", value=whole.value, standard_error=whole.standard_error, n=whole.n, seeds=whole.seeds, dataset=dataset, key="low-real")  # fmt: skip
real_share

# %% [markdown]
# ## Differences from the paper
#
# ```{deviations} 1_giqa/ohem
# ```
#
# ## What to try
#
# - `weight=1` is the plain training, bit for bit; `weight=0.5` turns mining around.
# - `threshold=0.05` leaves most rare real images alone.
# - `length=1.0` compares at the end of the plain run, where fewer images lie below the threshold; `seeds=10` narrows the intervals.

# %%
record = run.save(output)
