"""Tools, capabilities, levels and incidence."""

from .catalog import Catalog
from .cooccurrence import Cooccurrence
from .hierarchy import Hierarchy, Level
from .incidence import Incidence
from .records import Capability, Tool

__all__ = ["Capability", "Catalog", "Cooccurrence", "Hierarchy", "Incidence", "Level", "Tool"]
