"""Fitting networks to images and targets: networks by name, patches, one loop."""

from giqa_lib.learning.crops import CENTRE, crop_at, random_crops, random_places
from giqa_lib.learning.fitting import FitSettings, Fitted, fit
from giqa_lib.learning.networks import NetworkSettings, new_network

__all__ = [
    "CENTRE",
    "FitSettings",
    "Fitted",
    "NetworkSettings",
    "crop_at",
    "fit",
    "new_network",
    "random_crops",
    "random_places",
]
