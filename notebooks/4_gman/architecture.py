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
# # GAN, DCGAN, GMAN: who judges whom, and with which layers
#
# Before anything is trained: what are the four models, and **in what do they really differ?** All of it can be counted.
#
# ```{reproduce} 4_gman/architecture
# ```
#
# ## What the report claims
#
# {cite:t}`xu2018gman` begin with a GAN (Figure 1): a generator that turns noise into images, and a discriminator that tells them from real ones. A DCGAN {cite:p}`radford2016dcgan`
# has convolutions only (Figure 2); the report's GAN and GMAN have "fully connected" layers next to the latent and next to the verdict. A GMAN {cite:p}`durugkar2017gman` has several
# discriminators, whose verdicts are put together by $F$ (Figure 4). The layers are told in words; the numbers here are those of the published notebooks and weights.

# %% tags=["parameters"]
profile: str = "quick"  # quick | cpu | paper: the same here, nothing is trained
dataset: str = "fashion-mnist"  # of no effect here: the report's data sets decide sizes
seed: int = 0  # of the initial weights
device: str = "cpu"  # cpu or cuda
output: str = ""  # folder for the record; empty: none is written

# %% tags=["hide-input"]
from itertools import pairwise

import pandas as pd
import torch
from safetensors.torch import load_file

from giqa_lib.applications.gman import REPORT_PAIRS, find_released
from giqa_lib.figures import diagram
from giqa_lib.gan import GMANDiscriminator, GMANGenerator, GMANSettings, layer_table
from giqa_lib.results import Run, show, show_table

run = Run("4_gman/architecture", {name: globals()[name] for name in ("profile", "dataset", "seed", "device", "output")})

# %% [markdown]
# ## Figure 1: a GAN
#
# Redrawn. The discriminator learns from both kinds of images; the generator sees no real image, only the gradient that comes back
# along the arrows.

# %%
boxes = {"noise z": (0, 1), "generator G": (1, 1), "real images": (1, 0), "discriminator D": (2.3, 0.5), "real or generated": (3.6, 0.5)}
arrows = [("noise z", "generator G", ""), ("generator G", "discriminator D", "G(z)"), ("real images", "discriminator D", "x"), ("discriminator D", "real or generated", "D")]
show(diagram(boxes, arrows, plain=["noise z", "real images", "real or generated"]), name="fig-gan", caption="A GAN: two networks and who is shown what (Figure 1 of the report, redrawn).")

# %% [markdown]
# ## Figure 4: a GMAN
#
# Each discriminator learns from its own loss alone. The generator pays $F$ of the five; {doc}`aggregation` compares the forms that $F$ may have.

# %%
judges = {f"discriminator {n}": (3.3, 0.7 * (n - 1)) for n in range(1, 6)}
boxes = {"noise z": (0, 2.1), "generator G": (0.9, 2.1), "real images": (0.9, 0.7), **judges, "F": (4.7, 1.4), "loss of G": (5.4, 1.4)}
arrows = [("noise z", "generator G", ""), ("F", "loss of G", "")] + [arrow for name in judges for arrow in (("generator G", name, ""), ("real images", name, ""), (name, "F", ""))]
show(diagram(boxes, arrows, plain=["noise z", "real images", "loss of G"]), name="fig-gman", caption="A GMAN: one generator, five discriminators, and F (Figure 4 of the report, redrawn).")

# %% [markdown]
# ## Figure 2: the layers of a DCGAN
#
# Drawn from the networks themselves: each is built at the report's sizes and run once, and a box is what a layer that changes the shape gives. The tables after it have all
# layers of a model with dense layers and of one that reaches 28 pixels; the other two differ from these in channels and in one stride.

# %%
makes = {f"{pair.first} of {pair.data}": GMANSettings(layers="dense" if pair.first == "GAN" else "convolutional", image_size=pair.size, channels=1 if pair.data == "MNIST" else 3)
         for pair in REPORT_PAIRS}  # fmt: skip
tables = {name: (layer_table(GMANGenerator(made), torch.zeros(1, made.latent)), layer_table(GMANDiscriminator(made), torch.zeros(1, made.channels, made.image_size, made.image_size)))
          for name, made in makes.items()}  # fmt: skip

# %%
def chain(start: str, table: pd.DataFrame) -> list[str]:
    """The shapes that an image has on its way through a network, one for each layer with weights for them."""
    return [start, *table[table["layer"].str.contains("Conv|Linear")]["output"]]


# %%
paths = (chain("latent 100", tables["DCGAN of CIFAR"][0]), chain("3 x 32 x 32", tables["DCGAN of CIFAR"][1]))
places = {f"{'GD'[row]}: {shape}": (0.95 * column, 0.6 * row) for row, path in enumerate(paths) for column, shape in enumerate(path)}
names = list(places)
steps = [(one, two, "") for one, two in pairwise(names) if one[0] == two[0]]
show(diagram(places, steps, plain=[names[0], names[len(paths[0])]]), name="fig-dcgan", caption="Shapes in the generator G and the discriminator D of a DCGAN at 32 pixels (Figure 2 of the report, redrawn from the networks).")

