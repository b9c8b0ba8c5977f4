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
# # The image picker: keep the best
#
# Nobody shows all that a generator makes. With a score of single images one can generate more than is needed and keep
# the best. **Does that give better images than the truncation trick, and what does it cost in variety?**
#
# ```{reproduce} 1_giqa/picker
# ```
#
# ## What the paper claims
#
# {cite:t}`gu2020giqa` generate 10,000 cats with StyleGAN {cite:p}`karras2019stylegan`, keep the best share $r$ by
# GMM-GIQA, and judge 5,000 of the rest (their Table 4). Beside it stands StyleGAN's own way to trade variety for
# quality: styles drawn to their average by $\psi = r$,
#
# $$ w' = \bar w + \psi\,(w - \bar w). $$ (eq-truncation)
#
# Keeping nine tenths improves FID, the picker does better than truncation at every rate, and QS and DS show why.
# The score that picks is the one that QS is the mean of: the picker marks its own work. Here a second feature
# space, which had no part in the picking, judges too.
#
# ```{claims} 1_giqa/picker
# ```

# %% tags=["parameters"]
profile: str = "quick"  # quick | cpu | paper: sizes and lengths of training
dataset: str = "fashion-mnist"  # a data set with the splits train and test
seed: int = 0  # the first seed; each seed has its own split, classifier and generator
device: str = "cpu"  # cpu or cuda
output: str = ""  # folder for the record; empty: none is written
seeds: int = 0  # how many seeds; 0: the profile's
generator: str = "dcgan"  # dcgan | stylegan | pggan | wgan-gp: whose images are picked in Table 4
second_generator: str = "stylegan"  # the same once more for another family; empty: none
neighbours: int = 100  # neighbours K of KNN-GIQA as a picker
other_space: str = "efficientnet_lite0@64"  # the feature space that judges but does not pick

# %% tags=["hide-input"]
import re
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import torch
from scipy.stats import norm

from giqa_lib.applications.generators import JUDGE_PRESETS, NO_PICKING, GeneratorJudge, PickerStudy
from giqa_lib.applications.giqa import LEARNED_PRESETS, LearnedStudy
from giqa_lib.applications.snapshots import FAMILY_PRESETS, PRESETS, Study, family_snapshots
from giqa_lib.evaluation import combine_seeds, frechet_distance, paired_differences
from giqa_lib.figures import bars, best_and_worst, curves, image_grid
from giqa_lib.results import Run, show, show_table
from giqa_lib.scores import KNearestNeighbours, RankCalibration, StarvedComponentWarning, even_thresholds, mbc, pick
from giqa_lib.store import default_store

# %% tags=["hide-input"]
warnings.simplefilter("ignore", StarvedComponentWarning)  # the quick profile's DS fits on few images
all_seeds = list(range(seed, seed + (seeds or {"quick": 1, "cpu": 3, "paper": 3}[profile])))
quick, settings = profile == "quick", JUDGE_PRESETS[profile]
rates = [0.9, 0.7, 0.5] if quick else [0.9, 0.8, 0.7, 0.6, 0.5]
some_rates = [0.5] if quick else [0.9, 0.7, 0.5]  # of what is not in the paper's table
names = ("profile", "dataset", "seed", "device", "output", "seeds", "generator", "second_generator", "neighbours", "other_space")
run = Run("1_giqa/picker", {name: globals()[name] for name in names})

# %% [markdown]
# ## By hand: a generator whose answers are known
#
# Real images are the standard normal distribution, and so are generated ones: a perfect generator, and nothing to improve.
# Keeping the share $r$ of highest density keeps $|x| < a$ with $\Phi(a) = (1 + r) / 2$, of standard
# deviation $\sqrt{1 - 2 a \varphi(a) / r}$; truncation draws with standard deviation $\psi$. Both only narrow it.
# The Fréchet distance is $(1 - \sigma)^2$; the mean rank of what is kept is $1 - r / 2$, of what is truncated
# $1 - \tfrac{2}{\pi} \arctan \psi$.

