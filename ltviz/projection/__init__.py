"""Views in 3-D of embeddings of more dimensions, each with its honesty meter. numpy and scipy only."""

from ltviz.projection.base import Projection
from ltviz.projection.chosen import ChosenClasses
from ltviz.projection.honesty import honesty, kept_angle_order
from ltviz.projection.none import Identity
from ltviz.projection.principal import CentresPCA, SamplesPCA
from ltviz.projection.spread import SpreadCentres

REGISTRY: dict[str, type[Projection]] = {
    projection.name: projection for projection in (CentresPCA, SamplesPCA, SpreadCentres, ChosenClasses, Identity)
}
"""Name -> class, the default first. One object follows one run."""

__all__ = [
    "REGISTRY",
    "CentresPCA",
    "ChosenClasses",
    "Identity",
    "Projection",
    "SamplesPCA",
    "SpreadCentres",
    "honesty",
    "kept_angle_order",
]
