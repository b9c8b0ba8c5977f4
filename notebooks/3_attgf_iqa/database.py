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
# # A database of generated faces
#
# A model that is to judge faces of *any* generator needs faces of several, with something known of their quality:
# pairs whose order a machine is sure of to learn from, and opinions to test on.
# **Do four families of generators leave different marks on their faces, and can pairs be had without asking anyone?**
#
# ```{reproduce} 3_attgf_iqa/database
# ```
#
# ## What the paper claims
#
# {cite:t}`tian2022attgfiqa` make GFID of four released models of CelebA-HQ: PENNet {cite:p}`zeng2019pennet` fills holes, ProGAN
# {cite:p}`karras2018pggan` and StyleGAN {cite:p}`karras2019stylegan` make faces of nothing, StarGAN {cite:p}`choi2018stargan`
# changes attributes. Their average spectra are shown to differ from each other and from real faces (Figure 2), and the
# opinion scores of the test images to span a wide range (Figure 3).
#
# ```{claims} 3_attgf_iqa/database
# ```

# %% tags=["parameters"]
profile: str = "quick"  # quick | cpu | paper: sizes and lengths of training
dataset: str = "toy-faces"  # celebamask | toy-faces; anything else, or a set that is not here: toy-faces
seed: int = 0  # decides the split of the faces, the training, latents, holes, pairs and votes
device: str = "cpu"  # cpu or cuda
output: str = ""  # folder for the record; empty: none is written
longer: float = 1.0  # every family is trained that many times as long as the profile says
permutations: int = 9999  # of the test of spectra

# %% tags=["hide-input"]
import tempfile
from dataclasses import replace

import numpy as np
import pandas as pd
import torch

from giqa_lib.applications.attgf import QUALITY_PRESETS, QualityStudy, compare_spectra, false_alarms, name_by_spectrum, profile_table
from giqa_lib.applications.pairs import PairSettings, construct_pairs
from giqa_lib.data import find, load_quality_database, save_quality_database
from giqa_lib.evaluation import average_spectrum, bootstrap, radial_profiles, srcc
from giqa_lib.figures import coloured_maps, curves, image_grid, matrix, score_distributions, score_points, spectra
from giqa_lib.results import Run, show, show_table
from giqa_lib.store import default_store

# %% tags=["hide-input"]
names = ("profile", "dataset", "seed", "device", "output", "longer", "permutations")
run = Run("3_attgf_iqa/database", {name: globals()[name] for name in names})
chosen = dataset if dataset == "celebamask" and find(dataset) is not None else "toy-faces"
origin = "toy faces, a stand-in for photographs" if chosen == "toy-faces" else f"photographs of {chosen}"

# %% [markdown]
# ## The real faces
#
# Faces of CelebAMask-HQ {cite:p}`lee2020maskgan` with hand-made masks of their parts or, where they are not there, *toy faces*: drawn by this
# library, with masks that are exact, a **stand-in** for photographs. A random split gives each face one task: to
# teach the families and the density of real faces; to be what spectra and the simulated truth are compared with; to be
# given holes and other attributes, some for the images to learn from, others for those to test on.

# %%
preset = replace(QUALITY_PRESETS[profile], dataset=chosen).trained_for(longer)
study = QualityStudy(preset, seed=seed, store=default_store(), device=device, progress=False)
tasks = {"train": "teach families and density", "reference": "compared with", "sources": "changed, to learn from", "test_sources": "changed, to test on"}
split = pd.DataFrame([{"task": tasks[name], "faces": len(part)} for name, part in study.faces.items()])
show_table(split, name="tbl-split", caption=f"Real faces at {preset.size} pixels a side: {origin} (this build).")

# %%
shown = study.faces["train"].subset(np.arange(min(10, preset.train)))
faces = torch.cat([shown.images, coloured_maps(shown.maps, classes=len(study.classes))])
show(image_grid(faces, columns=10, row_labels=["real", "parts"]), name="fig-faces", caption=f"Some of the faces and the maps of their parts: {origin}.")

