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
# # Thirty seconds: four trained generators
#
# **Can the four models be looked at without training anything?** Their weights, trained here, are read from one small file, and images come out.
#
# ```{reproduce} 4_gman/demo
# ```
#
# ## What the report claims
#
# The report {cite:p}`xu2018gman` has a demonstration notebook that loads stored weights and shows samples: "whole runtime should be less than 30s".
#
# ```{claims} 4_gman/demo
# ```

# %% tags=["parameters"]
profile: str = "quick"  # quick | cpu | paper: the same here, nothing is trained unless the file is missing
dataset: str = "fashion-mnist"  # only used if the file is missing: what small generators are trained on then
seed: int = 0  # of the latents
device: str = "cpu"  # cpu or cuda
output: str = ""  # folder for the record; empty: none is written
weights: str = ""  # a file of save_generators; empty: book/weights/gman.safetensors

# %% tags=["hide-input"]
from time import perf_counter

began = perf_counter()  # what a reader waits for begins with the first import

# %% tags=["hide-input"]
import tempfile
from pathlib import Path

import pandas as pd
import torch

from giqa_lib.applications.gman import GMAN_PAIRS, demo_weights, load_generators
from giqa_lib.figures import image_grid
from giqa_lib.gan import latents, to_pixels
from giqa_lib.results import Run, find_checkout, show

run = Run("4_gman/demo", {name: globals()[name] for name in ("profile", "dataset", "seed", "device", "output", "weights")})

# %% [markdown]
# ## The weights
#
# One file in half precision, made by `make demo-weights` from the trainings of {doc}`mnist`; beside it stands what it was trained on and a checksum. If it is
# missing, small generators are trained instead, which takes longer.

# %%
file = Path(weights) if weights else find_checkout() / "book" / "weights" / "gman.safetensors"
if not file.is_file():
    file = demo_weights(str(Path(tempfile.mkdtemp()) / "gman.safetensors"), dataset=dataset, profile="quick", seed=seed)
generators, trained_on = load_generators(file)
# %%
sizes = pd.DataFrame({"model": name, "layers": each.settings.layers, "image": f"{each.settings.channels} x {each.settings.image_size} px", "parameters": sum(p.numel() for p in each.parameters())}
                     for name, each in generators.items())  # fmt: skip
print(f"trained on {trained_on}; {file.stat().st_size / 1e6:.2f} MB")
sizes

# %% [markdown]
# ## By hand: the same latents, the same images
#
# A generator in evaluation mode is a function: the same latents must give the same images, alone or in a batch, and a latent's place in the batch must not matter.

# %%
drawn = latents(24, 100, seed=seed)
with torch.no_grad():
    together = generators["DCGMAN"](drawn)
    alone = torch.cat([generators["DCGMAN"](each[None]) for each in drawn.flip(0)]).flip(0)
furthest = float((together - alone).abs().max())
run.record(paper="ours", exhibit="control", row="images do not depend on the batch", column="pass" if furthest < 1e-4 else "FAIL", metric="largest difference", value=furthest,
           dataset=trained_on.split(",")[0], key="control-batch")  # fmt: skip

# %% [markdown]
# ## Samples
#
# From the same latents for all four. GAN and DCGAN had one discriminator, GMAN and DCGMAN five.

# %%
def sampled(name: str, z: torch.Tensor) -> torch.Tensor:
    """Images (n, c, 32, 32) of one generator; smaller ones with a black rim."""
    with torch.no_grad():
        images = to_pixels(generators[name](z))
    rim = (32 - images.shape[-1]) // 2
    return torch.nn.functional.pad(images, (rim,) * 4)


# %%
shown = torch.cat([sampled(name, drawn) for name in generators])
show(image_grid(shown, columns=12, row_labels=[label for name in generators for label in (name, "")]), name="fig-samples", caption=f"Images of the stored generators, trained on {trained_on}.")

# %% [markdown]
# ## Between two latents
#
# A generator that has learned more than to repeat its training images changes smoothly from one image to another. Each row goes from one latent to another on a straight line.

# %%
share = torch.linspace(0, 1, 12)[:, None]
ways = [(name, (1 - share) * drawn[[start]] + share * drawn[[start + 1]]) for _, name in GMAN_PAIRS for start in (0, 2)]
walk = torch.cat([sampled(name, way) for name, way in ways])
show(image_grid(walk, columns=12, row_labels=[name for name, _ in ways]), name="fig-walk", caption="From one latent to another (stored generators).")

# %% [markdown]
# ## How long it took

# %%
seconds = perf_counter() - began
run.record(paper="ours", exhibit="demonstration", row="from the first import to the last image", column=device, metric="seconds", value=seconds, standard_error=0.0,
           dataset=trained_on.split(",")[0], key="seconds")  # fmt: skip
run.table("demonstration")[["row", "metric", "value"]].round(1)

# %% [markdown]
# In the committed run, with one thread of a CPU, it took {num}`cpu:4_gman/demo.seconds|.0f` seconds, most of them for imports.

# %% [markdown]
# ## Where it fails
#
# These generators are narrow and were trained for minutes, so some images are no digit at all. Weights in half precision move the images a little; a test holds that below what an eye sees.
#
# ## What to try
#
# - `make demo-weights WEIGHTS_OF=fashion-mnist` trains the same models on something else.
# - `weights=...` shows a file of your own, written by `giqa_lib.applications.gman.save_generators`.

# %%
record = run.save(output)
