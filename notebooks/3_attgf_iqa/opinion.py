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
# # Opinion scores: from votes to a number
#
# Twenty people look at an image and vote from 1 to 5. Some are strict, some use only the middle of the scale, two are
# thinking of something else. **What is the image's score, and would other people find it again?**
#
# ```{reproduce} 3_attgf_iqa/opinion
# ```
#
# ## What the paper does
#
# {cite:t}`tian2022attgfiqa` follow ITU-R BT.500 {cite:p}`itu2012bt500`: sessions without overlap, a scale of five, observers screened, z-scores per
# observer and session, rescaled to 0 to 100, and the mean over those who are left (Section III-B, Eq. 1 to 3). They claim nothing of
# this procedure and publish no votes, so there is no verdict here: the chapter says what the procedure does, on votes whose truth is known.

# %% tags=["parameters"]
profile: str = "quick"  # quick | cpu | paper: sizes of the database that the panel looks at
dataset: str = "toy-faces"  # celebamask | toy-faces; anything else, or a set that is not here: toy-faces
seed: int = 0  # decides the database, the panels and the splits of observers
device: str = "cpu"  # cpu or cuda
output: str = ""  # folder for the record; empty: none is written
panels: int = 0  # simulated panels; 0: the profile's

# %% tags=["hide-input"]
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from giqa_lib.applications.attgf import QUALITY_PRESETS, QualityStudy, kept_observers, panel_trials
from giqa_lib.applications.opinion import PanelSettings, damaged_votes, rated_opinions, real_opinions, simulate_panel
from giqa_lib.collecting import Judgements, StudyPlan, export_judgements
from giqa_lib.data import find
from giqa_lib.evaluation import bootstrap, mean_opinion_scores, observer_agreement, screen_observers, srcc, standardise_votes, stepped_reliability
from giqa_lib.figures import bars, score_distributions
from giqa_lib.results import Run, show, show_table
from giqa_lib.store import default_store

# %% tags=["hide-input"]
PANELS = {"quick": 10, "cpu": 200, "paper": 1000}
names = ("profile", "dataset", "seed", "device", "output", "panels")
run = Run("3_attgf_iqa/opinion", {name: globals()[name] for name in names})
chosen = dataset if dataset == "celebamask" and find(dataset) is not None else "toy-faces"
count = panels or PANELS[profile]

# %% [markdown]
# ## By hand: three votes, and what Eq. 1 prints
#
# An observer votes 1, 2, 3, another, who is kinder, 3, 4, 5. Per observer, over the images, both have the z-scores -1, 0, 1, and the scores
# lie a sixth of the scale apart: their tastes agree and their kindness is gone. As the paper's indices are printed, the mean runs over *observers* of
# each image. Then every image's z-scores sum to zero, and every image gets the score 50, whatever anybody voted.

# %%
three = pd.DataFrame({"subject": list("aaabbb"), "session": 1, "image": list("xyz") * 2, "vote": [1, 2, 3, 3, 4, 5]})
right = mean_opinion_scores(three).set_index("image")["mos"]
by_image = three.groupby("image")["vote"]
printed = (100 * ((three["vote"] - by_image.transform("mean")) / by_image.transform("std") + 3) / 6).groupby(three["image"]).mean()
agrees = bool(np.allclose(right, [100 / 3, 50, 200 / 3]) and np.allclose(printed, 50))
run.record(paper="ours", exhibit="control", row="three votes by hand", column="pass" if agrees else "FAIL", metric="opinion score of the middle image", value=float(right.iloc[1]), dataset="synthetic", key="by-hand")
by_hand = pd.DataFrame({"image": right.index, "BT.500": right.to_numpy(), "Eq. 1 as printed": printed.to_numpy()})
show_table(by_hand, name="tbl-by-hand", caption="Scores of three images by two observers: z-scores by observer, and as Eq. 1 of the paper is printed.", digits=1)

# %% [markdown]
# ## A simulated panel
#
# The test images of the {doc}`database` go to a panel of twenty. **No people are behind these votes.** Each observer has a bias, a use of
# the scale and a noise of their own; two vote at random. What they look at is the database's stand-in for quality.

# %%
preset = replace(QUALITY_PRESETS[profile], dataset=chosen)
study = QualityStudy(preset, seed=seed, store=default_store(), device=device, progress=False)
votes, truth = study.votes, study.truth
people = votes.groupby("subject")["vote"].agg(["mean", "std"]).assign(careless=votes.groupby("subject")["careless"].first())
print(f"{len(truth)} images, {len(people)} simulated observers, {votes['session'].nunique()} sessions, {len(votes)} votes")

