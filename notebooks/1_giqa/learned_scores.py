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
# # Learned scores: MBC, BC and IR
#
# A generator's images get better as it trains. GIQA's learning-based score turns that into labels without any
# person: how long the generator had trained when it made an image. **Does a network that learns such
# labels judge images it has not seen, of a generator it has not seen?**
#
# ```{reproduce} 1_giqa/learned_scores
# ```
#
# ## What the paper claims
#
# {cite:t}`gu2020giqa` give each image a pseudo-label (Eq. 1),
#
# $$ S_p(I) = S_g \cdot iter / max\_iter \ \text{for generated images}, \quad 1 \ \text{for real ones}, \qquad S_g = 0.9, $$ (eq-pseudo-label)
#
# and say that regressing it (IR-GIQA) suffers from its noise: one iteration makes good and bad images. Instead they train
# $N$ binary classifiers to tell whether the label is at least $T_i$ (Eq. 2 and 3) and average them (MBC-GIQA, Eq. 4). With one
# classifier, real or not, it is BC-GIQA. The claims on them are judged in {doc}`learned_sweeps` and {doc}`pair_benchmark`.

# %% tags=["parameters"]
profile: str = "quick"  # quick | cpu | paper: sizes and lengths of training
dataset: str = "fashion-mnist"  # a data set with the splits train and test
seed: int = 0  # the first seed; each seed has its own split, GAN and learned scores
device: str = "cpu"  # cpu or cuda
output: str = ""  # folder for the record; empty: none is written
seeds: int = 0  # how many seeds; 0: the profile's
classifiers: int = 8  # binary classifiers N of MBC-GIQA

# %% tags=["hide-input"]
import numpy as np
import pandas as pd

from giqa_lib.applications.giqa import LEARNED_PRESETS, LearnedStudy, StudyBed
from giqa_lib.applications.pairs import accuracies, outcomes
from giqa_lib.applications.snapshots import PRESETS, Study, auc
from giqa_lib.evaluation import combine_seeds
from giqa_lib.figures import bars, best_and_worst, curves, image_grid, score_distributions, sorted_strip
from giqa_lib.results import Run, show, show_table
from giqa_lib.scores import BC, IR, even_thresholds, mbc, official_thresholds, pseudo_labels
from giqa_lib.scores.pseudo_labels import binary_labels
from giqa_lib.store import default_store

# %% tags=["hide-input"]
SEEDS = {"quick": 1, "cpu": 3, "paper": 5}
all_seeds = list(range(seed, seed + (seeds or SEEDS[profile])))
names = ("profile", "dataset", "seed", "device", "output", "seeds", "classifiers")
run = Run("1_giqa/learned_scores", {name: globals()[name] for name in names})

# %% [markdown]
# ## The images and their labels
#
# The generator is the DCGAN of {doc}`density_scores`; images come from evenly spaced steps of its training, drawn from
# other latents than those that are judged below. Every fourth step is held out: the weights with the best
# rank correlation of score and label there are kept.

# %%
studies = [
    Study(PRESETS[profile], dataset=dataset, seed=one, store=default_store(), device=device)
    for one in all_seeds
]
learned = [LearnedStudy(study, LEARNED_PRESETS[profile]) for study in studies]
first = learned[0]

# %%
values = np.unique(first.train.labels)
shown = values[np.linspace(0, len(values) - 1, 6).round().astype(int)]
rows = [np.flatnonzero(first.train.labels == value)[:12] for value in shown]
plot = image_grid(first.train.images[np.concatenate(rows)], columns=12, row_labels=[f"{value:.2f}" for value in shown])
show(plot, name="fig-labels", caption="Training images by pseudo-label, from the earliest snapshot to real images (label 1).")

# %% [markdown]
# ## By hand: labels, thresholds, and what their mean is
#
# Five generated images and a real one, with $N = 3$ thresholds.

# %%
iterations, real = [0, 200, 400, 600, 800, 0], [False] * 5 + [True]
labels = pseudo_labels(iterations, real=real)
thresholds = even_thresholds(3)
by_hand = pd.DataFrame({"iteration": iterations, "label by hand": [0.9 * i / 800 for i in iterations[:5]] + [1.0], "label": labels})
by_hand[[f"at least {t:.1f}" for t in thresholds]] = binary_labels(labels, thresholds)
by_hand["mean of the labels"] = binary_labels(labels, thresholds).mean(axis=1)
show_table(by_hand, name="tbl-by-hand", caption="Eq. 1 by hand and by the library, the binary labels of Eq. 2, and their mean.", digits=3)