# %%
real, latents, held_out = np.random.default_rng(seed).normal(size=(3, 100_000, 1))
rank = RankCalibration().fit(norm.logpdf(held_out[:, 0]))
by_hand = []
for rate in (0.9, 0.7, 0.5):
    cut = norm.ppf((1 + rate) / 2)
    picked, truncated = latents[pick(norm.logpdf(latents[:, 0]), share=rate)], rate * latents
    by_hand += [("picker", rate, np.sqrt(1 - 2 * cut * norm.pdf(cut) / rate), picked.std(), 1 - rate / 2, rank.transform(norm.logpdf(picked[:, 0])).mean()),
                ("truncation", rate, rate, truncated.std(), 1 - 2 / np.pi * np.arctan(rate), rank.transform(norm.logpdf(truncated[:, 0])).mean())]  # fmt: skip
known = pd.DataFrame(by_hand, columns=["how", "rate", "sigma by hand", "sigma", "mean rank by hand", "mean rank"])

# %%
off = max((known["sigma"] - known["sigma by hand"]).abs().max(), (known["mean rank"] - known["mean rank by hand"]).abs().max())
run.record(paper="ours", exhibit="control", row="perfect generator in one dimension", column="pass" if off < 0.01 else "FAIL",
           metric="largest difference from the closed form", value=off, n=len(latents), seeds=[seed], dataset="synthetic", key="by-hand")  # fmt: skip
show_table(known, name="tbl-by-hand", caption="Standard deviation and mean rank of a perfect generator's images, picked and truncated, in closed form and by simulation.", digits=3)

# %% [markdown]
# **For a perfect generator both make FID worse and QS better than that of real images**: a QS above one half is no gain
# in quality. And one rate is two different knobs. The picker earns its keep where there is something to throw away. Let a
# fifth of the images be broken, far from the rest; truncation has no hold on them.

# %%
broken = np.arange(len(latents)) % 5 == 0
rows = []
for rate in np.arange(1.0, 0.45, -0.05):
    for kind, shift in (("perfect generator", 0.0), ("one in five broken", 6.0 * broken[:, None])):
        ways = {"truncated": rate * latents + shift, "picked": (latents + shift)[pick(norm.logpdf((latents + shift)[:, 0]), share=rate)]}
        rows += [{"rate": rate, "images": f"{kind}, {way}", "distance": frechet_distance(real=real, generated=made)} for way, made in ways.items()]
plot = curves(pd.DataFrame(rows), x="rate", y="distance", by="images", xlabel="rate", ylabel="Fréchet distance")
show(plot, name="fig-by-hand", caption="Fréchet distance to a standard normal distribution by rate, for a perfect generator and for one that breaks every fifth image.")

# %% [markdown]
# ## The images
#
# The generator of each seed, its images truncated to $\psi$ from the same latents. StyleGAN's styles are drawn
# to their average; a generator without styles has its latents scaled, which the paper does not do.

# %%
studies = [Study(PRESETS[profile], dataset=dataset, seed=one, store=default_store(), device=device) for one in all_seeds]


def bench(study: Study, family: str, spaces: list[str]) -> PickerStudy:
    """The family's generator with a judge in each of ``spaces``."""
    judges = [GeneratorJudge(study, replace(settings, space=space), random_state=study.seed) for space in spaces]
    return PickerStudy(judges, family_snapshots(study, family, FAMILY_PRESETS[profile]), generated=2 * settings.scored)


mine = bench(studies[0], generator, [settings.space, other_space])

# %%
shown = [1.0, *rates]
grid = image_grid(torch.cat([mine.truncated(psi)[:12] for psi in shown]), columns=12, row_labels=[f"psi {psi:g}" for psi in shown])
show(grid, name="fig-truncation", caption="Generated images of the same twelve latents, truncated (this build).")

