"""Encoders: images (B, 1, H, W) -> features (B, feature_dim). One file each, found by name."""

from ltviz.encoders.registry import build as build
from ltviz.encoders.registry import build_head as build_head
from ltviz.encoders.registry import encoders as encoders

__all__ = ["build", "build_head", "encoders"]
