"""Fitting networks to images and targets: networks by name, patches, one loop."""

from giqa_lib.learning.batches import check_pixels, in_batches
from giqa_lib.learning.crops import CENTRE, crop_at, random_crops, random_places
from giqa_lib.learning.digests import content_digest
from giqa_lib.learning.fitting import FitSettings, Fitted, fit, rank_correlation
from giqa_lib.learning.networks import VGG_SMALLEST_PATCH, NetworkSettings, new_network

__all__ = [
    "CENTRE",
    "VGG_SMALLEST_PATCH",
    "FitSettings",
    "Fitted",
    "NetworkSettings",
    "check_pixels",
    "content_digest",
    "crop_at",
    "fit",
    "in_batches",
    "new_network",
    "random_crops",
    "random_places",
    "rank_correlation",
]
