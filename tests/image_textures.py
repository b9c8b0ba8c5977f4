"""Pictures with the statistics of a photograph, in a small way: edges and fine texture."""

import numpy as np
import torch
from scipy.ndimage import gaussian_filter


def textures(count, seed=0, side=32):
    """Smooth random textures with edges: they have statistics to lose."""
    random = np.random.default_rng(seed)
    coarse = gaussian_filter(random.normal(size=(count, side, side)), (0, 3, 3))
    fine = gaussian_filter(random.normal(size=(count, side, side)), (0, 0.6, 0.6))
    values = np.sign(coarse) * 40 + coarse * 200 + fine * 25 + 128
    return torch.as_tensor(values.clip(0, 255), dtype=torch.uint8)[:, None]
