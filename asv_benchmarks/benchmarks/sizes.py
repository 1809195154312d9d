"""How large what takes minutes is: all of it, or, where SHGAT_ASV_SMALL is set, only enough to see that it runs."""

import os
from typing import TypeVar

T = TypeVar("T")
SMALL = bool(os.environ.get("SHGAT_ASV_SMALL"))


def sized(whole: T, small: T) -> T:
    """One of the two."""
    return small if SMALL else whole
