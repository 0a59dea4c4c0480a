"""Views in 3-D of embeddings of more dimensions, each with its honesty meter.

Importing this needs numpy alone; umap is imported where a map of neighbours is fitted.
"""

from ltviz.projection.base import Fit, Projection
from ltviz.projection.cache import ProjectionCache
from ltviz.projection.chosen import ChosenClasses
from ltviz.projection.honesty import honesty, kept_angle_order, kept_centre_order, trustworthiness
from ltviz.projection.linear import LinearProjection
from ltviz.projection.neighbour_map import NeighbourMap, SphereNeighbourMap
from ltviz.projection.none import Identity
from ltviz.projection.placement import LinearPlacement, NeighbourPlacement, Placement
from ltviz.projection.principal import CentresPCA, SamplesPCA
from ltviz.projection.registry import REGISTRY, make_projection
from ltviz.projection.run_projections import RunProjections
from ltviz.projection.spread import SpreadCentres

__all__ = [
    "REGISTRY",
    "CentresPCA",
    "ChosenClasses",
    "Fit",
    "Identity",
    "LinearPlacement",
    "LinearProjection",
    "NeighbourMap",
    "NeighbourPlacement",
    "Placement",
    "Projection",
    "ProjectionCache",
    "RunProjections",
    "SamplesPCA",
    "SphereNeighbourMap",
    "SpreadCentres",
    "honesty",
    "kept_angle_order",
    "kept_centre_order",
    "make_projection",
    "trustworthiness",
]