# %% [markdown]
# ## What picks
#
# - *picker*: GMM-GIQA, here in the classifier's space; once more in that of EfficientNet-Lite0, a network trained on ImageNet;
# - *GMM, rank within class*: its rank among held-out real images of the same predicted class;
# - *GMM, same share of each class*: the best of each class by GMM, so that each keeps its share;
# - *KNN* in the classifier's space, and *MBC*, which was trained on the study's own GAN;
# - *random*: the control.

# %%
def pickers(one: PickerStudy) -> dict:
    """What picks, by name; "picker" is the paper's."""
    first, *rest = one.density_pickers()
    learned = LearnedStudy(one.study, LEARNED_PRESETS[profile]).score(mbc(even_thresholds(8)))
    made = [replace(first, name="picker"), *rest, one.density_picker("KNN", KNearestNeighbours(n_neighbors=neighbours)),
            one.image_picker("MBC", learned), one.random_picker()]  # fmt: skip
    return {picker.name: picker for picker in made}


mine_by_name = pickers(mine)
shown = {name: picker.scores for name, picker in mine_by_name.items() if picker.modes is None}
plot = best_and_worst(mine.images, shown, count=6)
show(plot, name="fig-best-worst", caption="The six best (left) and six worst (right) of the generated images by each score that picks (this build).")

# %% [markdown]
# ## Table 4
#
# Twice as many images are generated as are judged; the first of those kept are judged, in both spaces. DS is fitted
# on the judged images, since at $r = 0.5$ there are no more.

# %%
def judged_by_rate(one: PickerStudy, by_name: dict) -> pd.DataFrame:
    """The paper's two ways at every rate, the other pickers at some, and the worst half."""
    worst = replace(by_name["picker"], name="the worst", scores=-by_name["picker"].scores)
    rest = [one.judge_picked(picker, some_rates) for name, picker in by_name.items() if name != "picker"]
    return pd.concat([one.judge_unpicked(), one.judge_truncated(rates), one.judge_picked(by_name["picker"], rates),
                      *rest, one.judge_picked(worst, [0.5])])  # fmt: skip


# %%
parts = [judged_by_rate(mine, mine_by_name)]
for study in studies[1:]:
    one = bench(study, generator, [settings.space, other_space])
    parts.append(judged_by_rate(one, pickers(one)))
judged = pd.concat(parts, ignore_index=True)

# %%
def slug(*words: object) -> str:
    """A record's key of these words."""
    return re.sub("[^a-z0-9]+", "-", " ".join(map(str, words)).lower()).strip("-")


spaces = {settings.space: "own", other_space: "other", "predicted class": ""}
main = ("picker", "truncation", NO_PICKING)
table = combine_seeds(judged, by=["space", "run", "rate", "metric"])
several = len(all_seeds) > 1

# %%
for r in table[table["run"].isin(main) | table["metric"].isin(["FID", "QS", "DS", "effective classes"])].itertuples():
    printed = r.space == settings.space and r.run in main and r.metric in ("FID", "QS", "DS")
    for name in ("picker", "truncation") if printed and r.run == NO_PICKING else (r.run,):  # the paper prints it in both rows
        run.record(paper="giqa" if printed else "ours", exhibit="Table 4" if printed else f"pickers, {r.space}", row=name, column=f"{r.rate:g}", metric=r.metric,
                   value=r.value, standard_error=r.standard_error if several or r.metric != "effective classes" else None, n=r.n, seeds=r.seeds,
                   dataset=dataset, key=slug(name, r.metric, round(100 * r.rate), spaces[r.space]))  # fmt: skip

# %%
starts = [table[table["run"] == NO_PICKING].assign(run=name) for name in ("picker", "truncation")]
lines = pd.concat([table[table["run"].isin(["picker", "truncation"])], *starts])
for metric in ("FID", "QS", "DS"):
    part = lines[(lines["metric"] == metric) & (lines["space"] == settings.space)]
    plot = curves(part, x="rate", y="value", error="standard_error", by="run", xlabel="rate", ylabel=metric)
    show(plot, name=f"fig-{metric.lower()}", caption=f"{metric} by rate, truncated and picked by GMM-GIQA, judged in the space that picks (this build).")