# %% [markdown]
# ## By hand: pairs of nine images, and the spectrum of a wave
#
# Two things can be worked out without a computer. *Pairs*: sort nine images by their score, cut them into three levels of three, take
# the best of the first and the worst of the third and pair each with two of the second. That gives four pairs, in none of
# which the worse image has the higher score. *Spectrum*: a wave with five periods an image has all its power at five
# cycles an image.

# %%
nine = construct_pairs(np.arange(9.0), PairSettings(ends=1, partners=2), random_state=seed)
show_table(pd.DataFrame(nine, columns=["better", "worse"]), name="tbl-nine", caption="Pairs of nine images whose scores are 0 to 8, each image named by its score.")

# %%
across = torch.arange(preset.size) / preset.size
wave = (128 + 60 * torch.cos(2 * torch.pi * 5 * across)).round().byte().expand(1, 1, preset.size, -1).contiguous()
cycles = 1 + int(radial_profiles(wave)[0].argmax())
right = cycles == 5 and len(nine) == 4 and bool((nine[:, 0] > nine[:, 1]).all())
run.record(paper="ours", exhibit="control", row="pairs and spectrum by hand", column="pass" if right else "FAIL", metric="cycles", value=float(cycles), dataset="synthetic", key="by-hand")
print(f"the wave's power lies at {cycles} cycles an image")

# %% [markdown]
# ## Four families, and their faults
#
# The released models are not at hand, so all four are trained here, on the same faces, each with its paper's losses, at a small width
# and for minutes. Their images are taken at several steps of training, evenly, so that quality varies and a part of
# it is known: how long the generator had trained, and for PENNet how large the hole was.

# %%
FAULTS = {"PENNet": "seams and blur in the hole", "ProGAN": "melted parts", "StarGAN": "stains and grids of colour", "StyleGAN": "melted parts, repeated texture"}
rows = [made.finished[:10] for made in study.made.values()]
plot = image_grid(torch.cat(rows), columns=10, row_labels=list(study.made))
show(plot, name="fig-families", caption=f"Finished generators' images and their usual faults: {'; '.join(f'{n}, {f}' for n, f in FAULTS.items())}. Trained on {origin}.")

# %% [markdown]
# ## Pseudo-opinion
#
# What PENNet fills can be compared with what was there: its pseudo-MOS is the information-weighted SSIM {cite:p}`wang2011iwssim`
# (of images enlarged to the 161 pixels that its pyramid needs). The others' images have no original: theirs is the log-density of
# GMM-GIQA, a mixture fitted to real faces. The two have different units, so pairs never cross from one family to another.
# A first check: does a generator's pseudo-MOS rise as it trains?

# %%
learned = study.train
pseudo = {name: learned.pseudo[learned.domain == number].numpy() for number, name in enumerate(learned.domains)}
rises = [{"family": name, "measure": "IW-SSIM" if made.originals is not None else "log-density", "step": int(step), "mean": pseudo[name][made.steps == step].mean()}
         for name, made in study.made.items() for step in made.steps.unique()]  # fmt: skip
table = pd.DataFrame(rises).assign(place=lambda t: t.groupby("family").cumcount() + 1).pivot(index=["family", "measure"], columns="place", values="mean")
table.columns = [f"step {place} of {preset.snapshots}" for place in table.columns]
show_table(table.reset_index(), name="tbl-pseudo", caption="Mean pseudo-MOS by the training step at which images were taken; rows can't be compared with each other (this build).", digits=2)

# %% [markdown]
# ## Pairs
#
# Section III-A of the paper: each family's images are sorted by pseudo-MOS and cut into three equal levels; the best fifty and the
# worst fifty are each paired with images drawn from the middle level. Scaled by profile; tests hold the counts, and that no
# pair contradicts its scores.

# %%
better, worse = learned.pairs.T
known = torch.cat([made.known for made in study.made.values()])
rows = []
for number, name in enumerate(learned.domains):
    own = learned.domain[better] == number
    gap = known[better[own]] - known[worse[own]]
    wrong = float((gap < 0).double().mean() / (gap != 0).double().mean())
    rows.append({"family": name, "images": int((learned.domain == number).sum()), "pairs": int(own.sum()), "against what is known": wrong})
    run.record(paper="ours", exhibit="pairs", row=name, column="against what is known", metric="share", value=wrong, seeds=[seed], dataset=chosen, key=f"wrong-{name.lower()}")
