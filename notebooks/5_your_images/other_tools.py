# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # In other people's tools
#
# You already train with some library, sample with another and keep data in a third. **Do the scores work there, without
# a change of tools?**
#
# ```{reproduce} 5_your_images/other_tools
# ```
#
# ## What is claimed
#
# No paper is judged here. The claim is the library's own: a score is an estimator for scikit-learn, a function of
# images for everything else, and a metric for training loops; whichever way it is called, it is the same number.
# The base installation runs every step; where a package is optional and missing, the cell says so in one line.

# %% tags=["parameters"]
profile: str = "quick"  # quick | cpu | paper: how many images and training steps
dataset: str = "fashion-mnist"  # a data set with the splits train and test
seed: int = 0  # decides images, networks, latents and what is held out
device: str = "cpu"  # cpu or cuda
output: str = ""  # folder for the record; empty: none is written
extractor: str = "efficientnet_lite0@64"  # features of the scores
backbone: str = "resnet10t"  # any network that timm knows
pretrained: bool = False  # True: timm fetches the backbone's weights; False: random weights

# %% tags=["hide-input"]
import importlib.util
import tempfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import timm
import torch
from PIL import Image
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from torch.utils.data import DistributedSampler

# %% tags=["hide-input"]
from giqa_lib.applications.folders import ScorerSettings, fit_scorer
from giqa_lib.data import degrade, load, open_images, resize, write_parquet
from giqa_lib.evaluation import srcc
from giqa_lib.features import PCA, ModuleExtractor, extract, extractor as extractor_named
from giqa_lib.figures import curves, image_grid
from giqa_lib.gan import DCGANSettings, TrainSettings, images_at_random, new_dcgan, new_state, sample, train
from giqa_lib.results import Run, show, show_table
from giqa_lib.scores import GaussianMixture, fit_image_score, pick
from giqa_lib.store import default_store

# %% tags=["hide-input"]
SIZES = {"quick": (600, 150, 3, 20), "cpu": (6000, 1000, 10, 200), "paper": (50_000, 5000, 20, 2000)}
count, few, epochs, steps = SIZES[profile]
run = Run("5_your_images/other_tools", {name: globals()[name] for name in ("profile", "dataset", "seed", "device", "output", "extractor", "backbone", "pretrained")})
common = {"paper": "ours", "seeds": [seed], "dataset": dataset}

# %% tags=["hide-input"]
def available(package):
    """Whether an optional package is installed; says so if it is not."""
    found = importlib.util.find_spec(package) is not None
    print("" if found else f"{package} is not installed: this cell does without it\n", end="")
    return found

# %% [markdown]
# ## The images
#
# Real images, brought to one size, and noisy copies of others that are **a stand-in for generated images**.

# %%
places = np.random.default_rng(seed).permutation(len(load(dataset, "train")))[: count + 2 * few]
real, others = resize(load(dataset, "train").subset(np.sort(places)).tensor(), 32).split([len(places) - 2 * few, 2 * few])
unseen, clean = others.chunk(2)
generated = degrade(clean, "noise", 0.2, torch.Generator().manual_seed(seed))
scorer = fit_scorer(real, ScorerSettings(extractor=extractor, seed=seed), device=device)
show(image_grid(torch.cat([real[:10], generated[:10]]), columns=10, row_labels=["real", "noisy"]), name="fig-images", caption="Real images above, below the noisy ones that stand in for generated images.")

# %% [markdown]
# ## By hand: a metric that is told of images batch by batch
#
# torchmetrics' contract is `update` for each batch, `compute` at the end. For the quality score (the mean score of the
# generated images) that is a sum and a count. Three images of grey 0, 51 and 255, scored by their grey, come in batches of two and one.

# %%
greys = torch.tensor([0, 51, 255], dtype=torch.uint8)[:, None, None, None].expand(3, 1, 2, 2)
def grey_score(images):
    """An image's mean grey, from 0 to 1."""
    return images.double().mean((1, 2, 3)) / 255


