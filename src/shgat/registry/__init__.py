"""Which version of a model serves: versions, the aliases that name them, the gate before production, and the slots they stand in."""

from .contract import Registry, Version
from .embedded import StoreRegistry
from .facts import facts_of
from .promotion import Judgement, judge, promote
from .slots import ROLES, ServedVersion, Slots
from .versions import Versions

__all__ = [
    "ROLES",
    "Judgement",
    "Registry",
    "ServedVersion",
    "Slots",
    "StoreRegistry",
    "Version",
    "Versions",
    "facts_of",
    "judge",
    "promote",
]
