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
# # F: how five opinions become one loss
#
# Five discriminators judge an image, and the generator must be told one number. **Does it matter how the five are put together, and
# does it matter whether they differ from each other?**
#
# ```{reproduce} 4_gman/aggregation
# ```
#
# ## What is claimed
#
# {cite:t}`durugkar2017gman` train the generator on $F(V_1, \dots, V_N)$: the largest value, or a soft mean with weights
#
# $$ w_i = \frac{e^{\lambda V_i}}{\sum_j e^{\lambda V_j}} $$ (eq-weights)
#
# in an arithmetic, geometric or harmonic mean, with $\lambda$ fixed or learned by the generator; their discriminators differ by dropout and see separate images. The report
# {cite:p}`xu2018gman` names $F = \text{mean}$ and trains on the mean of the *probabilities*. It finds that "using 5 of the same discriminator is too similar to using 1",
# and yet its five are of the same make and see the same images.
#
# ```{claims} 4_gman/aggregation
# ```

# %% tags=["parameters"]
profile: str = "quick"  # quick | cpu | paper: sizes and lengths of training
dataset: str = "fashion-mnist"  # a data set with the splits train and test; the report's is mnist
seed: int = 0  # the first seed; each seed has its own split, classifier and trainings
device: str = "cpu"  # cpu or cuda
output: str = ""  # folder for the record; empty: none is written
seeds: int = 0  # how many seeds; 0: the profile's

# %% tags=["hide-input"]
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import torch

from giqa_lib.applications.generators import JUDGE_PRESETS, GeneratorJudge, judge_diversity, log_ratios
from giqa_lib.applications.gman import GMAN_PRESETS, GMAN_VARIANTS, GMANStudy, class_variety
from giqa_lib.applications.snapshots import PRESETS, Study
from giqa_lib.evaluation import combine_seeds
from giqa_lib.figures import bars, curves, image_grid
from giqa_lib.gan import NON_SATURATING, LearnedSoftMean, MaxOfValues, MeanOfProbabilities, MeanOfValues, SoftMean, soft_mean
from giqa_lib.results import Run, show, show_table
from giqa_lib.scores import StarvedComponentWarning
from giqa_lib.store import default_store

# %% tags=["hide-input"]
warnings.simplefilter("ignore", StarvedComponentWarning)  # the quick profile's DS fits on few images
all_seeds = list(range(seed, seed + (seeds or {"quick": 1, "cpu": 3, "paper": 5}[profile])))
several = len(all_seeds) > 1
run = Run("4_gman/aggregation", {name: globals()[name] for name in ("profile", "dataset", "seed", "device", "output", "seeds")})

# %% [markdown]
# ## By hand: whose gradient is followed
#
# One image, three discriminators with logits of minus two, nought and one: the first is not fooled, the last is. With $V_i = -\log\sigma(a_i)$ the generator
# moves along each by
#
# $$ \frac{\partial F}{\partial a_i} = -\frac{\partial F}{\partial V_i}\,\bigl(1 - \sigma(a_i)\bigr). $$ (eq-gradient)
#
# **The mean of values follows the strictest discriminator most, the maximum follows it alone. The mean of probabilities, which the report's code takes, is
# different in kind**: its gradient by $a_i$ is proportional to $\sigma(a_i)(1 - \sigma(a_i))$, so it listens most to the undecided one, and hardly to a discriminator
# that rejects for sure.

# %%
FORMS = {"mean of probabilities": MeanOfProbabilities(), "mean of values": MeanOfValues(), "max": MaxOfValues(), "arithmetic": SoftMean(mean="arithmetic"),
         "geometric": SoftMean(mean="geometric"), "harmonic": SoftMean(mean="harmonic"), "learned": LearnedSoftMean()}  # fmt: skip

# %%
def followed(form: str, *logits: float) -> tuple[float, np.ndarray]:
    """What the generator pays for one image, and each discriminator's share of the gradient."""
    judged = [torch.tensor([value], requires_grad=True) for value in logits]
    paid = FORMS[form].fresh()(NON_SATURATING.generator_loss, judged, torch.ones(1))
    gradients = np.array([float(each) for each in torch.autograd.grad(paid, judged)])
    return float(paid.detach()), gradients / gradients.sum()