# %% [markdown]
# ```{comparison} giqa / Table 4
# ```
#
# In the committed runs keeping fewer images raises QS from {num}`cpu:1_giqa/picker.picker-qs-100-own|.2f` to
# {num}`cpu:1_giqa/picker.picker-qs-50-own|.2f` at a rate of one half, and it raises FID too, from
# {num}`cpu:1_giqa/picker.picker-fid-100-own|.1f` to {num}`cpu:1_giqa/picker.picker-fid-50-own|.1f`, while DS falls from
# {num}`cpu:1_giqa/picker.picker-ds-100-own|.2f` to {num}`cpu:1_giqa/picker.picker-ds-50-own|.2f`: what the hand-worked case says of a generator
# that has little to throw away. A QS above one half is better than real images get; nothing there is a gain in quality. Truncation
# does worse at every rate, to an FID of {num}`cpu:1_giqa/picker.truncation-fid-50-own|.0f`; but these are scaled latents, not
# StyleGAN's styles.
#
# ### The differences that the claims rest on
#
# Within a seed the sets share latents, so runs are compared seed by seed; the interval is Student's over the seeds.
# Differences of $\log$ FID are relative differences where they are small. *Over rates* is the mean over all rates below one.

# %%
fid = judged[judged["metric"] == "FID"].assign(metric="log FID", standard_error=lambda t: t["standard_error"] / t["value"], value=lambda t: np.log(t["value"]))
compared = pd.concat([judged[judged["metric"].isin(["QS", "DS"])], fid]).query("run in @main")
at = compared.assign(run=[r.run if r.rate == 1 else f"{r.run} at {r.rate:g}" for r in compared.itertuples()])
means = compared[compared["rate"] < 1].groupby(["run", "space", "metric", "seed"], as_index=False)["value"].mean()
means["run"] += " over rates"
contrasts = [("picker at 0.9", NO_PICKING), ("picker at 0.5", NO_PICKING), ("picker at 0.5", "truncation at 0.5"), ("picker over rates", "truncation over rates")]
found = paired_differences(pd.concat([at, means]), contrasts, by=["space", "metric"])

# %%
for r in found.itertuples():
    run.record(paper="giqa", exhibit="Table 4", row=r.name, column=r.space, metric=f"{r.metric} difference", value=r.value,
               standard_error=r.standard_error if r.pairs > 1 else None, n=r.pairs, seeds=r.seeds, dataset=dataset,
               key=slug("d", r.name, r.metric, spaces[r.space]))  # fmt: skip
show_table(found[["space", "metric", "name", "value", "half_width"]], name="tbl-differences",
           caption="Differences in each space, mean over seeds and half width of the 95 % interval (this build; none from one seed).", digits=3)  # fmt: skip

# %% [markdown]
# ## Marking one's own work
#
# The rows pick; the columns judge: how FID (its logarithm) and QS change against no picking when half of the images is kept. A
# score that picks in the space where it is judged is sure of its QS. What another space sees of it is the gain.

# %%
keys = ["seed", "space", "metric"]
both = pd.concat([judged[judged["metric"].isin(["QS", "DS", "coverage"])], fid])
zero = both[both["run"] == NO_PICKING].set_index(keys)["value"]
half = both[(both["rate"] == 0.5)].copy()
half["value"] -= zero.loc[pd.MultiIndex.from_frame(half[keys])].to_numpy()
change = combine_seeds(half.assign(standard_error=0.0), by=["run", "space", "metric"])
wide = change.pivot(index="run", columns=["metric", "space"], values="value")[["log FID", "QS", "DS", "coverage"]]
wide.columns = [f"{metric}, {spaces[space]}" for metric, space in wide.columns]
show_table(wide.reset_index(), name="tbl-half", caption="Change by keeping half of the images (or truncating to one half), judged in the classifier's space (own) and in the other, mean over seeds (this build).", digits=3)