show_table(pd.DataFrame(rows), name="tbl-pairs", caption="Images and pairs to learn from, and the share of pairs whose 'better' image is known to be the worse by step or hole, of those that differ in it (this build).")

# %% [markdown]
# In the committed run on photographs a share of {num}`cpu:3_attgf_iqa/database.wrong-pennet|.2f` of PENNet's pairs and {num}`cpu:3_attgf_iqa/database.wrong-progan|.2f` of ProGAN's contradict
# what is known. **Of StarGAN's and StyleGAN's it is most of them**, {num}`cpu:3_attgf_iqa/database.wrong-stargan|.2f` and {num}`cpu:3_attgf_iqa/database.wrong-stylegan|.2f`. A later image
# is not always the better one; but a density that prefers earlier images in most pairs is no guide to these two.
#
# ## The test images: Table I
#
# As in the paper more images are made than needed, and those whose segmentation is richest in parts are kept, so that the families'
# counts come out unequal. The richness is a number here, the effective number of parts by their areas; the paper gives none.
#
# ```{comparison} attgf-iqa / Table I
# ```

# %%
tested = study.test
counts = torch.bincount(tested.domain, minlength=4).tolist()
for name, count in zip(tested.domains, counts, strict=True):
    run.record(paper="attgf-iqa", exhibit="Table I", row=name, column="GFID test", metric="images", value=count, n=len(tested), seeds=[seed], dataset=chosen)
kinds = {"PENNet": "inpainting", "ProGAN": "generation", "StarGAN": "attribute change", "StyleGAN": "generation"}
table = pd.DataFrame({"family": tested.domains, "task": [kinds[name] for name in tested.domains], "made": preset.tested, "kept": counts})
show_table(table, name="tbl-test", caption=f"Test images by family: made, and kept for the richness of their parts. Trained on {origin} (this build).")

# %% [markdown]
# ## Average spectra: Figure 2
#
# The spectrum of each image (luminance, Hann window, log power) is averaged over a set; its mean over angles is the radial profile.
# Compared are real faces that no family has seen and the test images of the finished generators. Every two sets are put
# to a permutation test: are their mean profiles farther apart than those of random divisions of the same images? (PENNet's and StarGAN's
# are made of the same faces, which makes their comparison the more careful.)

# %%
sets = {"real": study.real("reference"), **{name: made.finished for name, made in study.shown.items()}}
plot = spectra({name: average_spectrum(images).numpy() for name, images in sets.items()}, reference="real")
show(plot, name="fig-spectra", caption=f"Average spectra of real faces and of each family's, and their differences. Real faces and training: {origin}.")

# %%
profiles = profile_table(sets)
plot = curves(profiles, x="frequency", y="power", error="standard_error", by="set", xlabel="Frequency in cycles a pixel", ylabel="Mean log10 power")
show(plot, name="fig-profiles", caption=f"Radial profiles of the spectra, ± 1.96 standard errors over images. Real faces and training: {origin}.")

# %%
compared = compare_spectra(sets, permutations=permutations, random_state=seed)
for r in compared.itertuples():
    run.record(paper="attgf-iqa", exhibit="Figure 2", row=r.first, column=r.second, metric="spectrum distance", value=r.distance, seeds=[seed], dataset=chosen, key=f"distance-{r.first.lower()}-{r.second.lower()}")
worst = compared.loc[compared["p"].idxmax()]
run.record(paper="attgf-iqa", exhibit="Figure 2", row="real and four families", column="all ten comparisons", metric="largest p value", value=worst["p"], standard_error=worst["error"], n=permutations, seeds=[seed], dataset=chosen, key="largest-p")
show_table(compared.drop(columns="error"), name="tbl-spectra", digits=4, caption="Distance of mean radial profiles, in deviations between images, and p by permutation; its smallest possible value is one over the permutations (this build).")

