"""Which version of a model serves: versions over a catalogue, and the slots they stand in."""

from .slots import ROLES, ServedVersion, Slots
from .versions import Versions

__all__ = ["ROLES", "ServedVersion", "Slots", "Versions"]
