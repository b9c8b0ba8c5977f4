"""Generators and discriminators, one family a module."""

from giqa_lib.gan.models.dcgan import DCGANSettings, Discriminator, Generator, new_dcgan
from giqa_lib.gan.models.pggan import GrowingDiscriminator, GrowingGenerator, PGGANSettings
from giqa_lib.gan.models.stylegan import StyleGANSettings, StyleGenerator
from giqa_lib.gan.models.wgan_gp import Critic, WGANGPSettings

__all__ = [
    "Critic",
    "DCGANSettings",
    "Discriminator",
    "Generator",
    "GrowingDiscriminator",
    "GrowingGenerator",
    "PGGANSettings",
    "StyleGANSettings",
    "StyleGenerator",
    "WGANGPSettings",
    "new_dcgan",
]