# %%
screened = screen_observers(votes).set_index("subject").drop(columns="votes")
table = people.join(screened).sort_values("rejected", ascending=False).reset_index()
show_table(table.head(8), name="tbl-screening", caption="Simulated observers: their mean vote and its deviation, whether they vote at random, and what BT.500's screening counts of them; the rejected ones first (this build).", digits=2)

# %% [markdown]
# ## Does screening help?
#
# One panel proves little, so many are simulated on the same images. Counted are the careless that screening finds and the careful that it loses;
# compared is how well scores rank the images as the truth does: plain mean votes, z-scored scores of all, of those
# who stay, and, as the best that screening could do, of exactly the careful.

# %%
trials = panel_trials(truth, preset.panel, panels=count, seed=seed)
found, lost = trials["found"].sum() / (count * preset.panel.careless), trials["lost"].sum() / (count * (preset.panel.observers - preset.panel.careless))
for name, share, of in (("careless found", found, preset.panel.careless), ("careful lost", lost, preset.panel.observers - preset.panel.careless)):
    error = (share * (1 - share) / (count * of)) ** 0.5
    run.record(paper="ours", exhibit="screening", row=name, column="simulated panels", metric="share", value=share, standard_error=error, n=count, seeds=[seed], dataset=chosen, key=name.replace(" ", "-"))
print(f"of the careless {found:.0%} are found, of the careful {lost:.1%} lost, in {count} simulated panels")

# %%
LABELS = {"raw": "mean votes of all", "before": "z-scored, all", "after": "z-scored, screened", "best": "z-scored, the careful"}
rows = [{"scores": label, "SRCC": trials[name].mean(), "error": trials[name].std(ddof=1) / count**0.5} for name, label in LABELS.items()]
for r in rows:
    run.record(paper="ours", exhibit="recovery", row=r["scores"], column="truth", metric="SRCC", value=r["SRCC"], standard_error=r["error"], n=count, seeds=[seed], dataset=chosen, key=r["scores"].replace(",", "").replace(" ", "-"))
gain = trials["gain"]
run.record(paper="ours", exhibit="recovery", row="screened minus all", column="truth", metric="SRCC difference", value=gain.mean(), standard_error=gain.std(ddof=1) / count**0.5, n=count, seeds=[seed], dataset=chosen, key="gain")
plot = bars(pd.DataFrame(rows), x="scores", y="SRCC", error="error", ylabel="Rank correlation with the truth")
show(plot, name="fig-recovery", caption="How well opinion scores of simulated panels rank the images as the truth does; ± 1.96 standard errors over panels. No people voted.")

# %% [markdown]
# In the committed run on generated photographs screening finds {num}`cpu:3_attgf_iqa/opinion.careless-found|.3f` of the careless, loses {num}`cpu:3_attgf_iqa/opinion.careful-lost|.3f` of the careful, and
# **brings the scores nearer to the truth**, from {num}`cpu:3_attgf_iqa/opinion.z-scored-all|.4f` to {num}`cpu:3_attgf_iqa/opinion.z-scored-screened|.4f`, a gain of {num}`cpu:3_attgf_iqa/opinion.gain|.4f`: small, since
# twenty observers already drown two careless ones, and nearly all there is to gain. z-scores alone do not beat the plain mean,
# {num}`cpu:3_attgf_iqa/opinion.mean-votes-of-all|.4f`. All of this is simulated.
#
# ## How sure is a score, and how far do observers agree?
#
# A score's interval is Student's over observers. If it is honest, the truth's own score lies in 95 of 100 intervals; here the truth's
# score is what the same procedure would give an endless panel of the careful, estimated by a panel of a thousand whose sessions are split
# otherwise. An interval over observers knows nothing of that split, nor of careless observers who were not found.

# %%
endless = simulate_panel(truth, replace(preset.panel, observers=1000, careless=0), seed=seed + 1)
limit = mean_opinion_scores(standardise_votes(endless)).sort_values("image")["mos"].to_numpy()
scores = mean_opinion_scores(kept_observers(votes)).sort_values("image")
covered = bootstrap(np.mean, ((scores["low"] <= limit) & (limit <= scores["high"])).to_numpy(float), random_state=seed)
run.record(paper="ours", exhibit="intervals", row="95 % interval", column="endless panel", metric="coverage", value=covered, seeds=[seed], dataset=chosen, key="coverage")
print(f"the endless panel's score lies in {covered.value:.1%} of the intervals")

# %%
agreement = {"all": observer_agreement(votes, random_state=seed), "after screening": observer_agreement(kept_observers(votes), random_state=seed)}
table = pd.DataFrame([{"observers": name, "number": a.observers, "with the others' mean (SRCC)": a.rank, "Krippendorff's alpha": a.alpha, "split halves": a.split_half} for name, a in agreement.items()])
for name, a in agreement.items():
    run.record(paper="ours", exhibit="agreement", row=name, column="simulated panel", metric="Krippendorff's alpha", value=a.alpha, n=a.observers, seeds=[seed], dataset=chosen, key=f"alpha-{name.replace(' ', '-')}")