# %%
for r in change.itertuples():
    run.record(paper="ours", exhibit="keeping half minus keeping all", row=r.run, column=r.space, metric=f"{r.metric} difference", value=r.value,
               standard_error=r.standard_error if several else None, n=r.n, seeds=r.seeds, dataset=dataset,
               key=slug("half", r.run, r.metric, spaces[r.space]))  # fmt: skip
short = {f"GMM, {other_space}": "GMM, other", "GMM, rank within class": "rank in class", "GMM, same share of each class": "same shares"}
drawn = change.query("metric == 'log FID' and run not in ['random', 'the worst']")
drawn = drawn.replace({"space": {settings.space: "classifier", other_space: "the other space"}, "run": short})
plot = bars(drawn, x="run", y="value", error="standard_error" if several else None, by="space", ylabel="change of log FID")
show(plot, name="fig-half", caption="Change of log FID by keeping half of the images, judged in two spaces (this build). Below nought is better. *Rank in class* and *same shares* are the two pickers by GMM that heed the predicted class.")

# %%
for space, name in [(settings.space, "own"), (other_space, "other")]:
    part = table[(table["space"] == space) & (table["metric"] == "FID")]
    starts = [part[part["run"] == NO_PICKING].assign(run=each) for each in mine_by_name]
    part = pd.concat([part[part["run"].isin(list(mine_by_name))], *starts]).replace({"run": short})
    plot = curves(part, x="rate", y="value", error="standard_error", by="run", xlabel="share kept", ylabel="FID")
    show(plot, name=f"fig-pickers-{name}", caption=f"FID in the space {space} by the share kept, for each score that picks (this build).")

# %% [markdown]
# In the committed runs half of the images, kept by GMM, move $\log$ FID by {num}`cpu:1_giqa/picker.half-picker-log-fid-own|.2f` in the space that
# picked and by {num}`cpu:1_giqa/picker.half-picker-log-fid-other|.2f` in the other; a picker that keeps each class's share, by
# {num}`cpu:1_giqa/picker.half-gmm-same-share-of-each-class-log-fid-own|.2f` and
# {num}`cpu:1_giqa/picker.half-gmm-same-share-of-each-class-log-fid-other|.2f`: **most of the loss was variety between classes**. Only MBC,
# which learned from this generator's own snapshots, does not raise FID in a space that is not its own ({num}`cpu:1_giqa/picker.half-mbc-log-fid-other|.3f`);
# a random half changes nothing ({num}`cpu:1_giqa/picker.half-random-log-fid-other|.3f`).
#
# ## What is lost: variety
#
# A raw density prefers the classes that are simplest. How many classes the kept images are spread over, $\exp$ of
# the entropy of their predicted classes:

# %%
spread = table[table["metric"] == "effective classes"]
starts = [spread[spread["run"] == NO_PICKING].assign(run=name) for name in mine_by_name]
part = pd.concat([spread[spread["run"].isin(list(mine_by_name))], *starts])
plot = curves(part, x="rate", y="value", by="run", xlabel="share kept", ylabel="effective classes")
show(plot, name="fig-classes", caption="Effective number of predicted classes among the kept images, by what picks (this build).")

# %% [markdown]
# ## Controls
#
# A random half is as good as any, in both spaces: nothing may change by more than four standard errors. And in the space that picks
# the worst half must be worse than the best. What the other space makes of the worst half is in the table above.

# %%
logs = fid.set_index(["space", "run", "rate", "seed"]).sort_index()
for space in (settings.space, other_space):
    base, luck = logs.loc[(space, NO_PICKING, 1.0)], logs.loc[(space, "random", 0.5)]
    moved, error = (luck["value"] - base["value"]).mean(), np.sqrt(2 * (base["standard_error"] ** 2).mean() / len(base))
    run.record(paper="ours", exhibit="control", row=f"random half minus {NO_PICKING}, {space}", column="pass" if abs(moved) < 4 * error else "FAIL",
               metric="log FID difference", value=moved, standard_error=error, n=settings.scored, seeds=all_seeds, dataset=dataset, key=slug("control-random", spaces[space]))  # fmt: skip