# %%
by_hand, from_metric = (0 + 0.2 + 1) / 3, None
if available("torchmetrics"):
    from giqa_lib.distributed.metrics import DiversityScore, QualityScore
    metric = QualityScore(grey_score)
    for batch in greys.split(2):
        metric.update(batch)
    from_metric = metric.compute().item()
show_table(pd.DataFrame({"by hand": [by_hand], "metric": [from_metric]}), name="tbl-by-hand", caption="The mean score of three images, by hand and from the metric.")

# %% [markdown]
# ## scikit-learn
#
# A density score is an estimator: `fit`, `score_samples`, and `score`, the mean log-density of what it is given. So a pipeline
# and a grid search choose its number of components by the likelihood of real images that were left out.

# %%
network = extractor_named(extractor, device=device)
features = extract(real, network, store=default_store()).values
pipeline = make_pipeline(PCA(max_components=32), GaussianMixture(shrinkage="oas", random_state=seed))
search = GridSearchCV(pipeline, {"gaussianmixture__n_components": [1, 2, 5, 10]}, cv=3).fit(features)
search.best_params_

# %%
found = pd.DataFrame({"components": [p["gaussianmixture__n_components"] for p in search.cv_results_["params"]], "log-density": search.cv_results_["mean_test_score"]})
for r in found.to_dict("records"):
    run.record(**common, exhibit="pipeline", row=str(r["components"]), column="held out", metric="mean log-density", value=r["log-density"], n=len(features))
show_table(found, name="tbl-search", caption="Mean log-density of real images that were left out, by the number of Gaussian components: scikit-learn's grid search over a pipeline of PCA and mixture.")

# %% [markdown]
# ## Any backbone of timm
#
# Any module that turns images into vectors can give the features. Here it is a network of timm's, by default with *random*
# weights, since none are fetched; `pretrained=True` fetches them. The rank correlation with the scores above says how much the
# choice matters.

# %%
body = timm.create_model(backbone, pretrained=pretrained, num_classes=0)
theirs = ModuleExtractor(body, name=f"timm/{backbone}", input_size=64, device=device)
rows, split = theirs(real).cpu().numpy(), int(0.8 * len(real))
reduced = PCA(max_components=32).fit(rows[:split])
other_score = fit_image_score(extractor=theirs, transform=reduced, density=GaussianMixture(7, shrinkage="oas"), real_features=rows[:split], held_out_features=rows[split:])

# %%
both = torch.cat([unseen, generated])
agreement = srcc(scorer.score(both), other_score(both))
run.record(**common, exhibit="backbone", row=backbone, column=extractor, metric="SRCC", value=agreement, n=len(both), key="backbone")
means = pd.DataFrame({"features": [extractor, theirs.name], **{name: [s(images).mean() for s in (scorer.score, other_score)] for name, images in (("unseen real", unseen), ("noisy", generated))}})
show_table(means, name="tbl-backbone", caption="Quality score (mean calibrated score) of unseen real and of noisy images with the features of this library's extractor and of a network of timm.")

# %% [markdown]
# ## A training loop that logs both scores
#
# `EpochScores` is a function of the epoch. Ignite takes it as an event handler, Lightning's Fabric as a callback, a loop of
# your own calls it. The three loops below are the same training and must log the same numbers.

# %%
def fresh():
    """A training from its first step, and what logs its scores."""
    random = torch.Generator().manual_seed(seed)
    settings = TrainSettings(steps=epochs * steps, batch_size=32)
    made = DCGANSettings(width=16, channels=real.shape[1])
    state = new_state(*(n.to(device) for n in new_dcgan(made, random)), settings, latent=made.latent, random=random)
    going = train(state, images_at_random(real), settings, at=range(1, settings.steps + 1), device=device)
    return state, going, epoch_scores(lambda: sample(state.generator, few, latent=made.latent, seed=seed, device=device))

def epoch_scores(images):
    diversity = DiversityScore(scorer.extractor, transform=scorer.score.transform, density=GaussianMixture(3, shrinkage="oas"), reset_real_features=False)
    diversity.update(unseen, real=True)
    return EpochScores(QualityScore(scorer.score), diversity, sample=images)

