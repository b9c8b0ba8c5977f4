"""Features of images: named extractors, streaming extraction with a resumable store, PCA."""

from giqa_lib.features.classifier import ClassifierExtractor, ClassifierSettings, SmallClassifier
from giqa_lib.features.classifier_training import fetch_classifier, train_classifier
from giqa_lib.features.extraction import Features, extract, join_features
from giqa_lib.features.extractors import Extractor, extractor, extractor_names
from giqa_lib.features.heads import class_probabilities, has_weights
from giqa_lib.features.imagenet import ImageNetClassifier, imagenet_classifier
from giqa_lib.features.module import ModuleExtractor
from giqa_lib.features.pca import PCA
from giqa_lib.features.pixels import PixelExtractor

__all__ = [
    "PCA",
    "ClassifierExtractor",
    "ClassifierSettings",
    "Extractor",
    "Features",
    "ImageNetClassifier",
    "ModuleExtractor",
    "PixelExtractor",
    "SmallClassifier",
    "class_probabilities",
    "extract",
    "extractor",
    "extractor_names",
    "fetch_classifier",
    "has_weights",
    "imagenet_classifier",
    "join_features",
    "train_classifier",
]