best, worst = (logs.loc[(settings.space, name, 0.5)] for name in ("picker", "the worst"))
moved, error = (worst["value"] - best["value"]).mean(), np.sqrt((worst["standard_error"] ** 2 + best["standard_error"] ** 2).mean() / len(best))
run.record(paper="ours", exhibit="control", row="worst half minus best half", column="pass" if moved > 2 * error else "FAIL", metric="log FID difference",
           value=moved, standard_error=error, n=settings.scored, seeds=all_seeds, dataset=dataset, key="control-worst")  # fmt: skip
run.table("control")[["row", "column", "value", "standard_error"]]

# %% [markdown]
# ## Another generator
#
# The same two ways for a generator of another family, as far as a profile trains it ({doc}`generators`). StyleGAN's
# truncation is the paper's: of styles, not of latents.

# %%
again = []
for study in studies if second_generator else []:
    one = bench(study, second_generator, [settings.space])
    best = replace(one.density_pickers()[0], name="picker")
    again += [one.judge_unpicked(), one.judge_truncated(rates), one.judge_picked(best, rates)]
second = combine_seeds(pd.concat(again), by=["space", "run", "rate", "metric"]) if again else table.iloc[:0]

# %%
for r in second[second["metric"].isin(["FID", "QS", "DS"])].itertuples():
    run.record(paper="ours", exhibit=f"pickers, {second_generator}", row=r.run, column=f"{r.rate:g}", metric=r.metric, value=r.value,
               standard_error=r.standard_error, n=r.n, seeds=r.seeds, dataset=dataset, key=slug("second", r.run, r.metric, round(100 * r.rate)))  # fmt: skip
for metric in ("FID", "QS") if second_generator else ():
    starts = [second[second["run"] == NO_PICKING].assign(run=name) for name in ("picker", "truncation")]
    part = pd.concat([second[second["run"] != NO_PICKING], *starts]).query("metric == @metric")
    plot = curves(part, x="rate", y="value", error="standard_error", by="run", xlabel="rate", ylabel=metric)
    show(plot, name=f"fig-second-{metric.lower()}", caption=f"{metric} of {second_generator}'s images by rate (this build).")

# %% [markdown]
# In the committed runs neither way improves the small StyleGAN's FID of {num}`cpu:1_giqa/picker.second-no-picking-fid-100|.0f`; at one half the
# picker has {num}`cpu:1_giqa/picker.second-picker-fid-50|.0f` and truncation of styles {num}`cpu:1_giqa/picker.second-truncation-fid-50|.0f`. The
# order of the paper is there, its gain is not.
#
# ## Where it fails: one score for all classes
#
# The raw density is no measure of quality alone. Which classes are left when it keeps half of the images, and
# which a rank within the class keeps:

# %%
kept = {"all": np.arange(mine.judged), **{name: mine.kept(mine_by_name[name], 0.5) for name in ("picker", "GMM, rank within class")}}
shares = pd.DataFrame({name: np.bincount(mine.classes[rows], minlength=mine.classes.max() + 1) / len(rows) for name, rows in kept.items()})
long = shares.rename_axis("class").reset_index().melt("class", var_name="kept", value_name="share")
plot = bars(long.astype({"class": str}), x="class", y="share", by="kept", xlabel="predicted class", ylabel="share of the images")
show(plot, name="fig-failure", caption="Share of each predicted class among the generated images, and among the half that is kept (this build).")

# %% [markdown]
# ## Differences from the paper
#
# ```{deviations} 1_giqa/picker
# ```
#
# ## Picking one's own images
#
# `giqa_lib.scores.pick` takes any scores, and modes where variety matters:
#
# ```python
# from giqa_lib.scores import pick
#
# best = images[pick(score(images), count=100)]
# varied = images[pick(score(images), share=0.5, modes=classes)]
# ```
#
# ## What to try
#
# - `generator=stylegan` puts the paper's family into Table 4; `profile=paper` trains it for longer, on a GPU.
# - `other_space=pixels@28` judges by the images themselves.
# - `neighbours=1` is the paper's KNN for faces.

# %%
record = run.save(output)
