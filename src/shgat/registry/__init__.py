"""Which version of a model serves: versions, the aliases that name them, the gate before production, and the slots they stand in."""

from .canary import Terms
from .contract import Registry, Version
from .embedded import StoreRegistry
from .facts import facts_of
from .promotion import Judgement, judge, promote
from .slots import ROLES, ServedVersion, Slots
from .traffic import Traffic
from .versions import Versions

__all__ = [
    "ROLES",
    "Judgement",
    "Registry",
    "ServedVersion",
    "Slots",
    "StoreRegistry",
    "Terms",
    "Traffic",
    "Version",
    "Versions",
    "facts_of",
    "judge",
    "promote",
]
