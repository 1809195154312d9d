"""Forks: what a process holds and its forked child must not go on using.

A lock that another thread held stays locked in the child for ever, threads do not come along, and files, processes and connections are
the parent's. Whoever holds such things registers here and makes them anew.
"""

import os
import sys
import threading
import weakref
from functools import cached_property
from typing import Protocol


class Renewed(Protocol):
    """Something that is made anew in a forked child."""

    def after_fork(self) -> None:
        """In the child, before anything else: new locks; what is the parent's is let go of and not ended."""


_renewed: "weakref.WeakSet[Renewed]" = weakref.WeakSet()


def renew(item: Renewed) -> None:
    """Registers something for as long as it lives."""
    _renewed.add(item)


def _after_fork() -> None:
    for item in list(_renewed):
        item.after_fork()
    _renew_cached_properties()


def _renew_cached_properties() -> None:
    """Before Python 3.12 each has a lock, which a thread of the parent may hold while it computes."""
    for name, module in list(sys.modules.items()):
        if name.startswith("shgat."):
            for owner in list(vars(module).values()):
                for item in list(vars(owner).values()) if isinstance(owner, type) else ():
                    if isinstance(item, cached_property) and hasattr(item, "lock"):
                        item.lock = threading.RLock()


os.register_at_fork(after_in_child=_after_fork)
