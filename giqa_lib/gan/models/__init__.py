"""Generators and discriminators, one family a module."""

from giqa_lib.gan.models.controlgan import (
    ControlGANSettings,
    ResidualClassifier,
    ResidualDiscriminator,
    ResidualGenerator,
)
from giqa_lib.gan.models.dcgan import DCGANSettings, Discriminator, Generator, new_dcgan
from giqa_lib.gan.models.ensemble import Ensemble, SeparateEnsemble, dropout_rates
from giqa_lib.gan.models.gman import GMANDiscriminator, GMANGenerator, GMANSettings
from giqa_lib.gan.models.gman_files import load_report_player
from giqa_lib.gan.models.patch_discriminator import (
    MultiScaleDiscriminator,
    PatchDiscriminator,
    PatchSettings,
    feature_matching_loss,
    patch_size,
)
from giqa_lib.gan.models.pennet import PENNetSettings, PyramidContextGenerator
from giqa_lib.gan.models.pggan import GrowingDiscriminator, GrowingGenerator, PGGANSettings
from giqa_lib.gan.models.pix2pix import Pix2PixSettings, UNetGenerator
from giqa_lib.gan.models.pix2pixhd import CoarseToFineGenerator, Pix2PixHDSettings
from giqa_lib.gan.models.residual import ClassifierBlock, ClassNorm, DownBlock, UpBlock
from giqa_lib.gan.models.spade import SPADE, SPADEBlock, SPADEGenerator, SPADESettings
from giqa_lib.gan.models.stargan import (
    AttributeDiscriminator,
    AttributeGenerator,
    StarGANSettings,
)
from giqa_lib.gan.models.stylegan import StyleGANSettings, StyleGenerator
from giqa_lib.gan.models.wgan_gp import Critic, WGANGPSettings

__all__ = [
    "SPADE",
    "AttributeDiscriminator",
    "AttributeGenerator",
    "ClassNorm",
    "ClassifierBlock",
    "CoarseToFineGenerator",
    "ControlGANSettings",
    "Critic",
    "DCGANSettings",
    "Discriminator",
    "DownBlock",
    "Ensemble",
    "GMANDiscriminator",
    "GMANGenerator",
    "GMANSettings",
    "Generator",
    "GrowingDiscriminator",
    "GrowingGenerator",
    "MultiScaleDiscriminator",
    "PENNetSettings",
    "PGGANSettings",
    "PatchDiscriminator",
    "PatchSettings",
    "Pix2PixHDSettings",
    "Pix2PixSettings",
    "PyramidContextGenerator",
    "ResidualClassifier",
    "ResidualDiscriminator",
    "ResidualGenerator",
    "SPADEBlock",
    "SPADEGenerator",
    "SPADESettings",
    "SeparateEnsemble",
    "StarGANSettings",
    "StyleGANSettings",
    "StyleGenerator",
    "UNetGenerator",
    "UpBlock",
    "WGANGPSettings",
    "dropout_rates",
    "feature_matching_loss",
    "load_report_player",
    "new_dcgan",
    "patch_size",
]
