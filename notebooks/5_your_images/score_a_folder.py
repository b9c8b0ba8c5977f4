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
# # Score a folder of images
#
# You have a folder of real images and one or more folders of generated ones. **Which of the generated
# images are worth keeping, and which generator is better?**
#
# ```{reproduce} 5_your_images/score_a_folder
# ```
#
# ## What is claimed
#
# No paper is judged here. The chapter is a template: give it your own folders, zips or Parquet files,
#
# ```bash
# giqa book run 5_your_images/score_a_folder -p real=$PWD/photos -p "generated=[old=$PWD/run1, new=$PWD/run2]" --to out
# ```
#
# and it makes this page of them. Without folders it writes some: images of a data set, and degraded
# copies of others that are **a stand-in for generated images**; the known strength of each degradation is a stand-in for
# people's opinions. Each step below is also a command of its own, named beside it.

# %% tags=["parameters"]
profile: str = "quick"  # quick | cpu | paper: how many images the stand-in has
dataset: str = "fashion-mnist"  # the stand-in's data set, with the splits train and test
seed: int = 0  # decides the stand-in, what is held out, and every resample
device: str = "cpu"  # cpu or cuda
output: str = ""  # folder for the record; empty: none is written
real: str = ""  # folder, .zip or .parquet of real images; empty: the stand-in
generated: list[str] = []  # sets to score and compare, each PATH or NAME=PATH; empty: the stand-in
opinions: str = ""  # table (name, opinion) for the first set: .csv, .parquet, .json; empty: the stand-in's
extractor: str = "efficientnet_lite0@64"  # features; efficientnet_lite0 alone for photographs
density: str = "gmm"  # gmm | knn | sgm
components: int = 7  # Gaussian components of gmm
keep: float = 0.5  # share of the first set that is picked
folder: str = ""  # where scores, gallery and picked images are left; empty: a temporary folder

# %% tags=["hide-input"]
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from giqa_lib.applications.folders import ScorerSettings, compare_sets, fit_scorer, load_scorer, write_stand_in
from giqa_lib.applications.opinion import opinion_agreement
from giqa_lib.cli import contact_sheet, named_set, read_table, thumbnails, write_picked, write_scores
from giqa_lib.data import open_images, resize
from giqa_lib.features import extract, extractor as extractor_named
from giqa_lib.figures import bars, cumulative_scores, image_grid
from giqa_lib.results import Run, show, show_table
from giqa_lib.scores import RankCalibration, pick
from giqa_lib.store import default_store

# %% tags=["hide-input"]
SIZES = {"quick": (600, 160), "cpu": (5000, 1000), "paper": (20_000, 5000)}
names = ("profile", "dataset", "seed", "device", "output", "real", "generated", "opinions", "extractor", "density", "components", "keep")
run = Run("5_your_images/score_a_folder", {name: globals()[name] for name in names})
place = Path(folder or tempfile.mkdtemp(prefix="giqa-"))
store = default_store()

# %% [markdown]
# ## The folders

# %%
stand_in = None
if not real:
    stand_in = write_stand_in(place / "images", dataset=dataset, real=SIZES[profile][0], generated=SIZES[profile][1], seed=seed)
real_images = open_images(real or stand_in.real)
paths = dict(map(named_set, generated)) or stand_in.generated
sets = {name: open_images(path) for name, path in paths.items()}
first = next(iter(sets))
pd.Series({"real": len(real_images), **{name: len(images) for name, images in sets.items()}}, name="images").to_frame()

# %%
count = min(12, len(real_images), *map(len, sets.values()))
rows = [thumbnails(images, list(range(count)), side=64) for images in (real_images, *sets.values())]
rows = [resize(row, 64) for row in rows]  # small images, to one size with larger ones
grid = image_grid(torch.cat(rows), columns=count, row_labels=["real", *sets])
show(grid, name="fig-folders", caption="The first images of each set, brought to one size. Where no folders were given, the sets are degraded real images: a stand-in for generated ones.")

# %% [markdown]
# ## By hand: what a calibrated score is
#
# A density gives each image a number without a scale. The calibrated score is the share of real images,
# *held out* from the fit, whose number is lower, a tie counting half. Of four held-out images with the densities below, an
# image of density 2 beats one and ties with one.

# %%
held_out, images = np.array([1.0, 2.0, 3.0, 4.0]), np.array([0.0, 2.0, 2.5, 9.0])
by_hand = [(np.sum(held_out < one) + np.sum(held_out == one) / 2) / 4 for one in images]
check = pd.DataFrame({"density": images, "by hand": by_hand, "library": RankCalibration().fit(held_out).transform(images)})
show_table(check, name="tbl-by-hand", caption="Calibrated scores of four images among four held-out ones, counted and by the library.")