# %%
logits = np.array([-2.0, 0.0, 1.0])
share = 1 / (1 + np.exp(-logits))
known = {"mean of values": (-np.log(share).mean(), (1 - share) / (1 - share).sum()), "max": (-np.log(share[0]), np.eye(3)[0]),
         "mean of probabilities": (-np.log(share.mean()), share * (1 - share) / (share * (1 - share)).sum())}  # fmt: skip
found = {form: followed(form, *logits) for form in FORMS}
rows = [{"F": form, "paid": paid, **{f"share of {value:g}": each for value, each in zip(logits, parts, strict=True)}, "by hand": known.get(form, (np.nan,))[0]} for form, (paid, parts) in found.items()]
show_table(pd.DataFrame(rows), name="tbl-by-hand", caption="What the generator pays for one image, and whose gradient it follows (logits minus two, nought, one; lambda one).")

# %%
run.record(paper="ours", exhibit="gradient", row="arithmetic", column="the most lenient of three", metric="share", value=found["arithmetic"][1][2], standard_error=0.0,
           dataset="synthetic", key="lenient-share")  # fmt: skip

# %% [markdown]
# With $\lambda$ from nought upwards a soft mean leads from the plain mean to the maximum; of three means the harmonic one is the smallest. With one
# discriminator all forms are its own loss, to the last bit.

# %%
values = torch.tensor(-np.log(share))
soft = pd.DataFrame({"lambda": s, "mean": mean, "paid": float(soft_mean(values, torch.tensor(float(s)), mean=mean))}
                    for s in np.linspace(0, 8, 33) for mean in ("arithmetic", "geometric", "harmonic"))  # fmt: skip
show(curves(soft, x="lambda", y="paid", by="mean", xlabel="lambda", ylabel="what the generator pays"), name="fig-softness", caption="The soft means of the same three values. All rise to the largest.")

# %%
agrees = all(np.isclose(found[form][0], paid) and np.allclose(found[form][1], parts, atol=1e-6) for form, (paid, parts) in known.items())
ordered = soft.pivot(index="lambda", columns="mean", values="paid")[["harmonic", "geometric", "arithmetic"]]
alone = {followed(form, 0.7)[0] for form in FORMS}
right = agrees and bool((np.diff(ordered.to_numpy(), axis=1) >= -1e-9).all() and (np.diff(ordered.to_numpy(), axis=0) >= -1e-9).all()) and len(alone) == 1
run.record(paper="ours", exhibit="control", row="values and gradients by hand; order of the means; one judge alone", column="pass" if right else "FAIL", metric="share",
           value=float(right), dataset="synthetic", key="control-by-hand")  # fmt: skip
run.table("control")[["row", "column", "value"]]

# %% [markdown]
# ## The trainings
#
# Dense layers, one and five discriminators of the same generator at the start, at the same rates and for the same number of steps. The forms of F have five
# identical discriminators. The last three runs take the mean of values: with dropout rates of their own ("dropout"), with images of their own ("separate"), with both,
# as in the original's code ("different"). A discriminator with images of its own has as many as all others, so the generator then draws five times as many.

# %%
studies = [Study(PRESETS[profile], dataset=dataset, seed=one, store=default_store(), device=device) for one in all_seeds]
gmans = [GMANStudy(study, GMAN_PRESETS[profile]) for study in studies]
settings = replace(JUDGE_PRESETS[profile], scored=min(5000, JUDGE_PRESETS[profile].scored), fitted=min(5000, JUDGE_PRESETS[profile].fitted))
judges = [GeneratorJudge(study, settings, random_state=study.seed) for study in studies]

# %%
shown = torch.cat([gmans[0].images(name, 12) for name in GMAN_VARIANTS])
show(image_grid(shown, columns=12, row_labels=list(GMAN_VARIANTS)), name="fig-images", caption="Images of each run, of the same latents, first seed (this build).")

# %% [markdown]
# ## Images and variety