# %% [markdown]
# The last column follows the label. That is no accident: for any noise in the labels,
# $\sum_i P(S \ge T_i \mid I)\,(T_i - T_{i-1})$ is the conditional mean of the label, rounded down to a threshold. So with even
# thresholds and as much data as one likes, **MBC-GIQA and IR-GIQA order images the same way**; whatever separates them is how
# well each is estimated from few images. A check with noisy labels:

# %%
random = np.random.default_rng(seed)
quality = np.linspace(0.05, 0.85, 9)
noisy = np.clip(quality[:, None] + random.normal(0, 0.2, (9, 20_000)), 0, 0.9)
fine = even_thresholds(90)
weighted_votes = np.stack([0.9 * binary_labels(row, fine).mean() for row in noisy])  # each step is 0.9 / 90
largest = np.abs(weighted_votes - noisy.mean(axis=1)).max()
control = run.record(paper="ours", exhibit="control", row="mean of 90 binary labels against the mean label", column="pass" if largest < 0.02 else "FAIL",
                     metric="largest difference", value=largest, n=noisy.size, dataset="synthetic", key="identity")  # fmt: skip
control

# %% [markdown]
# The official code has eight thresholds too, at iterations of StyleGAN's training; in the units of Eq. 1:

# %%
show_table(pd.DataFrame({"i": range(1, 9), "even": even_thresholds(8), "official code": official_thresholds()}),
           name="tbl-thresholds", caption="Thresholds of eight classifiers: even steps, and the official code's.", digits=3)  # fmt: skip

# %% [markdown]
# ## The method
#
# One small network a method (convolutions from scratch), on random patches of three quarters of the side. At
# inference the score is the mean over three crops. The three methods differ in targets and loss alone.

# %%
methods = {"BC-GIQA": BC, "IR-GIQA": IR, "MBC-GIQA": mbc(even_thresholds(classifiers))}
scores = {
    study.study.seed: {name: study.score(method) for name, method in methods.items()}
    for study in learned
}
mine = scores[seed]

# %%
study = studies[0]
steps = study.steps
probabilities = mine["MBC-GIQA"].probabilities(study.pool_images[study.rows("generated")])
by_step = probabilities.reshape(len(steps), -1, classifiers).mean(axis=1)
long = pd.DataFrame(by_step, index=steps, columns=[f"at least {t:.2f}" for t in even_thresholds(classifiers)]).rename_axis("step")
plot = curves(long.reset_index().melt("step", var_name="classifier", value_name="mean"), x="step", y="mean", by="classifier",
              xlabel="training step", ylabel="mean sigmoid", log_x=True)  # fmt: skip
show(plot, name="fig-classifiers", caption="What each classifier of MBC-GIQA says of the snapshots' images: the mean of its sigmoid by training step.")

# %% [markdown]
# ### Distribution, order, best and worst

