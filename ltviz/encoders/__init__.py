"""Encoders: images (B, C, H, W) or vectors (B, F) -> features (B, feature_dim). One file each, found by name.

from ltviz import encoders

encoder, feature_dim = encoders.build("resnet32", (32, 32, 3))
map_of = encoders.trunk(encoder, "resnet32")  # (B, 3, 32, 32) -> (B, 64, 8, 8)
"""

from ltviz.encoders.pixelwise import PixelEncoder as PixelEncoder
from ltviz.encoders.pixelwise import of_pixels as of_pixels
from ltviz.encoders.registry import build as build
from ltviz.encoders.registry import build_head as build_head
from ltviz.encoders.registry import encoders as encoders
from ltviz.encoders.registry import find as find
from ltviz.encoders.registry import trunk as trunk
from ltviz.encoders.weights import Loaded as Loaded
from ltviz.encoders.weights import load as load_weights

__all__ = [
    "Loaded",
    "PixelEncoder",
    "build",
    "build_head",
    "encoders",
    "find",
    "load_weights",
    "of_pixels",
    "trunk",
]
