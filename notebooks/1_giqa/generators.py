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
# # Generators: quality and diversity
#
# FID is one number for two things: are the images good, and are they varied? GIQA splits it. QS is
# the mean score of generated images, DS that of real images under a density of the generated ones.
# **Do QS and DS rank generators as FID does, and does DS notice a generator that has collapsed?**
#
# ```{reproduce} 1_giqa/generators
# ```
#
# ## What the paper claims
#
# {cite:t}`gu2020giqa` judge WGAN-GP {cite:p}`gulrajani2017wgangp`, PGGAN {cite:p}`karras2018pggan` and
# StyleGAN {cite:p}`karras2019stylegan` on three sets (their Table 2 and Figure 4): the order of
# QS is that of FID, and DS tells generators of equal quality apart (Eq. 10 and 11):
#
# $$ QS = \frac{1}{N_g} \sum_i S(I_g^i), \qquad DS = \frac{1}{N_r} \sum_i S'(I_r^i), $$ (eq-qs-ds)
#
# where $S$ is fitted to real images and $S'$ to generated ones.
#
# ```{claims} 1_giqa/generators
# ```

# %% tags=["parameters"]
profile: str = "quick"  # quick | cpu | paper: sizes and lengths of training
dataset: str = "fashion-mnist"  # a data set with the splits train and test
seed: int = 0  # the first seed; each seed has its own split, classifier and generators
device: str = "cpu"  # cpu or cuda
output: str = ""  # folder for the record; empty: none is written
seeds: int = 0  # how many seeds; 0: the profile's

# %% tags=["hide-input"]
import warnings

import numpy as np
import pandas as pd
import torch

from giqa_lib.applications.generators import JUDGE_PRESETS, GeneratorJudge, keep_modes, repeat_images
from giqa_lib.applications.snapshots import FAMILIES, FAMILY_PRESETS, PRESETS, Study, family_snapshots
from giqa_lib.evaluation import combine_seeds, diversity_score, quality_score
from giqa_lib.features import PCA
from giqa_lib.figures import curves, image_grid, score_distributions
from giqa_lib.results import Run, show, show_table
from giqa_lib.scores import GaussianMixture, RankCalibration
from giqa_lib.store import default_store

# %% tags=["hide-input"]
SEEDS = {"quick": 1, "cpu": 3, "paper": 3}
all_seeds = list(range(seed, seed + (seeds or SEEDS[profile])))
names = ("profile", "dataset", "seed", "device", "output", "seeds")
run = Run("1_giqa/generators", {name: globals()[name] for name in names})

# %% [markdown]
# ## The generators
#
# Each family is trained on the same real images, at a width and for a time that the profile affords: far below
# the papers'. WGAN-GP takes five critic steps a step; PGGAN grows from 4 pixels; StyleGAN maps its
# latent to styles; the last two give the moving average of their generator. DCGAN is the study's own, trained for longest.

# %%
studies = [
    Study(PRESETS[profile], dataset=dataset, seed=one, store=default_store(), device=device)
    for one in all_seeds
]
judges = {s.seed: GeneratorJudge(s, JUDGE_PRESETS[profile], random_state=seed) for s in studies}
limit = JUDGE_PRESETS[profile].fitted
families = [*FAMILIES, "dcgan"]

# %%
images, features = {}, {}
for study in studies:
    for family in families:
        found = family_snapshots(study, family, FAMILY_PRESETS[profile])
        made = study.encoded(found.images(found.steps[-1], limit, seed=study.seed))
        images[study.seed, family] = made
        features[study.seed, family] = judges[study.seed].extract(made)

# %%
shown = [studies[0].real.tensor()[:12], *(images[seed, family][:12] for family in families)]
labels = ["real", *families]
grid = image_grid(torch.cat(shown), columns=12, row_labels=labels)
show(grid, name="fig-families", caption="Real images and the first twelve images of each generator (this build).")

