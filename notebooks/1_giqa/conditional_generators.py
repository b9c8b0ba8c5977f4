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
# # Conditional generators: from label maps to images
#
# A translator is given a label map (here sky, there a car; here hair, there an eye) and paints an image that fits
# it. Three of them, each meant to be better than the last, were at hand for the paper.
# **Does GMM-GIQA's quality score put them in the order of their age?**
#
# ```{reproduce} 1_giqa/conditional_generators
# ```
#
# ## What the paper claims
#
# {cite:t}`gu2020giqa` let pix2pix {cite:p}`isola2017pix2pix`, pix2pixHD {cite:p}`wang2018pix2pixhd` and SPADE
# {cite:p}`park2019spade` translate the label maps of Cityscapes and print the mean GMM-GIQA score of the
# results (QS, Eq. 10; their Table 3): far the lowest for pix2pix, slightly higher for SPADE than for pix2pixHD.
#
# ```{claims} 1_giqa/conditional_generators
# ```

# %% tags=["parameters"]
profile: str = "quick"  # quick | cpu | paper: sizes and lengths of training
dataset: str = "celebamask"  # celebamask | cityscapes | toy-faces; if it has no label maps, or is not here: toy-faces
seed: int = 0  # the first seed; each seed has its own split and its own translators
device: str = "cpu"  # cpu or cuda
output: str = ""  # folder for the record; empty: none is written
seeds: int = 0  # how many seeds; 0: the profile's
shown: int = 0  # images that each translator is shown in training; 0: the profile's

# %% tags=["hide-input"]
from dataclasses import replace

import numpy as np
import pandas as pd
import torch

from giqa_lib.applications.generators import TRANSLATION_PRESETS, TranslationJudge, TranslationStudy
from giqa_lib.applications.giqa import best_mixture, held_out_likelihoods
from giqa_lib.applications.pairs import differences
from giqa_lib.data import LABEL_MAP_SETS, degrade, find, load_pairs
from giqa_lib.evaluation import combine_seeds
from giqa_lib.figures import bars, coloured_maps, image_grid, score_distributions
from giqa_lib.gan import SPADE, one_hot_maps
from giqa_lib.results import Run, show, show_table
from giqa_lib.store import default_store

# %% tags=["hide-input"]
SEEDS = {"quick": 1, "cpu": 3, "paper": 3}
TITLES = {"pix2pix": "pix2pix", "pix2pixhd": "pix2pixHD", "spade": "SPADE"}
all_seeds = list(range(seed, seed + (seeds or SEEDS[profile])))
names = ("profile", "dataset", "seed", "device", "output", "seeds", "shown")
run = Run("1_giqa/conditional_generators", {name: globals()[name] for name in names})

# %% [markdown]
# ## The pairs
#
# Faces from CelebAMask-HQ {cite:p}`lee2020maskgan` with hand-made masks of their parts, left and right parts merged
# so that pairs can be mirrored; or Cityscapes; or, where neither is there, *toy faces*: drawn by this library
# with masks that are exact, a **stand-in** for photographs. Of each seed's random split the training pairs teach the
# translators and the density of real images, held-out images calibrate the score, and the test pairs' maps are translated.

# %%
chosen = dataset if dataset in LABEL_MAP_SETS and find(dataset) is not None else "toy-faces"
origin = "toy faces, a stand-in for photographs" if chosen == "toy-faces" else f"photographs of {chosen}"
preset = TRANSLATION_PRESETS[profile]
preset = replace(preset, shown=shown or preset.shown)
pairs = load_pairs(chosen, size=preset.size, count=None if profile == "paper" else preset.pairs)
studies = [TranslationStudy(preset, pairs, dataset=chosen, seed=one, store=default_store(), device=device, progress=False) for one in all_seeds]
first = studies[0]

# %%
sizes = {"data set": chosen, "pixels a side": preset.size, "classes": len(pairs.classes), "training pairs": preset.train,
         "held out": preset.held_out, "test pairs": preset.test, "images shown to each translator": preset.shown}  # fmt: skip
