"""Images: named data sets, folders, zips, Parquet, tensors; resizing; degradations."""

from giqa_lib.data.cards import DatasetCard, dataset_card, dataset_names
from giqa_lib.data.decode import IMAGE_SUFFIXES, MAX_PIXELS, decode_image, encode_png
from giqa_lib.data.degradations import DEGRADATIONS, degrade
from giqa_lib.data.face_attributes import FACE_ATTRIBUTES, AttributeThresholds, part_luminance
from giqa_lib.data.images import Batch, ImageSet
from giqa_lib.data.label_maps import (
    LABEL_MAP_SETS,
    LabelledPairs,
    check_maps,
    load_pairs,
    resize_maps,
)
from giqa_lib.data.opening import open_images
from giqa_lib.data.parquet_writing import write_parquet
from giqa_lib.data.places import find_folder
from giqa_lib.data.quality_database import QualityDatabase
from giqa_lib.data.quality_parquet import (
    DATASHEET_SECTIONS,
    load_quality_database,
    save_quality_database,
)
from giqa_lib.data.reencode import jpeg_round_trip
from giqa_lib.data.registry import encoded_as, fetch, find, jpeg_quality, load, status
from giqa_lib.data.repeats import Repeats, find_repeats
from giqa_lib.data.resize import resize, set_channels
from giqa_lib.data.source import UnreadableImage
from giqa_lib.data.toy_faces import TOY_FACE_PARTS, toy_faces
from giqa_lib.data.warping import warp

__all__ = [
    "DATASHEET_SECTIONS",
    "DEGRADATIONS",
    "FACE_ATTRIBUTES",
    "IMAGE_SUFFIXES",
    "LABEL_MAP_SETS",
    "MAX_PIXELS",
    "TOY_FACE_PARTS",
    "AttributeThresholds",
    "Batch",
    "DatasetCard",
    "ImageSet",
    "LabelledPairs",
    "QualityDatabase",
    "Repeats",
    "UnreadableImage",
    "check_maps",
    "dataset_card",
    "dataset_names",
    "decode_image",
    "degrade",
    "encode_png",
    "encoded_as",
    "fetch",
    "find",
    "find_folder",
    "find_repeats",
    "jpeg_quality",
    "jpeg_round_trip",
    "load",
    "load_pairs",
    "load_quality_database",
    "open_images",
    "part_luminance",
    "resize",
    "resize_maps",
    "save_quality_database",
    "set_channels",
    "status",
    "toy_faces",
    "warp",
    "write_parquet",
]