# %%
logged = {}
if available("torchmetrics"):
    from giqa_lib.distributed.epoch_scores import EpochScores
    state, going, scores = fresh()
    for epoch in range(1, epochs + 1):
        for _ in range(steps):
            next(going)
        scores(epoch)
    logged["a loop"] = scores.rows

# %%
if available("ignite") and available("torchmetrics"):
    from ignite.engine import Engine, Events
    state, going, scores = fresh()
    engine = Engine(lambda engine, batch: next(going))
    engine.add_event_handler(Events.EPOCH_COMPLETED, lambda engine: scores(engine.state.epoch))
    engine.run(range(steps), max_epochs=epochs)
    logged["Ignite"] = scores.rows

# %%
if available("lightning_fabric") and available("torchmetrics"):
    from lightning_fabric import Fabric
    state, going, scores = fresh()
    fabric = Fabric(accelerator="cpu", devices=1, callbacks=[scores])
    for epoch in range(1, epochs + 1):
        for _ in range(steps):
            next(going)
        fabric.call("on_train_epoch_end", epoch=epoch)
    logged["Fabric"] = scores.rows

# %%
if logged:
    log = pd.DataFrame(logged["a loop"]).melt("epoch", var_name="score")
    for r in log.to_dict("records"):
        run.record(**common, exhibit="epochs", row=str(r["epoch"]), column="DCGAN", metric=r["score"], value=r["value"], n=few, key=f"{r['score']}-{r['epoch']}".lower())
    show(curves(log, x="epoch", y="value", by="score", xlabel="Epoch", ylabel="Score"), name="fig-epochs", caption="Quality and diversity score at the end of each epoch of a short training, as the callback logged them.")

# %% [markdown]
# Read both together: early on a generator makes blank images, which may lie near the middle of a density and score high
# ({doc}`score_a_folder`), and the diversity score then says that nothing of the real images is covered.
#
# In Lightning's `Trainer` a callback has one more line, since its hooks are given trainer and module:
#
# ```python
# class LogScores(lightning.pytorch.Callback):
#     def on_train_epoch_end(self, trainer, module):
#         module.log_dict(scores(trainer.current_epoch))
# ```
#
# ## Diffusers: the best of n
#
# A pipeline of diffusers is called with a batch size and a generator and returns images; the best of n is what `pick`
# keeps of them. **A stand-in takes the pipeline's place here**: it is called alike, and gives real images with noise of any strength, since
# no weights of a diffusion model are fetched. The cell after it makes the same call on a pipeline of diffusers, whose network is
# untrained, where the package is installed.

# %%
class StandInPipeline:
    """A stand-in: called like a pipeline of diffusers, it gives noisy real images."""

    def __call__(self, batch_size=1, generator=None, num_inference_steps=50):
        drawn = clean[torch.randint(len(clean), (batch_size,), generator=generator)]
        level = torch.rand(batch_size, generator=generator)
        made = torch.cat([degrade(i[None], "noise", float(0.5 * s), generator) for i, s in zip(drawn, level)])
        return SimpleNamespace(images=[Image.fromarray(np.squeeze(i.permute(1, 2, 0).numpy())) for i in made])

def best_of(pipeline, n, generator, **options):
    """The image of n that scores highest."""
    images = open_images(pipeline(batch_size=n, generator=generator, **options).images).tensor()
    return images[pick(scorer.score(images), count=1)[0]]

