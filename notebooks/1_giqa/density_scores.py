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
# # Density scores: SGM, GMM and KNN
#
# An image is good if it looks like a real one. GIQA's data-based scores take that literally: they
# estimate the density of real images in a feature space and read off its value at each generated image.
# **Do images sorted by such a density go from broken to clean?**
#
# ```{reproduce} 1_giqa/density_scores
# ```
#
# ## What the paper claims
#
# {cite:t}`gu2020giqa` sort StyleGAN's images by GMM-GIQA (their Figure 2) and show its four best and
# four worst images beside those of a natural-image measure (Figure 3): the density's order agrees with
# people's. The scores are a single Gaussian (SGM), a Gaussian mixture (GMM, Eq. 5 to 7)
#
# $$ p(x) = \sum_{i=1}^{M} w_i\, \mathcal{N}(x;\, \mu_i, \Sigma_i), \qquad x = f(I), $$ (eq-gmm)
#
# and the mean inverse distance to the $K$ nearest real images (KNN, Eq. 8)
#
# $$ p(x) = \frac{1}{K} \sum_{k=1}^{K} \frac{1}{\lVert x - x_k \rVert_2}. $$ (eq-knn)
#
# ```{claims} 1_giqa/density_scores
# ```

# %% tags=["parameters"]
profile: str = "quick"  # quick | cpu | paper: sizes and lengths of training
dataset: str = "fashion-mnist"  # a data set with the splits train and test
seed: int = 0  # the first seed; each seed has its own split, classifier and GAN
device: str = "cpu"  # cpu or cuda
output: str = ""  # folder for the record; empty: none is written
seeds: int = 0  # how many seeds; 0: the profile's
components: int = 20  # Gaussian components M of GMM-GIQA
neighbours: int = 100  # neighbours K of KNN-GIQA

# %% tags=["hide-input"]
import numpy as np
import pandas as pd
from scipy.stats import multivariate_normal

from giqa_lib.applications.pairs import accuracies, outcomes
from giqa_lib.applications.snapshots import PRESETS, Study, auc, effective_classes, score_pool, step_agreement
from giqa_lib.evaluation import combine_seeds
from giqa_lib.figures import best_and_worst, curves, density_contours, image_grid, score_distributions, sorted_strip
from giqa_lib.results import Run, show, show_table
from giqa_lib.scores import GaussianMixture, KNearestNeighbours, RankCalibration, SingleGaussian, min_max
from giqa_lib.store import default_store

# %% tags=["hide-input"]
SEEDS = {"quick": 1, "cpu": 3, "paper": 5}
all_seeds = list(range(seed, seed + (seeds or SEEDS[profile])))
names = ("profile", "dataset", "seed", "device", "output", "seeds", "components", "neighbours")
run = Run("1_giqa/density_scores", {name: globals()[name] for name in names})

# %% [markdown]
# ## The images
#
# Real images of the data set, degraded copies of them, and what a small DCGAN {cite:p}`radford2016dcgan`
# generates at log-spaced steps of its training. The GAN's training stands in for the range of
# generators that the paper had.

# %%
studies = [
    Study(PRESETS[profile], dataset=dataset, seed=one, store=default_store(), device=device)
    for one in all_seeds
]
first = studies[0]
first.pool.groupby("origin").size().to_frame("images in the pool")