show_table(pd.DataFrame(sizes.items(), columns=["what", "this build"]), name="tbl-sizes", caption="The pairs, and how long the translators train (this build).")

# %% [markdown]
# ## By hand: what a uniform map becomes
#
# SPADE was made because of a flaw in its predecessors. Where a map has one class, a convolution gives
# a constant, and instance norm, which subtracts the mean, makes it zero: *whichever the class was*.
# SPADE normalises the features first, without the map, and lets the map scale and shift them after.
# The known answers: the same features for two uniform maps after convolution and instance norm, another for each after SPADE, and
# with $\gamma = \beta = 0$ plain normalisation.

# %%
random = torch.Generator().manual_seed(seed)
uniform = [one_hot_maps(torch.full((1, 8, 8), label, dtype=torch.uint8), classes=2) for label in (0, 1)]
kernel = torch.randn(4, 2, 1, 1, generator=random)
washed = [torch.nn.functional.instance_norm(torch.nn.functional.conv2d(m, kernel)) for m in uniform]

# %%
features, layer = torch.randn(1, 4, 8, 8, generator=random), SPADE(4, 2, 8)
with torch.no_grad():
    layer.gamma.weight.normal_(generator=random)
    modulated = [layer(features, m) for m in uniform]
    for part in (layer.gamma, layer.beta):
        part.weight.zero_(), part.bias.zero_()
    plain = layer(features, uniform[0]) - torch.nn.functional.batch_norm(features, None, None, training=True)

# %%
largest = {"convolution, then instance norm": washed[0] - washed[1], "SPADE": modulated[0] - modulated[1],
           "SPADE with zero gamma and beta, minus plain normalisation": plain}  # fmt: skip
by_hand = pd.DataFrame([{"what": name, "largest difference": float(d.abs().max())} for name, d in largest.items()])
show_table(by_hand, name="tbl-by-hand", caption="Features of two uniform maps of different classes: how far apart they end.", digits=6)

# %% [markdown]
# ## The translators
#
# All three are trained here from scratch by one loop, shown as many pairs, each with its paper's losses and
# optimiser: pix2pix's U-Net with a patch discriminator and an L1 loss; pix2pixHD's global generator with a local
# enhancer, discriminators at two scales and feature matching; SPADE's normalisation with the same
# discriminators and the hinge loss. Widths are a fraction of the papers'.

# %%
made = {study.seed: {TITLES[n]: study.translations(n) for n in preset.names} for study in studies}
real = {study.seed: study.encoded(study.test.images) for study in studies}
count = 10
rows = [coloured_maps(first.test.maps[:count], classes=len(pairs.classes)), real[seed][:count], *(m[:count] for m in made[seed].values())]
plot = image_grid(torch.cat(rows), columns=count, row_labels=["map", "real", *made[seed]])
show(plot, name="fig-translations", caption=f"Test maps, the real images they belong to, and the translations of each model. Real images are {origin}.")

# %% [markdown]
# ## Choosing the density on real images
#
# Some hundred real images cannot carry the paper's seven Gaussians in hundreds of dimensions. The features
# (EfficientNet-Lite0, trained on photographs of ImageNet; drawn faces are judged in the same space) are reduced to a few dozen principal
# components, and the number of Gaussians and the shrinkage of their covariances are those under which *real
# images left out of the fit* are most likely, over all seeds. No generated image takes part in the choice.

# %%
likelihoods = pd.concat([
    held_out_likelihoods(study.reduction.transform(study.real["train"]), components=[1, 2, 3, 5, 7], random_state=study.seed)
    for study in studies
])  # fmt: skip
choice = best_mixture(likelihoods, random_state=seed)
shown_table = likelihoods.groupby(["components", "shrinkage"], as_index=False)[["fitted", "held_out", "starved"]].mean()
show_table(shown_table.rename(columns={"held_out": "left out"}), name="tbl-choice", digits=2,
           caption="Mean log-density of real images, fitted and left out, and starved components, by number of Gaussians and shrinkage (this build).")  # fmt: skip