# %% [markdown]
# ## By hand: half of a known distribution
#
# Two clusters in the plane. One generator draws from both, one from the left alone: its images are as good, but
# half of the real ones have no generated neighbour. QS must stay near one half, DS must fall to about half of it.

# %%
random = np.random.default_rng(seed)
clusters = np.concatenate([random.normal([-4, 0], 1, (1500, 2)), random.normal([4, 0], 1, (1500, 2))])
random.shuffle(clusters)
real, both = clusters[:1500], clusters[1500:]
plane = {"both clusters": both, "left cluster alone": both[both[:, 0] < 0]}
two, rank = GaussianMixture(n_components=2, random_state=seed), RankCalibration()

# %%
by_hand = pd.DataFrame(
    {"generator": name,
     "QS": quality_score(two, real=real, generated=made, calibration=rank, random_state=seed).value,
     "DS": diversity_score(two, generated=made, real=real, calibration=rank, random_state=seed).value}
    for name, made in plane.items()
)  # fmt: skip
show_table(by_hand, name="tbl-by-hand", caption="QS and DS of two generators in the plane whose answers are known.", digits=3)

# %% [markdown]
# ## Figure 4: score distributions
#
# The calibrated score is the share of held-out real images that score lower: real images would be flat.

# %%
mine = judges[seed]
scores = {family: mine.scores(features[seed, family][:5000]) for family in families}
plot = score_distributions({"real": mine.scores(mine.real), **scores}, xlabel="calibrated GMM score")
show(plot, name="fig-distributions", caption="Distribution of the calibrated GMM score for each generator and for real images (this build).")

# %% [markdown]
# ## Table 2: FID, QS and DS
#
# As in the paper 5,000 images are scored and DS is fitted on 20,000 (fewer in quick). Each score is a rank among
# images held out from its fit: one half is perfect, less is worse.

# %%
rows = pd.concat(
    judges[one].judge(features[one, family]).assign(generator=family, seed=one)
    for one in all_seeds for family in families
)
table = combine_seeds(rows, by=["generator", "metric"])
wide = table.assign(text=[f"{v:.3f} ± {e:.3f}" for v, e in zip(table["value"], table["standard_error"], strict=True)])
wide = wide.pivot(index="generator", columns="metric", values="text").loc[families].reset_index()
show_table(wide, name="tbl-generators", caption="Each generator's FID, QS, DS, recall and coverage, mean over seeds ± standard error (this build).")

# %%
spelled = {"wgan-gp": "WGAN-GP", "pggan": "PGGAN", "stylegan": "StyleGAN", "dcgan": "DCGAN"}
for r in table.itertuples():
    paper = "giqa" if r.metric in ("FID", "QS", "DS") and r.generator != "dcgan" else "ours"
    run.record(paper=paper, exhibit="Table 2" if paper == "giqa" else "generators", row=dataset, column=spelled[r.generator],
               metric=r.metric, value=r.value, standard_error=r.standard_error, n=r.n, seeds=r.seeds, dataset=dataset,
               key=f"{r.metric.lower()}-{r.generator}")  # fmt: skip

# %% [markdown]
# ```{comparison} giqa / Table 2
# ```
#
# In the committed runs DCGAN, trained for several times as many steps as the others, has a FID of
# {num}`cpu:1_giqa/generators.fid-dcgan|.1f`, a QS of {num}`cpu:1_giqa/generators.qs-dcgan|.2f` and a DS of
# {num}`cpu:1_giqa/generators.ds-dcgan|.2f`: nearly as varied as real images, and less good. The three that the paper
# compares are stopped early; WGAN-GP, with five critic steps a step, has seen most images, and its DS of
# {num}`cpu:1_giqa/generators.ds-wgan-gp|.2f` is the largest of theirs, StyleGAN's of
# {num}`cpu:1_giqa/generators.ds-stylegan|.2f` the smallest.
#
# ### The paper's order
#
# Differences by seed, so that what the seeds share cancels.

