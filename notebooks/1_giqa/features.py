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
# # The feature space decides
#
# A density score sees features, not images. GIQA takes Inception's, trained on ImageNet, and discusses no
# other. **How much of a score's agreement comes from the feature space, and which space should the
# other chapters use?**
#
# ```{reproduce} 1_giqa/features
# ```
#
# ## What the paper claims
#
# {cite:t}`gu2020giqa` state only that "all the features are extracted from inception model which is trained
# on ImageNet". Their code reduces them by PCA to 95 % of the variance for LSUN and not for FFHQ. No table
# compares spaces, so nothing here answers an exhibit: this chapter chooses what the later ones use, on
# images that they do not report on (the development half of the pool).

# %% tags=["parameters"]
profile: str = "quick"  # quick | cpu | paper: sizes and lengths of training
dataset: str = "fashion-mnist"  # a data set with the splits train and test
seed: int = 0  # the first seed; each seed has its own split, classifier and GAN
device: str = "cpu"  # cpu or cuda
output: str = ""  # folder for the record; empty: none is written
seeds: int = 0  # how many seeds; 0: the profile's
components: int = 20  # Gaussian components M
max_components: int = 64  # PCA keeps at most so many dimensions

# %% tags=["hide-input"]
import numpy as np
import pandas as pd

from giqa_lib.applications.pairs import accuracies, outcomes
from giqa_lib.applications.snapshots import PRESETS, Study, score_pool, step_agreement
from giqa_lib.evaluation import combine_seeds
from giqa_lib.features import PCA
from giqa_lib.figures import bars, best_and_worst, curves
from giqa_lib.results import Run, show, show_table
from giqa_lib.scores import GaussianMixture, KNearestNeighbours, SingleGaussian
from giqa_lib.store import default_store

# %% tags=["hide-input"]
SEEDS = {"quick": 1, "cpu": 3, "paper": 5}
all_seeds = list(range(seed, seed + (seeds or SEEDS[profile])))
names = ("profile", "dataset", "seed", "device", "output", "seeds", "components", "max_components")
run = Run("1_giqa/features", {name: globals()[name] for name in names})

# %% [markdown]
# ## By hand: what PCA throws away
#
# Two directions of large variance that say nothing, and one of small variance that tells good from bad. PCA
# to a share of the variance drops the small one, and with it everything the density could see.

# %%
random = np.random.default_rng(seed)
real = random.normal(size=(2000, 3)) * [10, 10, 0.5]
bad = random.normal(size=(2000, 3)) * [10, 10, 0.5] + [0, 0, 5]
rows = []
for share in (0.95, 0.9999):
    pca = PCA(variance=share).fit(real)
    density = SingleGaussian().fit(pca.transform(real))
    wins = density.score_samples(pca.transform(real)) > density.score_samples(pca.transform(bad))
    rows.append({"variance kept": share, "dimensions": pca.transform(real).shape[1], "accuracy": wins.mean()})
show_table(pd.DataFrame(rows), name="tbl-by-hand", caption="Accuracy of a density after PCA, where the difference lies in a direction of small variance.", digits=4)

# %%
ok = rows[0]["accuracy"] < 0.55 and rows[1]["accuracy"] > 0.95
run.record(paper="ours", exhibit="control", row="planted small direction", column="pass" if ok else "FAIL",
           metric="accuracy with all directions", value=rows[1]["accuracy"], n=2000, seeds=[seed], dataset="synthetic")  # fmt: skip

# %% [markdown]
# ## The spaces
#
# Four candidates: the penultimate layer of a small classifier trained on other images of the data set
# itself, to two shares of the variance; EfficientNet-Lite0, trained on ImageNet, at 64 pixels; and raw pixels.
# Inception itself needs weights that no package carries; where its file is at hand,
# `extractor("inception_v3_fid", weights=...)` gives it.

# %%
SPACES = {
    "classifier, 95 %": ("classifier", 0.95),
    "classifier, 99.9 %": ("classifier", 0.999),
    "EfficientNet-Lite0": ("efficientnet_lite0@64", 0.95),
    "pixels": ("pixels", 0.95),
}
densities = {
    "SGM": SingleGaussian(),
    "GMM": GaussianMixture(n_components=components, random_state=seed),
    "KNN": KNearestNeighbours(n_neighbors=100),
}

# %%
studies = [
    Study(PRESETS[profile], dataset=dataset, seed=one, store=default_store(), device=device)
    for one in all_seeds
]
spaces, scored = {}, {}
for study in studies:
    for label, (name, share) in SPACES.items():
        key = (study.seed, label)
        spaces[key] = study.features(name, variance=share, max_components=max_components)
        scored[key] = score_pool(study, spaces[key], densities)
pd.DataFrame({"dimensions": {label: spaces[(seed, label)].width for label in SPACES}})

# %% [markdown]
# ## Agreement by space
#
# Two measures: the rank correlation of the snapshots' mean scores with the training step, and the accuracy on
# the development half of the constructed pairs.