# %%
judges = {study.seed: TranslationJudge(study, best_mixture(likelihoods, random_state=study.seed)) for study in studies}
extracted = {study.seed: {"real": study.real["test"], **{n: study.features(m) for n, m in made[study.seed].items()}} for study in studies}
print(f"{choice.n_components} Gaussian(s), shrinkage {choice.shrinkage or 'none'}, in {preset.dimensions} dimensions")

# %% [markdown]
# ## Results: Table 3
#
# QS is the mean calibrated score, the share of held-out real images that score lower: real test images
# get one half. FID, which the paper does not print here, is measured to the training images; with so few
# images it is far from zero even for real ones, and only comparable within this table.
#
# ```{comparison} giqa / Table 3
# ```

# %%
measured = [
    {"model": name, "metric": metric, "seed": one, "value": e.value, "standard_error": e.standard_error, "n": e.n}
    for one, judge in judges.items() for name, f in extracted[one].items()
    for metric, e in (("QS", judge.quality(f)), ("FID", judge.frechet(f)))
]  # fmt: skip
table = combine_seeds(pd.DataFrame(measured), by=["model", "metric"])
for r in table.itertuples():
    run.record(paper="giqa" if r.metric == "QS" and r.model != "real" else "ours", exhibit="Table 3", row=chosen, column=r.model, metric=r.metric,
               value=r.value, standard_error=r.standard_error, n=r.n, seeds=r.seeds, dataset=chosen, key=f"{r.metric.lower()}-{r.model.lower()}")  # fmt: skip
show_table(table[["model", "metric", "value", "standard_error"]], name="tbl-results", caption=f"QS and FID of real test images and of each translator's: {origin} (this build).")

# %%
contrasts = [("pix2pixHD", "pix2pix"), ("SPADE", "pix2pixHD"), ("SPADE", "pix2pix")]
scores = {one: {name: judge.scores(f) for name, f in extracted[one].items()} for one, judge in judges.items()}
gaps = pd.concat([differences(found, contrasts).assign(seed=one) for one, found in scores.items()])
gaps = combine_seeds(gaps, by=["name"])
for r in gaps.itertuples():
    run.record(paper="giqa", exhibit="Table 3", row=chosen, column=r.name, metric="QS difference", value=r.value,
               standard_error=r.standard_error, n=r.n, seeds=r.seeds, dataset=chosen, key=r.name.lower().replace(" ", "-"))  # fmt: skip
show_table(gaps[["name", "value", "standard_error"]], name="tbl-gaps", caption=f"Differences of QS on the same maps: {origin} (this build).")

# %% [markdown]
# In the committed runs on real faces SPADE has the highest QS, {num}`cpu:1_giqa/conditional_generators.qs-spade|.2f`, as in the paper:
# {num}`cpu:1_giqa/conditional_generators.spade-minus-pix2pixhd|.3f` above pix2pixHD and
# {num}`cpu:1_giqa/conditional_generators.spade-minus-pix2pix|.3f` above pix2pix. The last is not settled by three seeds. The paper's other step is not there: pix2pixHD is
# {num}`cpu:1_giqa/conditional_generators.pix2pixhd-minus-pix2pix|.3f` from pix2pix, if anything on the wrong side. Its gain was in large images; at 64 pixels
# and after a short training its two-part generator is the least finished, which the images show. Real test
# images get {num}`cpu:1_giqa/conditional_generators.qs-real|.2f`.

# %%
plot = bars(table[table["metric"] == "QS"], x="model", y="value", error="standard_error", ylabel="QS")
show(plot, name="fig-qs", caption=f"Quality score of each translator's images and of real ones, which is what a perfect translator would get. Real images are {origin}.")

# %%
plot = score_distributions(scores[seed], xlabel="calibrated GMM score")
show(plot, name="fig-distributions", caption=f"Calibrated scores of the translations and of the real images of the same maps, first seed. Real images are {origin}.")

