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
# # ScoreGAN: four networks and one bounded score
#
# Before anything is trained: what are the networks, who teaches whom, and **what does the printed objective do to a
# generator's gradient?** Everything here can be counted or worked out by hand.
#
# ```{reproduce} 2_scoregan/architecture
# ```
#
# ## What the paper claims
#
# {cite:t}`lee2022scoregan` add an evaluator $E$ to ControlGAN {cite:p}`lee2019controlgan` (their Figure 1). The
# generator minimises
#
# $$ L_D\bigl(1, D(G(Z, L))\bigr) + \gamma_t\, L_C\bigl(L, C(G(Z, L))\bigr) - \delta\, \mathcal L_\text{score}, \qquad \delta = 0.5, $$ (eq-objective)
#
# and the score is "regularized" by that of real images (their Eq. 9, as it is printed):
#
# $$ \mathcal L_\text{score} = \max\{S(X), S(\hat X)\}. $$ (eq-printed)
#
# ```{claims} 2_scoregan/architecture
# ```

# %% tags=["parameters"]
profile: str = "quick"  # quick | cpu | paper: which evaluator sizes are tried
dataset: str = "fashion-mnist"  # a data set with the splits train and test
seed: int = 0  # of the images that are drawn
device: str = "cpu"  # cpu or cuda
output: str = ""  # folder for the record; empty: none is written

# %% tags=["hide-input"]
import numpy as np
import pandas as pd
import torch

from giqa_lib.data import load
from giqa_lib.features import imagenet_classifier
from giqa_lib.figures import curves, diagram, image_grid
from giqa_lib.gan import ControlGANSettings, ResidualClassifier, batch_inception_score, layer_table, pad_to
from giqa_lib.results import Run, show, show_table

run = Run("2_scoregan/architecture", {name: globals()[name] for name in ("profile", "dataset", "seed", "device", "output")})

# %% [markdown]
# ## Figure 1: who teaches whom
#
# Redrawn from the equations. The classifier learns from real images alone, the evaluator not at all.

# %%
boxes = {"noise, label": (0, 1), "generator G": (1, 1), "real images": (1, 2), "discriminator D": (2.4, 0.4),
         "classifier C": (2.4, 1.2), "evaluator E": (2.4, 2)}  # fmt: skip
arrows = [("noise, label", "generator G", ""), ("generator G", "discriminator D", "images"), ("generator G", "classifier C", ""),
          ("generator G", "evaluator E", ""), ("real images", "discriminator D", ""), ("real images", "classifier C", "augmented"),
          ("real images", "evaluator E", "bound")]  # fmt: skip
# %%
plot = diagram(boxes, arrows, plain=["noise, label", "real images"])
show(plot, name="fig-structure", caption="The four networks of ScoreGAN and what each is given. Gradients flow back along the three arrows that leave the generator.")

# %% [markdown]
# ## Tables 1 and 4: the layers
#
# Built at the paper's widths, run once, and counted. The last of the classifier's widths is what differs between
# CIFAR-10 and CIFAR-100; the paper prints ten classes for both.

# %%
random, images, labels = torch.Generator().manual_seed(seed), torch.zeros(2, 3, 32, 32), torch.zeros(2, dtype=torch.long)
generator, discriminator = ControlGANSettings(classes=10).networks(random)
built = {"generator": layer_table(generator, torch.zeros(2, 128), labels), "discriminator": layer_table(discriminator, images),
         "classifier, CIFAR-10": layer_table(ResidualClassifier(3, 10, widths=(32, 64, 128, 128)), images),
         "classifier, CIFAR-100": layer_table(ResidualClassifier(3, 100, widths=(32, 64, 128, 256)), images)}  # fmt: skip
# %%
for name, table in built.items():
    show_table(table, name="tbl-" + name.lower().replace(", ", "-"), caption=f"Layers of the {name} at the paper's widths.")

# %%
def brief(table: pd.DataFrame) -> list[str]:
    """Each block with its width, as the paper writes them."""
    blocks = table[table["layer"].str.endswith("Block") | (table["layer"] == "Linear")]
    return [f"{row.layer} {row.output.split(' ')[0]}" for row in blocks.itertuples()]