# %% [markdown]
# ## Fit a scorer
#
# `giqa fit REAL --to scorer`. A fifth of the real images is held out. The scorer is a folder of numbers and JSON, without
# pickles; damaged, it is refused. A scorer read back gives the same scores.

# %%
settings = ScorerSettings(extractor=extractor, density=density, components=components, seed=seed)
fitted = fit_scorer(real_images, settings, device=device, store=store)
scorer = load_scorer(fitted.save(place / "scorer"), device=device)
pd.Series({"features": scorer.score.extractor.name, **{k: scorer.describe()[k] for k in ("density", "dimensions", "rule", "held_out_images")}}, name="scorer").to_frame()

# %% [markdown]
# ## Score the sets
#
# `giqa score scorer GENERATED --to scores` writes the table, a contact sheet, and a gallery: one HTML file to
# sort and filter. One half is a typical real image.

# %%
scored = {name: scorer.score_images(images, store=store) for name, images in sets.items()}
for name, found in scored.items():
    target = place / f"scores of {name}"
    target.mkdir(exist_ok=True)
    write_scores(sets[name], found, target, title=name)
scored[first].table.drop(columns="index").head()

# %%
sheet = contact_sheet(sets[first], scored[first], count=40)
show(sheet, name="fig-sheet", caption="The contact sheet of the first set: images at evenly spaced ranks from the best to the worst, with their calibrated scores.")

# %%
calibrated = {name: found.table["calibrated"] for name, found in scored.items()}
plot = cumulative_scores(calibrated, xlabel="Calibrated score", diagonal=True)
show(plot, name="fig-distributions", caption="Share of each set's images at or below each calibrated score. A set like the real images follows the diagonal; one above it has more poor images.")

# %% [markdown]
# ## Do people agree?
#
# `giqa agree scores opinions.csv`. Without a table of opinions, one minus the strength of each degradation stands in for them. In the full run the rank correlation is
# {num}`cpu:5_your_images/score_a_folder.srcc`: a density sees much in an image that is not the damage. For single images that is little; over a set it adds up, as
# the next table shows.

# %%
people = read_table(Path(opinions), columns=("name", "opinion")) if opinions else None
if stand_in is not None and people is None:
    people = stand_in.opinions.get(first)
agreement = pd.DataFrame({"measure": ["none: no opinions were given"]})
if people is not None:
    both = scored[first].table.merge(people, on="name")
    agreement = opinion_agreement(both["calibrated"], both["opinion"].astype(float), seed=seed)
    for r in agreement.dropna().itertuples():
        run.record(paper="ours", exhibit="agreement", row=first, column=density, metric=r.measure, value=r.value,
                   standard_error=r.standard_error, n=r.n, seeds=[seed], dataset=dataset, key=r.measure.lower())  # fmt: skip
show_table(agreement, name="tbl-agreement", caption="Agreement of the scores with opinions (in the stand-in: one minus the strength of the degradation).")

# %% [markdown]
# ## Compare the generators
#
# `giqa compare REAL a=GENERATED b=OTHER --to comparison`. Held-out real images are judged beside them: what they
# get is what a perfect generator would get from so many images: in the full run a mean calibrated score of {num}`cpu:5_your_images/score_a_folder.qs-real-held-out`. The careful
# stand-in gets {num}`cpu:5_your_images/score_a_folder.qs-careful`, the careless one {num}`cpu:5_your_images/score_a_folder.qs-careless`.

# %%
def judged(space, extra):
    """All measures of the sets and of ``extra`` subsets of the first set, in one feature space."""
    network = extractor_named(space, device=device)
    values = {name: extract(images, network, store=store).values for name, images in sets.items()}
    values |= {name: extract(sets[first], network, store=store, indices=np.sort(i)).values for name, i in extra.items()}
    reference = extract(real_images, network, store=store).values
    return compare_sets(real=reference, generated=values, settings=settings).table

# %%
compared = judged(extractor, {})
shares = compared[compared["measure"].isin(["QS", "DS", "precision", "recall", "coverage"])]
plot = bars(shares, x="measure", y="value", by="set", error="standard_error", ylabel="Value (higher is better)")
show(plot, name="fig-compare", caption="Quality score, diversity score, precision, recall and coverage of each set, with held-out real images as the yardstick.")

# %%
for r in compared.itertuples():
    run.record(paper="ours", exhibit="comparison", row=r.set, column=density, metric=r.measure, value=r.value,
               standard_error=r.standard_error, n=r.n, seeds=[seed], dataset=dataset,
               key=f"{r.measure}-{r.set}".lower().replace(", ", "-").replace(" ", "-") if stand_in else "")  # fmt: skip
wide = compared.pivot(index="set", columns="measure", values="value").loc[list(dict.fromkeys(compared["set"]))].reset_index()
show_table(wide[["set", "FID", "KID", "QS", "DS", "precision", "recall"]], name="tbl-compare", caption="The measures of each set (this build). FID and KID are of this extractor's features.")