# %%
for name in ("GAN of CIFAR", "DCGAN of MNIST"):
    for player, table in zip(("generator", "discriminator"), tables[name], strict=True):
        show_table(table, name=f"tbl-{name.lower().replace(' of ', '-')}-{player}", caption=f"Layers of the {player} of {name}, at the report's sizes.")

# %% [markdown]
# ## By hand: dense or convolutional?
#
# A dense layer over a map of $4 \times 4$ pixels **is** a convolution with a kernel of $4 \times 4$: the same weights in another order. What the report calls fully connected thus differs from the rest in widths, initial
# weights and the first batch norm, and in nothing else. The last layer of a discriminator, written out as a matrix product:

# %%
judge = GMANDiscriminator(makes["GAN of CIFAR"]).eval()
images = torch.randn(5, 3, 32, 32, generator=torch.Generator().manual_seed(seed))
with torch.no_grad():
    product = judge.layers(images).flatten(1) @ judge.last.weight.flatten(1).T + judge.last.bias
    furthest = float((judge(images) - product.flatten()).abs().max())
run.record(paper="ours", exhibit="control", row="the last convolution is a dense layer", column="pass" if furthest < 1e-5 else "FAIL", metric="largest difference",
           value=furthest, dataset="synthetic", key="dense-is-convolution")  # fmt: skip

# %% [markdown]
# ## Parameters, against the published weights
#
# Where the report's 32 files are at hand, each of our networks must have exactly as many parameters as the file of its kind. Running means and
# variances are no parameters.

# %%
def stored(pair: object, name: str) -> float:
    """Parameters in one of the published files; NaN if they are not here."""
    if find_released() is None:
        return float("nan")
    tensors = load_file(find_released() / f"{pair.part}_{pair.data}_{name}.safetensors")
    return float(sum(each.numel() for key, each in tensors.items() if "running" not in key))


# %%
rows = []
for pair, (name, made) in zip(REPORT_PAIRS, makes.items(), strict=True):
    for player, network in (("generator", GMANGenerator(made)), ("discriminator", GMANDiscriminator(made))):
        ours, theirs = sum(each.numel() for each in network.parameters()), stored(pair, "net" + player[0].upper())
        rows.append({"model": name, "player": player, "ours": ours, "published file": theirs})
        run.record(paper="ours", exhibit="parameters", row=name, column=player, metric="count", value=ours, dataset=pair.dataset, key=f"parameters-{name}-{player}".lower().replace(" ", "-"))
counts = pd.DataFrame(rows)
show_table(counts, name="tbl-parameters", caption="Parameters of our networks, and of the published files where they are at hand.", digits=0)

# %%
if counts["published file"].notna().all():
    same = bool((counts["ours"] == counts["published file"]).all())
    run.record(paper="ours", exhibit="control", row="as many parameters as in the published files", column="pass" if same else "FAIL", metric="share", value=float(same), dataset="mnist and cifar10", key="as-published")
run.table("control")[["row", "column", "value"]]

# %% [markdown]
# ## What five discriminators cost
#
# The step of a GMAN is one generator's and five discriminators'. At the report's sizes a generator of CIFAR-10 without dense layers has {num}`cpu:4_gman/architecture.parameters-dcgan-of-cifar-generator|,.0f` parameters and a
# discriminator {num}`cpu:4_gman/architecture.parameters-dcgan-of-cifar-discriminator|,.0f`, and the generator's work is there once in either case, so the step does not become five times as dear: {doc}`/book/benchmarks` has
# the measured ratios, and beside the plain loop over discriminators those of grouped convolutions, of `vmap`, of other memory formats and of bfloat16.
#
# ## Where it fails
#
# The diagrams of the report show five boxes, and a reader takes them for five networks that differ. The published files are five of one make: their shapes are equal, their weights are not.

# %%
published = [] if find_released() is None else REPORT_PAIRS
rows = []
for pair in published:
    judges = [load_file(find_released() / f"{pair.part}_{pair.data}_netD{number}.safetensors") for number in range(1, 6)]
    makes_of = {tuple((key, tuple(value.shape)) for key, value in sorted(each.items())) for each in judges}
    first = [next(iter(each.values())) for each in judges]
    rows.append({"model": f"{pair.second} of {pair.data}", "makes among the five": len(makes_of), "equal first layers": sum(torch.equal(first[0], other) for other in first[1:])})
pd.DataFrame(rows) if rows else "no published weights here"

# %% [markdown]
# ## Differences from the report
#
# ```{deviations} 4_gman/architecture
# ```
#
# ## What to try
#
# - `layer_table` of any network of yours; `GMANSettings(layers="dense", discriminators=3)` makes both players of another size.

# %%
record = run.save(output)