# %%
chosen = {n: torch.stack([best_of(StandInPipeline(), n, torch.Generator().manual_seed(seed + i)) for i in range(few // 10)]) for n in (1, 2, 4)}
table = pd.DataFrame([{"n": n, "own score": scorer.score(images).mean(), f"score of {theirs.name}": other_score(images).mean()} for n, images in chosen.items()])
for r in table.itertuples(index=False):
    for column, value in zip(("own", "other"), r[1:]):
        run.record(**common, exhibit="best of n", row=str(r.n), column=column, metric="QS", value=value, n=few // 10, key=f"best-{r.n}-{column}")
show_table(table, name="tbl-best", caption="Mean calibrated score of the best of n images of the stand-in pipeline, by the score that chose them and by one in another feature space.")

# %%
if available("diffusers"):
    from diffusers import DDPMPipeline, DDPMScheduler, UNet2DModel
    shape = {"sample_size": 32, "in_channels": 3, "out_channels": 3, "block_out_channels": (32, 32), "norm_num_groups": 8}
    untrained = UNet2DModel(**shape, down_block_types=("DownBlock2D",) * 2, up_block_types=("UpBlock2D",) * 2)
    diffusion = DDPMPipeline(untrained, DDPMScheduler())
    diffusion.set_progress_bar_config(disable=True)
    kept = best_of(diffusion, 4, torch.Generator().manual_seed(seed), num_inference_steps=2)
    print(f"the best of 4 images of an untrained DDPMPipeline: {tuple(kept.shape)}")

# %% [markdown]
# ## Hugging Face datasets, out and in
#
# `write_parquet` writes images with any columns beside them, their scores for instance, as `datasets` and the Hub's
# viewer know them. What `datasets` writes (`to_parquet`) and a column of images (`dataset["image"]`) can be opened
# as any set.

# %%
path = Path(tempfile.mkdtemp(prefix="giqa-")) / "generated.parquet"
write_parquet(generated, path, table=pd.DataFrame({"calibrated": scorer.score(generated)}))
back = open_images(path)
back.table.head(3)

# %%
if available("datasets"):
    from datasets import Dataset
    dataset_of_theirs = Dataset.from_parquet(str(path), cache_dir=str(path.parent / "cache"))
    print(dataset_of_theirs.features)
    back = open_images(dataset_of_theirs["image"])
sorted_back = sorted(image.numpy().tobytes() for image in back.tensor())

# %% [markdown]
# ## Controls
#
# What comes back from the file must be the images that were written, to the bit; every way of calling a score must give
# the same number; and all training loops must log the same.

# %%
alike = {"images through Parquet": sorted_back == sorted(image.numpy().tobytes() for image in generated)}
if logged:
    metric = QualityScore(scorer.score)
    for batch in generated.split(7):
        metric.update(batch)
    alike["metric and mean score"] = bool(abs(metric.compute().item() - scorer.score(generated).mean()) < 1e-12)
    alike["training loops"] = all(rows == logged["a loop"] for rows in logged.values())
for name, passed in alike.items():
    run.record(**common, exhibit="control", row=name, column="pass" if passed else "FAIL", metric="equal", value=float(passed), n=len(generated))
alike

# %% [markdown]
# ## Where it fails
#
# A metric counts what it is shown. PyTorch's `DistributedSampler` makes all processes' shares equal by showing some images twice.
# Of five images with scores 1, 0, 0, 0, 0 the mean is one fifth; two processes with that sampler report another.

# %%
scores_of_five = np.array([1.0, 0.0, 0.0, 0.0, 0.0])
shown = [i for rank in (0, 1) for i in DistributedSampler(range(5), num_replicas=2, rank=rank, shuffle=False)]
failure = run.record(**common, exhibit="failure", row="DistributedSampler", column="two processes", metric="QS", value=scores_of_five[shown].mean(), n=5, key="repeated")
show_table(pd.DataFrame({"images shown": [str(shown)], "mean score": [scores_of_five.mean()], "reported": [scores_of_five[shown].mean()]}), name="tbl-failure", caption="The images that two processes are shown by PyTorch's DistributedSampler, the mean score of the five, and what they report.")

# %% [markdown]
# Give each process its share by hand (`images[rank::processes]`), or score files with `python -m giqa_lib.distributed`
# ({doc}`/book/scale`), which does each image once.
#
# ## What to try
#
# - `backbone=` any name of `timm.list_models()`, with `pretrained=true` where its weights can be fetched.
# - Your own pipeline in place of the stand-in: it needs `batch_size`, `generator` and `.images`.
# - `write_parquet` and `push_to_hub` of `datasets`: a data set with its scores, sortable in the viewer.

# %%
record = run.save(output)