# %%
judged = pd.concat(one.judged(judge, name) for one, judge in zip(gmans, judges, strict=True) for name in GMAN_VARIANTS)
judged = pd.concat([judged, class_variety(gmans, GMAN_VARIANTS)])
table = combine_seeds(judged, by=["run", "metric"])
wide = table.assign(text=[f"{r.value:.3f} ± {r.standard_error:.3f}" for r in table.itertuples()]).pivot(index="run", columns="metric", values="text")
show_table(wide.loc[list(GMAN_VARIANTS)].reset_index(), name="tbl-judged", caption="Measures of the images of each run, mean over seeds ± standard error (this build).")

# %%
for r in table.itertuples():
    run.record(paper="ours", exhibit="aggregation", row=r.run, column=dataset, metric=r.metric, value=r.value, standard_error=r.standard_error if several else None,
               n=r.n, seeds=r.seeds, dataset=dataset, key=f"{r.metric} {r.run}".lower().replace(" ", "-"))  # fmt: skip
frechet = table[table["metric"] == "FID"]
show(bars(frechet, x="run", y="value", error="standard_error", ylabel="FID"), name="fig-fid", caption="FID of each run (this build; lower is better).")

# %% [markdown]
# The differences seed by seed, as the logarithm to base two of FID's ratio: five identical discriminators over one, each form over the report's, and different
# discriminators over identical ones with the same F.
#
# On MNIST, three seeds and few steps: five identical discriminators with the report's mean of probabilities change FID, against one, by
# {num}`cpu:4_gman/aggregation.log-fid-mean-of-probabilities-over-one-discriminator` in the logarithm to base two (from {num}`cpu:4_gman/aggregation.fid-one-discriminator` to {num}`cpu:4_gman/aggregation.fid-mean-of-probabilities`). **Five of the same
# seem to gain something after equal steps, against the report's own words; three seeds do not settle it**, and a step costs two to three times as much. Of the forms of F the mean of values
# ({num}`cpu:4_gman/aggregation.log-fid-mean-of-values-over-mean-of-probabilities` over the mean of probabilities) and the learned one ({num}`cpu:4_gman/aggregation.log-fid-learned-over-mean-of-probabilities`) are a little better, and **the maximum, which
# follows the strictest discriminator alone, is far worse** ({num}`cpu:4_gman/aggregation.log-fid-max-over-mean-of-probabilities`). The other soft means can't be told apart.

# %%
pairs = [(GMAN_VARIANTS[0], name) for name in GMAN_VARIANTS[1:]] + [("mean of probabilities", name) for name in FORMS if name != "mean of probabilities"]
pairs += [("mean of values", name) for name in ("dropout", "separate", "different")]
changes = combine_seeds(log_ratios(judged[judged["metric"] == "FID"].rename(columns={"value": "FID"}), pairs, metric="FID"), by=["name"])
for r in changes.itertuples():
    run.record(paper="ours", exhibit="aggregation", row=r.name, column=dataset, metric="log2 ratio of FID", value=r.value, standard_error=r.standard_error if several else None,
               n=r.n, seeds=r.seeds, dataset=dataset, key=f"log-fid-{r.name}".lower().replace(" ", "-"))  # fmt: skip
show_table(changes[["name", "value", "standard_error"]], name="tbl-changes", caption="Log ratio of FID to base two; below nought the first named is better (this build).")

# %% [markdown]
# ## Do the discriminators differ?
#
# All five see the same images, in evaluation mode: how do their logits correlate over the images, how often do two of them give different verdicts, how far apart are
# their probabilities? On real test images and on the generator's own.
#
# In the full run identical discriminators are different already: the logits of two of them correlate by {num}`cpu:4_gman/aggregation.correlation-generated-mean-of-values` over generated images, and their
# verdicts differ on {num}`cpu:4_gman/aggregation.disagreement-generated-mean-of-values` of them; five starts are enough. **No sign that dropout and images of their own make them more different**: the correlation
# changes by {num}`cpu:4_gman/aggregation.correlation-dropout-minus-identical` with dropout, by {num}`cpu:4_gman/aggregation.correlation-separate-minus-identical` with images of their own, by {num}`cpu:4_gman/aggregation.correlation-different-minus-identical` with
# both. And the images suffer from dropout ({num}`cpu:4_gman/aggregation.log-fid-dropout-over-mean-of-values` in the logarithm of FID, over identical ones), while images of their own may help a little
# ({num}`cpu:4_gman/aggregation.log-fid-separate-over-mean-of-values`; the generator draws five times as many there).