# %%
steps = [first.steps[i] for i in (0, len(first.steps) // 2, -1)]
rows = [first.rows("real")[:12], first.rows("degraded")[:12], *(first.rows("generated", step=s)[:12] for s in steps)]
labels = ["real", "degraded", *(f"step {s}" for s in steps)]
grid = image_grid(first.pool_images[np.concatenate(rows)], columns=12, row_labels=labels)
show(grid, name="fig-pool", caption="Real images, degraded copies of the same images, and generated images by training step (same latents).")

# %% [markdown]
# ## By hand: two clusters in the plane
#
# A point between two clusters is unlike all data. A single Gaussian thinks it typical; a mixture
# and the nearest neighbours do not.

# %%
random = np.random.default_rng(seed)
draws = np.concatenate([random.normal([-3, 0], 0.6, (200, 2)), random.normal([3, 0], 0.6, (200, 2))])
points, others = draws[::2], draws[1::2]
by_hand = {
    "SGM": SingleGaussian().fit(points),
    "GMM, M=2": GaussianMixture(n_components=2, random_state=seed).fit(points),
    "KNN, K=10": KNearestNeighbours(n_neighbors=10).fit(points),
}
queries = {"between": [0.0, 0.0], "inside": [-3.0, 0.0], "outside": [0.0, 3.0]}
plot = density_contours({n: d.score_samples for n, d in by_hand.items()}, others, queries=queries)
show(plot, name="fig-by-hand", caption="Three scores of the plane, fitted to two clusters of points, and three query points.")

# %%
places = np.array(list(queries.values()))
distance = np.sort(np.linalg.norm(points - places[:, None], axis=2))[:, :10]
gaussian = multivariate_normal(points.mean(axis=0), np.cov(points.T, bias=True) + 1e-6 * np.eye(2))

# %%
check = pd.DataFrame({"query": list(queries)})
check["SGM by SciPy"] = gaussian.logpdf(places)
check["SGM, library"] = by_hand["SGM"].score_samples(places)
check["KNN by hand (Eq. 8)"] = (1 / distance).mean(axis=1)
check["KNN, library"] = by_hand["KNN, K=10"].score_samples(places)
show_table(check, name="tbl-by-hand", caption="The library's scores against a few lines of NumPy and SciPy.", digits=6)

# %% [markdown]
# ## On images
#
# Densities are fitted to features of real training images: the penultimate layer of a classifier
# trained on *other* training images, reduced by PCA ({doc}`features` says why this space). The
# calibrated score is the share of held-out real images that score lower, so that one half is a typical real image.

# %%
densities = {
    "SGM": SingleGaussian(),
    "GMM": GaussianMixture(n_components=components, random_state=seed),
    "KNN": KNearestNeighbours(n_neighbors=neighbours),
}
scored = {study.seed: score_pool(study, study.features(), densities) for study in studies}
mine = scored[seed]

# %% [markdown]
# ### Figure 2: generated images sorted by GMM-GIQA

# %%
generated = first.rows("generated")
plot = sorted_strip(first.pool_images[generated], mine["GMM"].calibrated[generated], count=36, rows=3)
show(plot, name="fig-sorted", caption="Generated images of all training steps, sorted by the calibrated GMM score and sampled along its range.")

# %% [markdown]
# ### Figure 3: best and worst four, by each density

# %%
last = first.rows("generated", step=first.steps[-1])
plot = best_and_worst(first.pool_images[last], {n: s.raw[last] for n, s in mine.items()}, count=4)
show(plot, name="fig-best-worst", caption="The four best (left) and worst (right) images of the last snapshot by each density.")

# %% [markdown]
# ### Score distributions

# %%
early, late = first.steps[len(first.steps) // 3], first.steps[-1]
parts = {"real": first.rows("real"), "degraded": first.rows("degraded"),
         f"step {early}": first.rows("generated", step=early), f"step {late}": first.rows("generated", step=late)}  # fmt: skip
plot = score_distributions({n: mine["GMM"].calibrated[r] for n, r in parts.items()}, xlabel="calibrated GMM score")
show(plot, name="fig-distributions", caption="Calibrated GMM score of real, degraded, early and late generated images.")

# %% [markdown]
# ### Does the mean score follow the training?

# %%
means = pd.concat(
    pd.DataFrame({"score": name, "seed": one, "mean": study.per_snapshot(s.calibrated)}).rename_axis("step").reset_index()
    for study, one in zip(studies, all_seeds) for name, s in scored[one].items()
)
lines = means.groupby(["score", "step"], as_index=False)["mean"].mean()
plot = curves(lines, x="step", y="mean", by="score", xlabel="training step", ylabel="mean calibrated score", log_x=True)
show(plot, name="fig-steps", caption="Mean calibrated score of each snapshot's images by training step, averaged over seeds.")

# %%
rows = []
for study in studies:
    real, degraded = study.rows("real"), study.rows("degraded")
    for name, s in scored[study.seed].items():
        found = {"SRCC with training step": step_agreement(study, s.calibrated, random_state=seed),
                 "AUC real against degraded": auc(s.raw[real], s.raw[degraded], random_state=seed)}  # fmt: skip
        rows += [{"score": name, "metric": m, "seed": study.seed, "value": e.value,
                  "standard_error": e.standard_error, "n": e.n} for m, e in found.items()]  # fmt: skip
agreement = combine_seeds(pd.DataFrame(rows), by=["score", "metric"])

# %%
exhibit = {"SRCC with training step": "Figure 2", "AUC real against degraded": "Figure 3"}
for r in agreement.itertuples():
    run.record(paper="giqa", exhibit=exhibit[r.metric], row=r.score, column="calibrated", metric=r.metric, value=r.value,
               standard_error=r.standard_error, n=r.n, seeds=r.seeds, dataset=dataset,
               key=f"{r.metric.split()[0].lower()}-{r.score.lower()}")  # fmt: skip
show_table(agreement[["score", "metric", "value", "standard_error"]], name="tbl-agreement",
           caption="Agreement of each density's score with what is known of the images (this build).")  # fmt: skip

# %% [markdown]
# In the committed runs the mean GMM score has a rank correlation of
# {num}`cpu:1_giqa/density_scores.srcc-gmm|.2f` with the training step, SGM {num}`cpu:1_giqa/density_scores.srcc-sgm|.2f`
# and KNN {num}`cpu:1_giqa/density_scores.srcc-knn|.2f`.
#
# ## Which scale: raw, calibrated, or within a mode?
#
# A density measures how typical a class is before it measures quality: the simplest class
# comes out on top. Ranking within the predicted class removes that. Agreement is the accuracy on
# constructed pairs; variety is the effective number of classes among the best tenth of the
# last snapshot's images.

# %%
rows = []
for study in studies:
    last = study.rows("generated", step=study.steps[-1])
    classes = study.classifier.predict(study.pool_images[last]).numpy()
    pairs = study.pairs()[3]
    for scale in ("calibrated", "within_mode"):
        scores = getattr(scored[study.seed]["GMM"], scale)
        top = np.argsort(-scores[last], kind="stable")[: len(last) // 10]
        common = {"scale": scale.replace("_", " "), "seed": study.seed}
        a = accuracies({"GMM": outcomes(scores, pairs)}).iloc[0]
        rows += [common | {"metric": "pair accuracy", "value": a.value, "standard_error": a.standard_error, "n": a.n},
                 common | {"metric": "effective classes of the best tenth", "value": effective_classes(classes[top]),
                           "standard_error": 0.0, "n": len(top)}]  # fmt: skip
scales = combine_seeds(pd.DataFrame(rows), by=["scale", "metric"])

# %%
for r in scales.itertuples():
    run.record(paper="ours", exhibit="scales", row=r.scale, column="GMM", metric=r.metric, value=r.value,
               standard_error=r.standard_error if len(r.seeds) > 1 or r.metric == "pair accuracy" else None,
               n=r.n, seeds=r.seeds, dataset=dataset)  # fmt: skip
show_table(scales[["scale", "metric", "value", "standard_error"]], name="tbl-scales",
           caption="Rank among all held-out real images against rank within the predicted class (this build).")  # fmt: skip

# %%
last = first.rows("generated", step=first.steps[-1])
order = {"among all": mine["GMM"].calibrated[last], "within class": mine["GMM"].within_mode[last]}
plot = best_and_worst(first.pool_images[last], order, count=6)
show(plot, name="fig-scales", caption="Best and worst images of the last snapshot: ranked among all real images, and within the predicted class.")

# %% [markdown]
# ## Controls
#
# Two halves of the held-out real images must not be told apart, and an image's score must not
# depend on what else is scored, which the min-max scale of other tools does.

# %%
raw = mine["GMM"].held_out
same = auc(raw[::2], raw[1::2], random_state=seed)
passed = abs(same.value - 0.5) < 4 * same.standard_error
control = run.record(paper="ours", exhibit="control", row="real against real", column="pass" if passed else "FAIL",
                     metric="AUC", value=same, seeds=[seed], dataset=dataset, key="control-auc")  # fmt: skip

# %%
space, real = first.features(), first.rows("real")
density = GaussianMixture(n_components=components, random_state=seed).fit(space.reference)
rank = RankCalibration().fit(density.score_samples(space.held_out))
alone, beside = density.score_samples(space.pool[real]), density.score_samples(space.pool)
batch = pd.DataFrame({"scored": ["alone", "beside the rest of the pool"],
                      "min-max": [min_max(alone).mean(), min_max(beside)[real].mean()],
                      "calibrated": [rank.transform(alone).mean(), rank.transform(beside)[real].mean()]})  # fmt: skip

# %%
same_alone = np.array_equal(rank.transform(alone), rank.transform(beside)[real])
control = run.record(paper="ours", exhibit="control", row="calibrated score alone and in company", column="pass" if same_alone else "FAIL",
                     metric="largest change", value=np.abs(rank.transform(alone) - rank.transform(beside)[real]).max(),
                     n=len(real), seeds=[seed], dataset=dataset)  # fmt: skip
show_table(batch, name="tbl-batch", caption="Mean score of the same real images, scored alone and beside the rest of the pool, on two scales.")

# %% [markdown]
# ## Where it fails: the feature space decides
#
# The same mixture over features of a network trained on ImageNet. A generator's very first images are
# nearly blank; the quick profile's snapshots begin there, those of the committed runs later. Where the first
# points of a line lie above those that follow, the score prefers blank images to the first attempts at
# a garment. {doc}`features` measures how well each space follows the training.

# %%
lite = first.features("efficientnet_lite0@64")
fooled = score_pool(first, lite, {"GMM": GaussianMixture(n_components=components, random_state=seed)})["GMM"]
compared = pd.concat([
    pd.DataFrame({"space": space, "mean": first.per_snapshot(s.calibrated)}).rename_axis("step").reset_index()
    for space, s in (("the data set's own classifier", mine["GMM"]), ("EfficientNet-Lite0, ImageNet", fooled))
])  # fmt: skip
plot = curves(compared, x="step", y="mean", by="space", xlabel="training step", ylabel="mean calibrated score", log_x=True)
show(plot, name="fig-failure", caption="The same score in two feature spaces, by training step.")

# %% [markdown]
# ## Differences from the paper
#
# ```{deviations} 1_giqa/density_scores
# ```
#
# ## What to try
#
# - `components=1` makes GMM-GIQA the single Gaussian; `neighbours=1` is the paper's setting for faces.
# - `dataset=mnist` or `dataset=cifar10`, with `GIQA_DATA` set.
# - `profile=paper` on a GPU.

# %%
record = run.save(output)