show_table(table, name="tbl-agreement", caption="Agreement of the simulated observers' z-scores (this build).")

# %% [markdown]
# In the committed run the intervals hold the endless panel's score in a share of {num}`cpu:3_attgf_iqa/opinion.coverage|.3f`, somewhat less than they
# promise, for the reason above. Krippendorff's alpha rises from {num}`cpu:3_attgf_iqa/opinion.alpha-all|.2f` to {num}`cpu:3_attgf_iqa/opinion.alpha-after-screening|.2f` by screening.
#
# ## Real opinion beside it
#
# Two sets of real opinions are read where they are present: AGIQA-3K {cite:p}`li2023agiqa3k`, whose images have a mean and a deviation over
# raters, and faces that people took for real or not {cite:p}`kolchinski2019,zhou2019hype`. Their reliability, the share of the scores' variance that another such panel would
# find again, follows from these alone. The number of AGIQA-3K's raters is not in its file; BT.500 asks for fifteen, with which its value is a lower bound. *Within families* each generator's mean
# is taken away first: telling generators apart is the easier part.

# %%
family = np.array(study.test.domains)[study.test.domain.numpy()]
opinions = [rated_opinions(kept_observers(votes), tuple(family), name="simulated"), *real_opinions()]
rows = []
for each in opinions:
    for part, value in (("all", each.reliability(random_state=seed)), ("within families", each.reliability_within(random_state=seed))):
        one = stepped_reliability(value.value, size=each.observers, wanted=1)
        rows.append({"opinions": each.name, "images": part, "observers": each.observers, "reliability": value.value, "error": value.standard_error, "of one observer": one})
        run.record(paper="ours", exhibit="reliability", row=each.name, column=part, metric="reliability", value=value, seeds=[seed], dataset=each.name.lower(), key=f"{each.name.lower()}-{part.replace(' ', '-')}")
show_table(pd.DataFrame(rows), name="tbl-reliability", caption="Reliability of mean opinions, the simulated panel's and real ones where they are present; observers: of the typical image; the last column by Spearman and Brown's formula (this build).")

# %%
plot = score_distributions({each.name: each.unit for each in opinions}, xlabel="Mean opinion, its scale's ends at 0 and 1", bins=25, limits=(0, 1))
show(plot, name="fig-opinions", caption="Mean opinions before any z-score: the simulated panel's, and real ones where they are present.")

# %% [markdown]
# In the committed run the simulated panel is as reliable as real ones, {num}`cpu:3_attgf_iqa/opinion.simulated-all|.3f` beside AGIQA-3K's {num}`cpu:3_attgf_iqa/opinion.agiqa-3k-all|.3f` and
# {num}`cpu:3_attgf_iqa/opinion.faces64-human-all|.3f` of the voted faces. Within a generator it is too good: {num}`cpu:3_attgf_iqa/opinion.simulated-within-families|.3f`, where people reach
# {num}`cpu:3_attgf_iqa/opinion.agiqa-3k-within-families|.3f` and, on faces, {num}`cpu:3_attgf_iqa/opinion.faces64-human-within-families|.3f`.
#
# ## The page that asks: Figure 4
#
# `python -m giqa_lib.collecting serve IMAGES` serves the page on this machine: one image at a time on the scale of five, or two to choose from, with keys
# alone if one likes, in sessions that share no image, training questions first. An answer is on the disk before the next question is shown; a second tab can't count twice; an image that does
# not come is not judged. In JupyterLab `giqa_lib.collecting.Collector(plan, images, judgements).start()`, as the last line of a cell, shows the same page below it.
# `python -m giqa_lib.collecting export` writes CSV or Parquet for `giqa_lib.evaluation.read_votes`.
#
# ```{image} /book/pictures/rating_page.png
# :alt: The rating page in a browser. Session 1 of 1, question 2 of 6, a bar of progress; the question "How good is the quality of this image? Press 1 to 5." above a drawn toy face on grey, and five buttons from bad to excellent below it.
# :width: 480px
# ```
#
# The way from an answer to a score is the one that these votes take: eight of the images, answered by the simulated observers through the tool's own
# database and exported, get the scores that they get directly.

