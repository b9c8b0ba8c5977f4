"""Generators and discriminators, one family a module."""

from giqa_lib.gan.models.dcgan import DCGANSettings, Discriminator, Generator, new_dcgan

__all__ = ["DCGANSettings", "Discriminator", "Generator", "new_dcgan"]