# %%
rows = []
for study in studies:
    pairs = study.pairs(part="development")[3]
    for label in SPACES:
        for name, s in scored[(study.seed, label)].items():
            order = step_agreement(study, s.calibrated, random_state=seed)
            wins = accuracies({name: outcomes(s.raw, pairs)}).iloc[0]
            common = {"space": label, "score": name, "seed": study.seed}
            rows += [common | {"metric": "SRCC with training step", "value": order.value, "standard_error": order.standard_error, "n": order.n},
                     common | {"metric": "pair accuracy, development", "value": wins.value, "standard_error": wins.standard_error, "n": wins.n}]  # fmt: skip
agreement = combine_seeds(pd.DataFrame(rows), by=["space", "score", "metric"])

# %%
for r in agreement.itertuples():
    run.record(paper="ours", exhibit="feature spaces", row=r.space, column=r.score, metric=r.metric, value=r.value,
               standard_error=r.standard_error, n=r.n, seeds=r.seeds, dataset=dataset,
               key=f"{'srcc' if 'SRCC' in r.metric else 'accuracy'}-{r.score}-{list(SPACES).index(r.space)}".lower())  # fmt: skip

# %%
part = agreement[agreement.metric == "SRCC with training step"]
plot = bars(part, x="space", y="value", error="standard_error", by="score", ylabel="SRCC with training step", chance=0)
show(plot, name="fig-srcc", caption="Rank correlation of the snapshots' mean score with the training step, by feature space, ± 1.96 standard errors.")

# %%
part = agreement[agreement.metric == "pair accuracy, development"]
plot = bars(part, x="space", y="value", error="standard_error", by="score", ylabel="pair accuracy", chance=0.5)
show(plot, name="fig-accuracy", caption="Accuracy on the development half of all constructed pairs, by feature space, ± 1.96 standard errors.")

# %%
mixture = agreement[(agreement.metric == "pair accuracy, development") & (agreement.score == "GMM")]
choice = mixture.loc[mixture["value"].idxmax()]
show_table(mixture[["space", "value", "standard_error", "n"]], name="tbl-choice",
           caption=f"Choosing a space for GMM-GIQA by development pairs: {choice.space} is best in this build.")  # fmt: skip

# %% [markdown]
# In the committed runs GMM-GIQA over the classifier's features follows the training with a rank correlation of
# {num}`cpu:1_giqa/features.srcc-gmm-0|.2f` (95 % of the variance) and {num}`cpu:1_giqa/features.srcc-gmm-1|.2f`
# (nearly all of it), over ImageNet features with {num}`cpu:1_giqa/features.srcc-gmm-2|.2f`, over pixels with
# {num}`cpu:1_giqa/features.srcc-gmm-3|.2f`; its accuracies on the development pairs are
# {num}`cpu:1_giqa/features.accuracy-gmm-0|.3f`, {num}`cpu:1_giqa/features.accuracy-gmm-1|.3f`,
# {num}`cpu:1_giqa/features.accuracy-gmm-2|.3f` and {num}`cpu:1_giqa/features.accuracy-gmm-3|.3f`.
#
# ## Where it fails: blank is simple
#
# The mean score of each snapshot's images by training step. A generator's very first images are nearly blank;
# the quick profile's snapshots begin there, those of the committed runs later. Where the first points of
# a line lie above those that follow, the space takes blank images for typical ones.

# %%
first = studies[0]
lines = pd.concat(
    pd.DataFrame({"space": label, "mean": first.per_snapshot(scored[(seed, label)]["GMM"].calibrated)})
    .rename_axis("step").reset_index() for label in SPACES
)
plot = curves(lines, x="step", y="mean", by="space", xlabel="training step", ylabel="mean calibrated GMM score", log_x=True)
show(plot, name="fig-blank", caption="Mean calibrated GMM score of each snapshot's images by training step, in four feature spaces.")

# %%
generated = first.rows("generated")
groups = {label: scored[(seed, label)]["GMM"].raw[generated] for label in SPACES}
plot = best_and_worst(first.pool_images[generated], groups, count=6)
show(plot, name="fig-best", caption="Best six (left) and worst six (right) generated images of all steps by GMM-GIQA in each space.")

# %% [markdown]
# ## Does it matter that the classifier saw other images?
#
# The classifier is trained on images that no density is fitted on, in case it is so much surer of its own
# training images that a density fitted on those would rank all other real images low. The table measures that:
# how much further the held-out images fall behind, in nats, when the density saw the classifier's images.

# %%
inside = first.classifier_part.subset(np.arange(min(len(first.classifier_part), len(first.reference))))
values = first.extract(inside, "classifier")
space = spaces[(seed, "classifier, 95 %")]
own = GaussianMixture(n_components=components, random_state=seed).fit(space.reduction.transform(values))
apart = GaussianMixture(n_components=components, random_state=seed).fit(space.reference)
gap = pd.DataFrame({
    "density fitted on": ["images the classifier learned from", "other training images"],
    "its own images": [own.score_samples(space.reduction.transform(values)).mean(), apart.score_samples(space.reference).mean()],
    "held-out images": [own.score_samples(space.held_out).mean(), apart.score_samples(space.held_out).mean()],
})  # fmt: skip
show_table(gap, name="tbl-gap", caption="Mean log-density of fitted and held-out real images, with and without images that the classifier learned from.")

# %% [markdown]
# ## What to try
#
# - `max_components=512` for the full 95 % of EfficientNet-Lite0: watch the starved components.
# - Your own network: `ModuleExtractor` takes any `torch.nn.Module`.

# %%
record = run.save(output)