# %%
few = votes[votes["session"] == 1].assign(image=lambda t: t["image"].astype(str) + ".png", session=1)
few = few[few["image"].isin(few["image"].unique()[:8])]
plan = StudyPlan(kind="rating", items=tuple((name,) for name in few["image"].unique()), seed=seed)
answers = Judgements(Path(tempfile.mkdtemp()) / "answers.sqlite", plan)
given = few.set_index(["subject", "image"])["vote"]
for person in few["subject"].unique():
    for question in plan.questions(person):
        answers.add(person, question, str(given[person, question.images[0]]))
collected, direct = (mean_opinion_scores(v).set_index("image")["mos"] for v in (export_judgements(answers.path), few))
print(f"largest difference of a score by way of the tool: {(collected - direct).abs().max():.1f}")

# %% [markdown]
# ## Votes that are damaged
#
# What is done with each kind of damage is documented and tested: what can't be a vote is refused with its place; what can, but says nothing, is kept and
# counts for nothing.

# %%
damage = damaged_votes(few[["subject", "session", "image", "vote"]].reset_index(drop=True), Path(tempfile.mkdtemp()))
short = damage["outcome"].str.replace(r"/\S*/", "", regex=True)
show_table(damage.assign(outcome=short), name="tbl-damage", caption="What becomes of damaged votes.")

# %% [markdown]
# ## Controls
#
# Votes at random must agree with nothing, and a panel without bias and noise must give back the truth's order up to the five steps of its scale.

# %%
even = np.linspace(0, 1, 200)
nobody = simulate_panel(even, PanelSettings(observers=20, careless=19, sessions=1, bias=0, use=0, noise=0), seed=seed)
nobody = nobody[nobody["careless"]]
perfect = simulate_panel(even, PanelSettings(observers=20, careless=0, sessions=1, bias=0, use=0, noise=0), seed=seed)
alpha = {"votes at random": observer_agreement(nobody, random_state=seed).alpha, "observers without fault": observer_agreement(perfect, random_state=seed).alpha}
for name, value in alpha.items():
    passed = abs(value - (name != "votes at random")) < 0.05
    run.record(paper="ours", exhibit="control", row=name, column="pass" if passed else "FAIL", metric="Krippendorff's alpha", value=value, n=200, seeds=[seed], dataset="constructed")
show_table(pd.DataFrame(alpha.items(), columns=["simulated panel", "alpha"]), name="tbl-controls", caption="Agreement of votes at random, and of observers without fault.")

# %% [markdown]
# ## Where it fails: a z-score forgets the level
#
# The paper takes the wide range of its scores for a wide range of quality (Figure 3). But z-scores are centred and scaled per observer
# and session, whatever was seen. Three simulated databases, one of all qualities, one in which *all* images are good and one in which all are bad,
# get scores of one mean, and spans that differ far less than their qualities do, in the committed run {num}`cpu:3_attgf_iqa/opinion.span-all-qualities|.0f`, {num}`cpu:3_attgf_iqa/opinion.span-all-good|.0f` and
# {num}`cpu:3_attgf_iqa/opinion.span-all-bad|.0f` points where the qualities span five to two; their mean votes tell them apart. A range of z-scored opinions says how
# far observers agree on the order of the images, and nothing of how good they are. For the same reason sessions of few images
# hurt: each session's own mean is taken away, which is noise in the score (compare the plain mean votes in the figure above).

# %%
LEVELS = {"all qualities": (0.0, 1.0), "all good": (0.6, 1.0), "all bad": (0.0, 0.4)}
quality, rows = np.random.default_rng(seed).uniform(size=400), []
for name, (low, high) in LEVELS.items():
    seen = simulate_panel(low + (high - low) * quality, replace(preset.panel, careless=0, sessions=1), seed=seed)
    scored = mean_opinion_scores(seen)
    span = np.subtract(*np.quantile(scored["mos"], [0.99, 0.01]))
    rows.append({"simulated database": name, "mean MOS": scored["mos"].mean(), "span of MOS": span, "mean vote": scored["mean_vote"].mean(), "SRCC with truth": srcc(scored["mos"], quality)})
    run.record(paper="ours", exhibit="failure", row=name, column="simulated panel", metric="MOS span", value=span, n=400, seeds=[seed], dataset="constructed", key=f"span-{name.replace(' ', '-')}")
show_table(pd.DataFrame(rows), name="tbl-failure", caption="Simulated databases of different levels: their z-scored opinion has one mean, and spans that differ less than their qualities.", digits=2)

# %% [markdown]
# ## Differences from the paper
#
# ```{deviations} 3_attgf_iqa/opinion
# ```
#
# ## What to try
#
# - `panels=1000` narrows the intervals; `PanelSettings` has the observers' faults.
# - Judge images yourself: `python -m giqa_lib.collecting serve FOLDER`, export, and `giqa_lib.evaluation.read_votes`.
# - `dataset=celebamask` has the panel look at faces of generators trained on photographs.

# %%
record = run.save(output)