# %%
rows = []
for one in gmans:
    for name in GMAN_VARIANTS[1:]:
        for images, shown in (("generated", one.images(name, 1000)), ("real", one.study.real.tensor()[:1000])):
            found = judge_diversity(one.verdicts(name, shown))
            rows += [{"run": name, "images": images, "seed": one.study.seed, "metric": m, "value": v, "standard_error": 0.0, "n": len(shown)} for m, v in found.items()]
each = pd.DataFrame(rows)
diversity = combine_seeds(each, by=["run", "images", "metric"])
# %%
for r in diversity.itertuples():
    run.record(paper="ours", exhibit="diversity", row=r.run, column=f"{r.images} images", metric=r.metric, value=r.value, standard_error=r.standard_error if several else None,
               n=r.n, seeds=r.seeds, dataset=dataset, key=f"{r.metric}-{r.images}-{r.run}".lower().replace(" ", "-"))  # fmt: skip
wide = diversity.pivot(index=["run", "images"], columns="metric", values="value").reindex(GMAN_VARIANTS[1:], level="run")
show_table(wide.reset_index(), name="tbl-diversity", caption="How different the five discriminators of each run are, means over pairs and seeds (this build).")
show(bars(diversity[diversity["metric"] == "correlation"], x="run", y="value", by="images", error="standard_error" if several else None, ylabel="correlation of logits"), name="fig-diversity", caption="Mean correlation of two discriminators' logits (this build; one: they say the same).")

# %%
shown = each[(each["metric"] == "correlation") & (each["images"] == "generated")].pivot(index="seed", columns="run", values="value")
for name in ("dropout", "separate", "different"):
    less = shown[name] - shown["mean of values"]
    run.record(paper="ours", exhibit="diversity", row=f"{name} minus identical", column="generated images", metric="correlation", value=less.mean(), n=1000, seeds=all_seeds,
               standard_error=less.std() / np.sqrt(len(less)) if several else None, dataset=dataset, key=f"correlation-{name}-minus-identical")  # fmt: skip
run.table("diversity").query("row.str.endswith('minus identical')")[["row", "metric", "value", "standard_error"]]

# %% [markdown]
# ## A lambda that learns
#
# In the original's code $\lambda$ is no variable of the generator's optimiser. Here it is, and begins at one. For the arithmetic mean its derivative is the weighted variance of the
# $V_i$ minus the reward for a larger $\lambda$: it falls where discriminators differ and rises where they agree. In the full run it fell from one to
# {num}`cpu:4_gman/aggregation.lambda-end`: the generator comes to listen to the plain mean, that is, less to its strictest judge.

# %%
ends = [float(one.snapshots("learned").generator(GMAN_PRESETS[profile].variant_steps).aggregate.softness.detach()) for one in gmans]
run.record(paper="ours", exhibit="lambda", row="after the last step", column=dataset, metric="lambda", value=float(np.mean(ends)), seeds=all_seeds, dataset=dataset,
           standard_error=float(np.std(ends, ddof=1) / np.sqrt(len(ends))) if several else None, key="lambda-end")  # fmt: skip
pd.DataFrame({"seed": all_seeds, "start": 1.0, "end": ends}).round(4)

# %% [markdown]
# ## Where it fails
#
# Two things in the formulas rather than in a training. The weights of a soft mean have a gradient of their own, as in the original's code, so a lenient
# discriminator's share can fall below nought: in the table by hand it is {num}`cpu:4_gman/aggregation.lenient-share|.3f` in the arithmetic mean, which so moves the image that the most lenient one is fooled *less*. And a learned $\lambda$ has no stable place: past the
# point where variance and reward are equal it is driven away from it on either side.
#
# ## Differences from the report
#
# ```{deviations} 4_gman/aggregation
# ```
#
# ## What to try
#
# - `dataset=mnist` or `cifar10` with `GIQA_DATA` set; `seeds=5`.
# - `SoftMean(softness=...)` in a `GMANSettings` of your own: any form trains with any network of {doc}`architecture`.

# %%
record = run.save(output)