# %% [markdown]
# In the committed run the faces made of nothing, ProGAN's and StyleGAN's, differ from real ones and from all others by the smallest p there can
# be or nearly so, at distances of {num}`cpu:3_attgf_iqa/database.distance-real-progan|.2f` and {num}`cpu:3_attgf_iqa/database.distance-real-stylegan|.2f` from real: they lack fine detail.
# **PENNet's, which keep most of a real face, can't be told from real ones** (distance {num}`cpu:3_attgf_iqa/database.distance-real-pennet|.2f`, the largest p,
# {num}`cpu:3_attgf_iqa/database.largest-p|.2f`), and StarGAN's only just. So *all* do not differ.
#
# Is the mark on each image or only on the average? Half of each set's images give mean profiles, by which the other half's images are
# named one by one.

# %%
shares, right = name_by_spectrum(sets, random_state=seed)
run.record(paper="ours", exhibit="spectra", row="one image's profile", column="named rightly", metric="accuracy", value=right, seeds=[seed], dataset=chosen, key="named")
plot = matrix(shares, label="share of the row's images")
show(plot, name="fig-named", caption=f"What images of each set (rows) are taken for (columns) by their radial profile alone; a fifth would be chance. Trained on {origin}.")

# %% [markdown]
# In the committed run {num}`cpu:3_attgf_iqa/database.named|.2f` of the images are named rightly, most of ProGAN's and few of PENNet's.
#
# ## Opinion scores: Figure 3
#
# **Nobody looked at these images.** The votes are those of a **simulated panel** ({doc}`opinion`), made from a stand-in for quality that is not the pseudo-MOS: the distance
# to real faces in another network's features, and what is known of step and hole. They go through screening, z-scores and rescaling as
# the paper's did.

# %%
mos = {name: tested.mos[tested.domain == number].numpy() for number, name in enumerate(tested.domains)}
everything = tested.mos.numpy()
span = bootstrap(lambda rows: float(np.subtract(*np.quantile(rows, [0.99, 0.01]))), everything, random_state=seed)
run.record(paper="attgf-iqa", exhibit="Figure 3", row="all families", column="simulated panel", metric="MOS span", value=span, seeds=[seed], dataset=chosen, key="mos-span")
for name, values in mos.items():
    run.record(paper="attgf-iqa", exhibit="Figure 3", row=name, column="simulated panel", metric="mean MOS", value=values.mean(), standard_error=values.std(ddof=1) / len(values) ** 0.5, n=len(values), seeds=[seed], dataset=chosen, key=f"mos-{name.lower()}")
show(score_distributions(mos, xlabel="MOS of a simulated panel", bins=20), name="fig-mos", caption=f"Histogram of the simulated MOS by family. No people voted. Trained on {origin}.")

# %%
show(score_points(mos, ylabel="MOS of a simulated panel"), name="fig-mos-points", caption=f"Simulated MOS of every test image by family. No people voted. Trained on {origin}.")

# %% [markdown]
# In the committed run the simulated scores span {num}`cpu:3_attgf_iqa/database.mos-span|.1f` points, less than the seventy that the paper's figure shows, with the families made of a real
# face ahead: PENNet {num}`cpu:3_attgf_iqa/database.mos-pennet|.1f` and StarGAN {num}`cpu:3_attgf_iqa/database.mos-stargan|.1f` against ProGAN {num}`cpu:3_attgf_iqa/database.mos-progan|.1f` and StyleGAN
# {num}`cpu:3_attgf_iqa/database.mos-stylegan|.1f`.
#
# ## Controls
#
# Random halves of the real faces have one spectrum: the test may say otherwise only as often as its level. The faces left aside and those that the
# families learned from are of one kind too. And a spectrum must tell blurred faces from themselves.