# %%
up, down, plain = "UpBlock 256", "DownBlock 256", "ClassifierBlock {}"
narrow = [plain.format(width) for width in (32,) * 4 + (64,) * 4 + (128,) * 4]
printed = {"generator": ["Linear 4096", up, up, up], "discriminator": [down] * 4 + ["Linear 1"],
           "classifier, CIFAR-10": [*narrow, *[plain.format(128)] * 3, "Linear 10"],
           "classifier, CIFAR-100": [*narrow, *[plain.format(256)] * 3, "Linear 100"]}  # fmt: skip

# %%
for name, table in built.items():
    exhibit, size = "Table 4" if name.endswith("100") else "Table 1", int(table["parameters"].sum())
    run.record(paper="scoregan", exhibit=exhibit, row=name, column="parameters", metric="count", value=size, dataset="cifar10" if exhibit == "Table 1" else "cifar100",
               note=f"blocks {'as' if brief(table) == printed[name] else 'NOT as'} printed", key="size-" + name.lower().replace(", ", "-"))  # fmt: skip
# %%
same = {name: brief(table) == printed[name] for name, table in built.items()}
run.record(paper="scoregan", exhibit="Table 1", row="networks whose blocks are those printed", column="pass" if all(same.values()) else "FAIL",
           metric="share", value=float(np.mean(list(same.values()))), dataset="cifar10", key="layers-agree")  # fmt: skip
pd.Series(same, name="blocks as printed").to_frame()

# %% [markdown]
# ## By hand: the score of a batch
#
# With $n$ images, each surely of one of $c$ classes that are as frequent, the score is $c$; if all look alike it is one. It cannot exceed $n$.