# %%
values = rows.set_index(["seed", "generator", "metric"])["value"]
contrasts = {("QS", "stylegan", "wgan-gp"), ("QS", "pggan", "wgan-gp"), ("DS", "stylegan", "wgan-gp"), ("DS", "pggan", "wgan-gp")}
gaps = combine_seeds(pd.DataFrame(
    {"metric": m, "name": f"{spelled[a]} minus {spelled[b]}", "seed": one,
     "value": values[one, a, m] - values[one, b, m], "standard_error": 0.0, "n": limit}
    for one in all_seeds for m, a, b in sorted(contrasts)
), by=["metric", "name"])  # fmt: skip
several = len(all_seeds) > 1
for r in gaps.itertuples():
    run.record(paper="giqa", exhibit="Table 2", row=r.name, column=dataset, metric=f"{r.metric} difference", value=r.value,
               standard_error=r.standard_error if several else None, n=r.n, seeds=r.seeds, dataset=dataset)  # fmt: skip
show_table(gaps[["metric", "name", "value", "standard_error"]], name="tbl-gaps", caption="Differences of QS and DS between generators (this build).")

# %% [markdown]
# ## What DS depends on
#
# The paper does not say whether DS has its own PCA, nor its number of Gaussians. Both change the value.

# %%
settings, variants = JUDGE_PRESETS[profile], []
for one in all_seeds:
    judge, made = judges[one], features[one, "dcgan"][:limit]
    own = PCA(variance=settings.variance, max_components=settings.max_components).fit(made)
    found = {"as above": {}, "PCA of the generated images": {"reduction": own},
             "a single Gaussian": {"density": GaussianMixture(n_components=1, random_state=seed)},
             "twice the Gaussians": {"density": GaussianMixture(n_components=2 * settings.components, random_state=seed)}}  # fmt: skip
    estimates = {name: judge.diversity(made, **options) for name, options in found.items()}
    variants += [{"DS with": name, "seed": one, "value": e.value, "standard_error": e.standard_error, "n": e.n}
                 for name, e in estimates.items()]  # fmt: skip
choices = combine_seeds(pd.DataFrame(variants), by=["DS with"])

# %%
for r in choices.to_dict("records"):
    run.record(paper="ours", exhibit="DS choices", row=r["DS with"], column="DCGAN", metric="DS", value=r["value"],
               standard_error=r["standard_error"], n=r["n"], seeds=r["seeds"], dataset=dataset)  # fmt: skip
show_table(choices[["DS with", "value", "standard_error"]], name="tbl-choices", caption="DS of the same DCGAN images under other choices (this build).")

# %% [markdown]
# ## A planted collapse
#
# A perfect generator: half of the reference images in place of generated ones, judged against the other half.
# Then it leaves out classes one after another, or repeats fewer and fewer different images. Each image is as good
# as before; DS must fall in order, QS must not.