# %% [markdown]
# ## Controls
#
# Real test images must get one half within their error, blurred and noisy copies of them less.

# %%
spoilt = {kind: degrade(first.test.images, kind, 0.5, torch.Generator().manual_seed(seed)) for kind in ("blur", "noise")}
found = {"real": judges[seed].quality(first.real["test"])}
found |= {kind: judges[seed].quality(first.features(first.encoded(images))) for kind, images in spoilt.items()}
passed = {"real": abs(found["real"].value - 0.5) < 4 * found["real"].standard_error}
passed |= {kind: found[kind].high < found["real"].low for kind in spoilt}
for kind, estimate in found.items():
    run.record(paper="ours", exhibit="control", row=kind, column="pass" if passed[kind] else "FAIL", metric="QS", value=estimate, seeds=[seed], dataset=chosen)
control = pd.DataFrame([{"images": kind, "QS": e.value, "low": e.low, "high": e.high, "control": "pass" if passed[kind] else "FAIL"} for kind, e in found.items()])
show_table(control, name="tbl-controls", caption=f"Quality score of real test images and of spoilt copies of them, with 95 % intervals of the bootstrap: {origin} (this build).")

# %% [markdown]
# ## Where it fails: the score does not look at the map
#
# A cheat that answers every map with some training photograph is no translator. QS sees only that its
# images are real, and rates them as such. The distance to the true image (mean absolute difference of pixels)
# sees that they are other people; but it likes the blurred average that a loss in pixels learns. Neither number
# replaces the other.

# %%
cheat = torch.from_numpy(np.random.default_rng(seed).permutation(len(first.train))[: len(first.test)])
answers = {"real": real[seed], "any training image": first.encoded(first.train.images[cheat]), **made[seed]}
rows = []
for name, images in answers.items():
    far = (images.float() - real[seed].float()).abs().mean((1, 2, 3)).numpy()
    estimate = judges[seed].quality(first.features(images))
    rows.append({"images": name, "QS": estimate.value, "its error": estimate.standard_error, "distance to the true image": far.mean()})
    run.record(paper="ours", exhibit="failure", row=name, column="first seed", metric="QS", value=estimate, seeds=[seed], dataset=chosen,
               key=f"failure-qs-{name.replace(' ', '-').lower()}")  # fmt: skip
    run.record(paper="ours", exhibit="failure", row=name, column="first seed", metric="distance to the true image", value=far.mean(),
               standard_error=far.std(ddof=1) / np.sqrt(len(far)), n=len(far), seeds=[seed], dataset=chosen, key=f"failure-distance-{name.replace(' ', '-').lower()}")  # fmt: skip
show_table(pd.DataFrame(rows), name="tbl-failure", caption=f"A cheat that ignores the maps, judged by QS and by the distance to the true images: {origin} (this build).")

# %% [markdown]
# In the committed runs the cheat has a QS of {num}`cpu:1_giqa/conditional_generators.failure-qs-any-training-image|.2f`, above every
# translator, and lies {num}`cpu:1_giqa/conditional_generators.failure-distance-any-training-image|.0f` grey levels from the true images, farther than
# pix2pix with {num}`cpu:1_giqa/conditional_generators.failure-distance-pix2pix|.0f`. SPADE, the best by QS, is the
# farthest of the three translators: {num}`cpu:1_giqa/conditional_generators.failure-distance-spade|.0f`.
#
# ## Differences from the paper
#
# ```{deviations} 1_giqa/conditional_generators
# ```
#
# ## What to try
#
# - `shown=40000` trains five times as long as the cpu profile, or more.
# - `dataset=toy-faces` needs no data; `dataset=cityscapes` wants its folders `leftImg8bit` and `gtFine` in `GIQA_DATA`.
# - `profile=paper device=cuda` has the papers' networks at 256 pixels.

# %%
record = run.save(output)