# %%
def sure(classes: int, count: int = 12) -> float:
    """Score of ``count`` images, each surely of one of so many classes."""
    logits = 1e4 * torch.eye(classes).repeat(-(-count // classes), 1)[:count]
    return float(batch_inception_score(logits))


# %%
by_hand = pd.DataFrame({"classes": [1, 2, 3, 4, 6, 12]})
by_hand["score"] = [sure(classes) for classes in by_hand["classes"]]
show_table(by_hand, name="tbl-by-hand", caption="Score of twelve images that are surely of so many classes, as often each.", digits=3)

# %% [markdown]
# ## Eq. 9: a gradient that is nought where it is needed
#
# A generator whose images are a mixture, share $t$, of sure answers and of no answer. Its score rises with $t$; real
# images have the score at $t = 0.6$. What the generator is told is the derivative of $\mathcal L_\text{score}$:
# **with the printed maximum it is nought until the generator is better than real data, and then pushes on; with the minimum it
# pushes up to real data and stops.** The minimum is what the text around the equation describes, and what this book trains.

# %%
def told(share: float, bound: object, reached: torch.Tensor) -> float:
    """Derivative of the bounded score by the share of sure answers."""
    t = torch.tensor(share, requires_grad=True)
    value = bound(reached, batch_inception_score(((t * torch.eye(4) + (1 - t) / 4)).log()))
    value.backward() if value.requires_grad else None
    return 0.0 if t.grad is None else float(t.grad)


# %%
reached = batch_inception_score((0.6 * torch.eye(4) + 0.1).log())
slopes = pd.DataFrame({"share": t, "bound": name, "derivative": told(t, bound, reached)} for t in np.arange(0.05, 0.96, 0.05).round(2)
                      for name, bound in (("minimum", torch.minimum), ("maximum, as printed", torch.maximum)))  # fmt: skip

# %%
plot = curves(slopes, x="share", y="derivative", by="bound", xlabel="share of sure answers", ylabel="derivative of the bounded score")
show(plot, name="fig-bound", caption="What the generator is told, by how good it is. Real images have a share of six tenths.")
# %%
below, above = (slopes[(slopes["share"] < 0.6) if side else (slopes["share"] > 0.61)] for side in (True, False))
largest = below[below["bound"] != "minimum"]["derivative"].abs().max()
run.record(paper="scoregan", exhibit="Eq. 9", row="as printed, below the score of real images", column="derivative", metric="largest derivative",
           value=float(largest), standard_error=0.0, dataset="synthetic", key="printed-derivative")  # fmt: skip
run.record(paper="ours", exhibit="control", row="minimum, below the score of real images", metric="smallest derivative", key="minimum-derivative",
           column="pass" if below[below["bound"] == "minimum"]["derivative"].min() > 0 and above[above["bound"] == "minimum"]["derivative"].abs().max() == 0 else "FAIL",
           value=below[below["bound"] == "minimum"]["derivative"].min(), dataset="synthetic")  # fmt: skip

# %% [markdown]
# ## The evaluator, and how large it sees
#
# The paper takes MobileNet and does not say how large the 32-pixel images are shown to it. Here it is EfficientNet-Lite0
# {cite:p}`tan2019efficientnet`, which the package index has. Its score of one batch of real images must be well above that of the same
# images blurred, and of noise, or there is nothing to learn from it.

# %%
sizes = (32, 48, 64) if profile == "quick" else (32, 48, 64, 96, 128)
real = pad_to(load(dataset, "test").subset(np.random.default_rng(seed).choice(len(load(dataset, "test")), 64, replace=False)).tensor(), 32).float() / 127.5 - 1
noise = 2 * torch.rand(real.shape, generator=torch.Generator().manual_seed(seed)) - 1
blurred = torch.nn.functional.avg_pool2d(real, 5, stride=1, padding=2, count_include_pad=False)
# %%
shown = {"real": real, "blurred": blurred, "noise": noise}
scores = pd.DataFrame({"images": name, "size": size, "score": float(batch_inception_score(imagenet_classifier(input_size=size)(batch)))}
                      for size in sizes for name, batch in shown.items())  # fmt: skip

# %%
for row in scores.itertuples():
    run.record(paper="ours", exhibit="evaluator", row=f"{row.size} pixels", column=row.images, metric="score of a batch", value=row.score,
               n=64, seeds=[seed], dataset=dataset, key=f"evaluator-{row.size}-{row.images}")  # fmt: skip
plot = curves(scores, x="size", y="score", by="images", xlabel="pixels a side that the evaluator sees", ylabel="Inception score of 64 images")
show(plot, name="fig-evaluator", caption="EfficientNet-Lite0's Inception score of one batch, by the size that images are enlarged to (this build).")

# %% [markdown]
# In the committed run real images score {num}`cpu:2_scoregan/architecture.evaluator-48-real|.1f` at 48 pixels, the same blurred
# {num}`cpu:2_scoregan/architecture.evaluator-48-blurred|.1f` and noise {num}`cpu:2_scoregan/architecture.evaluator-48-noise|.1f`; at the smallest size all are
# near one ({num}`cpu:2_scoregan/architecture.evaluator-32-real|.2f`). At its smallest input the network gives nearly the same answer to everything. Half as large again is enough to tell real
# images from blurred ones; larger inputs cost more, by the square of the side, and tell no more here. The chapters on training use 48.
#
# ## Where it fails: sure, varied and wrong
#
# The score asks that answers are sure and different, not that they are right. Images can be moved to any
# answer: a few steps up the gradient from faint noise, and its score passes that of real images. It is still noise.

# %%
evaluator, moved = imagenet_classifier(input_size=48), (0.3 * noise).requires_grad_()
# %%
climb = []
optimizer = torch.optim.Adam([moved], lr=0.05)
for step in range(16 if profile == "quick" else 60):
    score = batch_inception_score(evaluator(moved.clamp(-1, 1)))
    climb.append({"step": step, "score": float(score.detach())})
    optimizer.zero_grad()
    (-score).backward()
    optimizer.step()
ends = {"real": real, "faint noise": 0.3 * noise, "moved noise": moved.detach().clamp(-1, 1)}

# %%
sheet = torch.cat([((ends[name][:10] + 1) * 127.5).round().to(torch.uint8) for name in ends])
show(image_grid(sheet, columns=10, row_labels=list(ends)), name="fig-fooled", caption="Real images, faint noise, and the same noise after a few steps up the gradient of the evaluator's score.")
# %%
final, of_real = climb[-1]["score"], float(batch_inception_score(evaluator(real)))
run.record(paper="ours", exhibit="control", row=f"moved noise minus real images, {evaluator.name}", column="pass" if final > of_real else "FAIL",
           metric="score of a batch", value=final - of_real, n=64, seeds=[seed], dataset=dataset, key="fooled")  # fmt: skip
plot = curves(pd.DataFrame(climb), x="step", y="score", xlabel="step", ylabel="evaluator's score")
show(plot, name="fig-climb", caption="The evaluator's score of a batch of noise that follows its gradient (this build).")

# %% [markdown]
# ## Differences from the paper
#
# ```{deviations} 2_scoregan/architecture
# ```
#
# ## What to try
#
# - `dataset=cifar10`, with `GIQA_DATA` set: colour images, which the evaluator is surer of.
# - `imagenet_classifier("mobilenet_v2")` where torchvision's weights are on the machine.

# %%
record = run.save(output)