# %% [markdown]
# ## Pick, and do not believe the picker
#
# `giqa pick scores GENERATED --keep 50% --how copy --to best` copies the best files. Picked images look good by the
# score that picked them; so the picked, and as many drawn at random, are also compared with the real images in
# another feature space, raw pixels. All sets are cut to one size, so the numbers are not those above. In the full run the picked half
# is nearer to real images in the scorer's own space (FID {num}`cpu:5_your_images/score_a_folder.fid-drawn-own` drawn, {num}`cpu:5_your_images/score_a_folder.fid-picked-own` picked), and in pixels too
# ({num}`cpu:5_your_images/score_a_folder.fid-drawn-pixels` and {num}`cpu:5_your_images/score_a_folder.fid-picked-pixels`): what was gained is not the scorer's fancy alone.

# %%
places = pick(scored[first].table["raw"], share=keep)
picked = scored[first].table.iloc[places]
write_picked(sets[first], picked["name"].tolist(), place / "picked")
drawn = np.random.default_rng(seed).permutation(len(scored[first].table))[: len(picked)]
chosen = {"picked": picked["index"], "drawn": scored[first].table["index"].iloc[drawn]}

# %%
spaces = {"own": judged(extractor, chosen), "pixels": judged("pixels@16", chosen)}
table = pd.concat(found.assign(space=space) for space, found in spaces.items())
for r in table[table["measure"].eq("FID") & table["set"].isin(chosen)].itertuples():
    run.record(paper="ours", exhibit="picked", row=r.set, column=r.space, metric="FID", value=r.value, standard_error=r.standard_error,
               n=r.n, seeds=[seed], dataset=dataset, key=f"fid-{r.set}-{r.space}")  # fmt: skip
fid = table[table["measure"] == "FID"].pivot(index="set", columns="space", values="value").loc[["real, held out", *sets, *chosen], list(spaces)]
show_table(fid.reset_index(), name="tbl-picked", caption="Fréchet distance to the real images (lower is better) in the score's own feature space and in raw pixels: of the sets, and of the picked and as many drawn images of the first set.", digits=1)

# %% [markdown]
# ## Controls
#
# Real images that the scorer has not seen must score like those that calibrated it, and an image's score must not
# depend on what else is scored.

# %%
half = compared[(compared["set"] == "real, held out") & (compared["measure"] == "QS")].iloc[0]
passed = abs(half["value"] - 0.5) < 4 * half["standard_error"]
control = run.record(paper="ours", exhibit="control", row="real against real", column="pass" if passed else "FAIL", metric="QS",
                     value=half["value"], standard_error=half["standard_error"], n=half["n"], seeds=[seed], dataset=dataset)  # fmt: skip

# %%
few = sets[first].subset(np.sort(scored[first].table["index"].iloc[:5].to_numpy()))
alone = scorer.score_images(few).table.set_index("name")["raw"]
company = scored[first].table.set_index("name")["raw"].loc[alone.index]
same = run.record(paper="ours", exhibit="control", row="score alone and in company", column="pass" if alone.equals(company) else "FAIL",
                  metric="largest change", value=(alone - company).abs().max(), n=5, seeds=[seed], dataset=dataset)  # fmt: skip

# %% [markdown]
# ## Where it fails
#
# A density is no judge of sense. Images without content have features of little length, and may well lie near those of
# real ones. Here are blank images of five greys, scored like any other. A blank image with a score above one half
# is a reason to look at what was picked, and to try another extractor or a classifier trained on your own
# images ({doc}`/notebooks/1_giqa/features`). In the full run the best of the five got {num}`cpu:5_your_images/score_a_folder.blank`.

# %%
side = real_images[0].shape[-2:]
greys = torch.tensor([0, 64, 128, 192, 255], dtype=torch.uint8)[:, None, None, None].expand(5, 1, *side).contiguous()
blank = scorer.score_images(open_images(greys)).table.set_index("index")["calibrated"].sort_index()
failure = run.record(paper="ours", exhibit="failure", row="blank images", column=density, metric="highest calibrated score", value=blank.max(), n=5, seeds=[seed], dataset=dataset, key="blank")
show(image_grid(greys, columns=5, titles=[f"{value:.3f}" for value in blank]), name="fig-blank", caption="Blank images and their calibrated scores.")

# %% [markdown]
# ## What to try
#
# - Your own folders: see the command at the top. `folder=` keeps scores, galleries and picked images.
# - `extractor=efficientnet_lite0` for photographs; `density=knn`; more `components` where there are thousands of real images.
# - A sweep: the same notebook once for each folder, under different `--to`.

# %%
record = run.save(output)