# %%
middle, last = steps[len(steps) // 2], steps[-1]
sets = {"real": study.rows("real"), f"step {last}": study.rows("generated", step=last),
        f"step {middle}": study.rows("generated", step=middle), f"step {steps[0]}": study.rows("generated", step=steps[0])}  # fmt: skip
pool = {name: score(study.pool_images) for name, score in mine.items()}
plot = score_distributions({name: pool["MBC-GIQA"][rows] for name, rows in sets.items()}, xlabel="MBC-GIQA score")
show(plot, name="fig-distributions", caption="MBC-GIQA of real images and of three snapshots' images.")

# %%
generated = study.rows("generated")
plot = sorted_strip(study.pool_images[generated], pool["MBC-GIQA"][generated], count=36, rows=3)
show(plot, name="fig-sorted", caption="Generated images of all steps sorted by MBC-GIQA and sampled along its range.")

# %%
rows = study.rows("generated", step=last)
plot = best_and_worst(study.pool_images[rows], {name: values[rows] for name, values in pool.items()}, count=6)
show(plot, name="fig-best-worst", caption="The six best (left) and worst (right) images of the last snapshot by each learned score.")

# %% [markdown]
# ## Does it hold for a generator it has not seen?
#
# Each score judges pairs of its own generator's images (other latents) and pairs of another training run's. The
# paper trains on StyleGAN and tests on PGGAN, StyleGAN and real images in one number. (With one seed, as in the quick
# profile, there is no other run, and only the first is shown.)

# %%
rows = []
for place, judge in enumerate(all_seeds):
    for kind, other in {"its own generator": place, "another run": (place + 1) % len(all_seeds)}.items():
        if kind == "another run" and len(all_seeds) == 1:
            continue
        bed = StudyBed(studies[other])
        values = {name: score(bed.images) for name, score in scores[judge].items()}
        for pairs in bed.pairs():
            found = accuracies({name: outcomes(v, pairs) for name, v in values.items()})
            rows.append(found.assign(pairs=pairs.name, judged=kind, seed=judge))
table = combine_seeds(pd.concat(rows), by=["name", "pairs", "judged"])

# %%
for r in table.itertuples():
    run.record(paper="ours", exhibit="learned scores", row=r.name, column=f"{r.judged}, {r.pairs}", metric="pair accuracy",
               value=r.value, standard_error=r.standard_error, n=r.n, seeds=r.seeds, dataset=dataset,
               key="-".join([r.name[:-5].lower(), r.judged.split()[-1].replace("run", "other").replace("generator", "own"), r.pairs.split()[0]]))  # fmt: skip
for judged, part in table.groupby("judged", sort=False):
    plot = bars(part, x="pairs", y="value", by="name", error="standard_error", ylabel="pair accuracy", chance=0.5)
    show(plot, name=f"fig-{judged.replace(' ', '-')}", caption=f"Pair accuracy of the learned scores by kind of pair: images of {judged}, ± 1.96 standard errors.")

# %% [markdown]
# In the committed runs MBC-GIQA prefers the later snapshot's image in {num}`cpu:1_giqa/learned_scores.mbc-own-later|.3f` of the pairs of its own
# generator and in {num}`cpu:1_giqa/learned_scores.mbc-other-later|.3f` of another run's; IR-GIQA in {num}`cpu:1_giqa/learned_scores.ir-own-later|.3f`
# and {num}`cpu:1_giqa/learned_scores.ir-other-later|.3f`, BC-GIQA in {num}`cpu:1_giqa/learned_scores.bc-own-later|.3f` and
# {num}`cpu:1_giqa/learned_scores.bc-other-later|.3f`.
#
# ## Control: real images among themselves
#
# Two halves of real images that no part of the training saw must not be told apart.

# %%
fresh = study.held_out.tensor()
real_scores = mine["MBC-GIQA"](fresh)
same = auc(real_scores[::2], real_scores[1::2], random_state=seed)
passed = abs(same.value - 0.5) < 4 * same.standard_error
control = run.record(paper="ours", exhibit="control", row="real against real", column="pass" if passed else "FAIL",
                     metric="AUC", value=same, seeds=[seed], dataset=dataset, key="control-auc")  # fmt: skip
control

# %% [markdown]
# ## Where it fails: damage that no generator does
#
# The network has seen what an unfinished generator does wrong, and nothing else. Degraded photographs (noise, blur, a
# covered part) are not among it: in the committed runs MBC-GIQA prefers the clean one in {num}`cpu:1_giqa/learned_scores.mbc-own-clean|.3f`
# of the pairs. Of two generated images of one snapshot, one of them degraded, it prefers the undamaged one in
# {num}`cpu:1_giqa/learned_scores.mbc-own-within|.3f`, and IR-GIQA in {num}`cpu:1_giqa/learned_scores.ir-own-within|.3f`: less often than
# a coin. Perhaps what tells late images from early ones here (contrast, sharp edges) is what some damage adds. One
# number over all pairs would have hidden it. The degradations one by one, as the chance that a clean real image
# scores above its degraded copy:

# %%
kinds = study.pool.loc[study.rows("degraded"), "degradation"].to_numpy()
clean, worse = (pool["MBC-GIQA"][study.rows(origin)] for origin in ("real", "degraded"))
by_kind = pd.DataFrame(
    [{"degradation": kind.replace("_", " "), **outcomes_of} for kind in sorted(set(kinds))
     for outcomes_of in [{"value": float((clean > worse)[kinds == kind].mean()), "n": int((kinds == kind).sum())}]])  # fmt: skip
by_kind["standard_error"] = np.sqrt(by_kind["value"] * (1 - by_kind["value"]) / by_kind["n"])
plot = bars(by_kind, x="degradation", y="value", error="standard_error", ylabel="chance that the clean image wins", chance=0.5)
show(plot, name="fig-failure", caption="MBC-GIQA on real images against their degraded copies, by degradation (first seed, ± 1.96 standard errors).")

# %% [markdown]
# ## Differences from the paper
#
# ```{deviations} 1_giqa/learned_scores
# ```
#
# ## What to try
#
# - `classifiers=1` makes MBC-GIQA the same as BC-GIQA, bitwise.
# - `dataset=cifar10`, with `GIQA_DATA` set.
# - Your own labels: `giqa_lib.scores.read_label_file` reads `image,iteration`; `read_official_names` the official code's file names.
# - `profile=paper` on a GPU: VGG-19 with batch normalisation on larger images.

# %%
record = run.save(output)