# %%
planted = []
for study in studies:
    even, odd = (study.reference.subset(np.arange(start, len(study.reference), 2)) for start in (0, 1))
    judge = GeneratorJudge(study, JUDGE_PRESETS[profile], random_state=seed, reference=even)
    perfect, modes = judge.extract(odd), odd.labels
    present = np.argsort(-np.bincount(modes))  # the commonest first
    count = int(np.bincount(modes).max())
    draws = {("classes kept", k): keep_modes(modes, present[:k], count, random_state=seed) for k in (10, 7, 5, 3, 1)}
    draws |= {("share of different images", 1 / d): repeat_images(len(odd), count // d, count, random_state=seed) for d in (1, 3, 10, 30)}
    with warnings.catch_warnings(action="ignore"):  # repeated images starve components: that is planted
        planted += [judge.judge(perfect[chosen]).assign(kind=kind, left=left, seed=study.seed)
                    for (kind, left), chosen in draws.items()]  # fmt: skip
planted = combine_seeds(pd.concat(planted), by=["kind", "left", "metric"])

# %%
for kind, log in (("classes kept", False), ("share of different images", True)):
    part = planted[(planted["kind"] == kind) & (planted["metric"] != "FID")]
    plot = curves(part, x="left", y="value", error="standard_error", by="metric", xlabel=kind, ylabel="value", log_x=log)
    show(plot, name=f"fig-collapse-{kind.split()[0]}", caption=f"QS, DS, recall and coverage of real images in a generator's place, against the {kind} (this build).")

# %%
for r in planted.itertuples():
    run.record(paper="ours", exhibit="planted collapse", row=f"{r.kind} {r.left:.3g}", column="real images", metric=r.metric,
               value=r.value, standard_error=r.standard_error, n=r.n, seeds=r.seeds, dataset=dataset)  # fmt: skip
level = planted.set_index(["kind", "left", "metric"])
falls = {}
for metric in ("DS", "QS"):
    one, all_of = level.loc[("classes kept", 5, metric)], level.loc[("classes kept", 10, metric)]
    error = float(np.hypot(one["standard_error"], all_of["standard_error"]))
    falls[metric] = one["value"] - all_of["value"]
    run.record(paper="giqa", exhibit="Table 2", row="half of the classes minus all", column="real images", metric=f"{metric} difference",
               value=falls[metric], standard_error=error, n=one["n"], seeds=one["seeds"], dataset=dataset,
               key=f"collapse-{metric.lower()}")  # fmt: skip
pd.Series(falls, name="half of the classes minus all").to_frame()

# %% [markdown]
# In the committed runs leaving out half of the classes changes DS by {num}`cpu:1_giqa/generators.collapse-ds|.3f` and QS by
# {num}`cpu:1_giqa/generators.collapse-qs|.3f`: DS sees the collapse. QS moves up or
# down from seed to seed, since classes differ in how typical their images are and other ones are left.
#
# ## Control
#
# Real images that nothing was fitted on, in place of a generator's, must get one half.

# %%
same = mine.quality(mine.real)
passed = abs(same.value - 0.5) < 4 * same.standard_error
control = run.record(paper="ours", exhibit="control", row="real images as a generator", column="pass" if passed else "FAIL",
                     metric="QS", value=same, seeds=[seed], dataset=dataset, key="control-qs")  # fmt: skip
pd.DataFrame({"real images as a generator": [same.value], "standard error": [same.standard_error]})

# %% [markdown]
# ## Where it fails
#
# With one class left nothing in QS says that the rest is missing: QS must never be read alone. And DS has a floor. A
# real image that lies outside all generated ones ranks last among them, by a little or by a lot, so that for a generator
# whose images are all recognisably fake DS is near nought, varied or not: compare DS in the first table with recall and coverage.

# %%
single = {str(k): level.loc[("classes kept", k, "QS"), "value"] for k in (10, 5, 1)}
top = pd.DataFrame({"classes kept": single.keys(), "QS": single.values()})
top["DS"] = [level.loc[("classes kept", k, "DS"), "value"] for k in (10, 5, 1)]
show_table(top, name="tbl-failure", caption="QS and DS of the perfect generator as classes are left out (this build).", digits=3)

# %% [markdown]
# ## Differences from the paper
#
# ```{deviations} 1_giqa/generators
# ```
#
# ## Other people's generators
#
# `giqa_lib.gan.sample` takes any callable from latents to images in $[-1, 1]$. Official generators are
# published as pickles, which run whatever code they hold when they are read; this library never reads
# one. In the authors' own repository and environment, export the network once
# (`torch.export.export(...)`, then `torch.export.save`), or let it write images to a folder, which every chapter takes as
# a data set. The exported program is loaded by `torch.export.load(path).module()`, and is such a callable.
#
# ## What to try
#
# - `dataset=mnist` or `dataset=cifar10`, with `GIQA_DATA` set.
# - `profile=paper` on a GPU trains the papers' numbers of steps.

# %%
record = run.save(output)