# %%
real, blurred = sets["real"], torch.nn.functional.avg_pool2d(sets["real"].float(), 3, 1, 1).byte()
alarms = false_alarms(real, random_state=seed)
p = {name: compare_spectra({"a": real, "b": other}, permutations=permutations, random_state=seed)["p"].item() for name, other in (("seen faces", study.real("train")), ("blurred faces", blurred))}
rows = [("share of random halvings said to differ (p at most 0.01)", alarms.value, alarms.low <= 0.01), ("p of unseen and seen faces", p["seen faces"], p["seen faces"] > 0.01),
        ("p of faces and the same blurred", p["blurred faces"], p["blurred faces"] < 0.01)]  # fmt: skip
for what, value, passed in rows:
    run.record(paper="ours", exhibit="control", row=what, column="pass" if passed else "FAIL", metric="share or p", value=value, seeds=[seed], dataset=chosen)
rows = [{"what": what, "value": value, "control": "pass" if passed else "FAIL"} for what, value, passed in rows]
show_table(pd.DataFrame(rows), name="tbl-controls", digits=4, caption="The test of spectra where the answer is known (this build).")

# %% [markdown]
# ## Kept as Parquet
#
# Both databases can be saved as Parquet in the Hugging Face convention with a datasheet, and come back bit for bit.

# %%
sheet = {"Motivation": "Training and testing of measures of quality of generated faces, after GFID.", "Composition": f"Images of four families of generators trained on {origin}.",
         "Collection": "Made by giqa_lib.applications.attgf.QualityStudy; no person was asked.", "Labels": "pseudo: IW-SSIM or a log-density, per domain; mos: a simulated panel's, a stand-in.",
         "Uses": "Studies of method. Not evidence about people's opinion.", "Licence": "As the faces that the generators were trained on."}  # fmt: skip
folder = save_quality_database(learned, f"{tempfile.mkdtemp()}/faces", title="Generated faces, to learn from", datasheet=sheet)
again = load_quality_database(folder)
same = torch.equal(again.images, learned.images) and torch.equal(again.pairs, learned.pairs) and torch.equal(again.pseudo, learned.pseudo)
print(f"{len(again)} images and {len(again.pairs)} pairs; the same bit for bit: {same}")

# %% [markdown]
# ## Where it fails: the pseudo-opinion is not the opinion
#
# Pairs are only as good as the score that made them. Within a family, how far does the pseudo-MOS rank test images as the
# (simulated) opinion does? And what a likelihood likes, a blank wall has in plenty: the share of pairs against what is known, in the
# table above, is the error that a model is taught.

# %%
rows = []
for number, name in enumerate(tested.domains):
    own = tested.domain == number
    found = bootstrap(srcc, tested.pseudo[own].numpy(), tested.mos[own].numpy(), random_state=seed)
    rows.append({"family": name, "SRCC": found.value, "low": found.low, "high": found.high})
    run.record(paper="ours", exhibit="failure", row=name, column="pseudo-MOS with simulated MOS", metric="SRCC", value=found, seeds=[seed], dataset=chosen, key=f"pseudo-srcc-{name.lower()}")
show_table(pd.DataFrame(rows), name="tbl-failure", caption="Rank correlation of the pseudo-MOS with the simulated MOS within each family, with 95 % intervals of the bootstrap (this build).")

# %% [markdown]
# In the committed run the pseudo-MOS knows a little of the simulated opinion in three families, {num}`cpu:3_attgf_iqa/database.pseudo-srcc-pennet|.2f` in PENNet,
# {num}`cpu:3_attgf_iqa/database.pseudo-srcc-progan|.2f` in ProGAN, {num}`cpu:3_attgf_iqa/database.pseudo-srcc-stargan|.2f` in StarGAN, and nothing of it in StyleGAN, {num}`cpu:3_attgf_iqa/database.pseudo-srcc-stylegan|.2f`. That is what a
# model trained on these pairs has to learn from ({doc}`generalisation`).
#
# ## Differences from the paper
#
# ```{deviations} 3_attgf_iqa/database
# ```
#
# ## What to try
#
# - `dataset=celebamask` takes photographs, where the data set is there.
# - `longer=3` trains every family three times as long; what was trained before is not lost, it lies under its own key.
# - `profile=paper device=cuda` has the papers' networks at 256 pixels, 15,000 images a family and 200,000 pairs.

# %%
record = run.save(output)
