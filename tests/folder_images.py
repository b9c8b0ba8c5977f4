"""Folders of small images to score: smooth ones stand in for real images, noisy ones for bad."""

from pathlib import Path

import numpy as np
from PIL import Image

#: Options of ``giqa fit`` and ``giqa compare`` that take no time.
FIT = ["--extractor", "pixels@4", "--density", "sgm", "--variance", "1", "--max-dimensions", "8"]


def smooth(count: int, *, seed: int, side: int = 8, noise: float = 5.0) -> np.ndarray:
    """uint8 (n, side, side): ramps of random direction, with white noise of this many grey values."""
    random = np.random.default_rng(seed)
    x = np.linspace(-1, 1, side)
    slopes = random.normal(size=(2, count, 1, 1))
    ramps = 128 + 50 * (slopes[0] * x + slopes[1] * x[:, None])
    return (ramps + noise * random.normal(size=ramps.shape)).clip(0, 255).astype(np.uint8)


def write_folder(folder: Path, images: np.ndarray, *, start: int = 0) -> Path:
    """One PNG an image, named by its number."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, image in enumerate(images, start):
        Image.fromarray(image).save(folder / f"{number:03d}.png")
    return folder
