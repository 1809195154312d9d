"""The quota: every class of files has a share of the disk, and whoever writes has reserved first.

Bytes are decimal, and counted as the file system does (blocks of 512). The shares of all classes together are the quota, so that no class
can take from another, and the whole is never more. What stands in no class's folder, the manifest above all, is `other`.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from .._check import brief
from ..errors import InputError, QuotaError
from .layout import Layout

SHARES = {"ledger": 0.2, "kernel": 0.1, "archives": 0.1, "corpus": 0.5, "other": 0.1}
BLOCK = 4096
LEAST = 20_000_000  # bytes of a quota: the manifest and its journal alone need one or two of them
_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


def size_of(text: str) -> int:
    """Bytes of "10GB", "50 MB" or a number; decimal.

    Raises
    ------
    InputError
        where it is none.
    """
    number = text.strip().upper().rstrip("KMGTB").strip()
    unit = text.strip().upper()[len(number) :].strip()
    try:
        return int(float(number) * _UNITS[unit])
    except (ValueError, KeyError, OverflowError):
        raise InputError(f"a size is a number and B, KB, MB, GB or TB, not {brief(text)}") from None


def taken(folder: Path) -> int:
    """Bytes that a folder takes on its disk, as `du` counts them. What vanishes meanwhile is passed over."""
    total = 0
    try:
        total += folder.lstat().st_blocks * 512
        with os.scandir(folder) as found:
            entries = list(found)
    except (FileNotFoundError, NotADirectoryError):
        return total
    for entry in entries:
        try:
            if entry.is_dir(follow_symlinks=False):
                total += taken(Path(entry.path))
            else:
                total += entry.stat(follow_symlinks=False).st_blocks * 512
        except FileNotFoundError:
            continue
    return total


def rounded(n: int) -> int:
    """Bytes that a file of `n` bytes may take, with the block that the folder may need for its name."""
    return -(-n // BLOCK) * BLOCK + BLOCK


class Quota:
    """What of a workspace is used and reserved, by class.

    Parameters
    ----------
    layout : of the workspace
    limit : bytes of all together
    shares : class -> part of the limit

    Attributes
    ----------
    caps : class -> bytes
    used, reserved : class -> bytes
    peak : the most that all together took, of the moments when it was measured
    """

    def __init__(self, layout: Layout, limit: int, shares: Mapping[str, float] = SHARES) -> None:
        if limit < LEAST:
            raise InputError(f"a quota is at least {LEAST} bytes, not {limit}")
        self.layout, self.limit = layout, limit
        self.caps = {name: int(limit * share) for name, share in shares.items()}
        self.reserved = dict.fromkeys(self.caps, 0)
        self.used = dict.fromkeys(self.caps, 0)
        self.peak = 0
        self.measure()

    def measure(self, *names: str) -> None:
        """Looks at the disk again, at some classes or at all."""
        folders = self.layout.classes()
        for name in names or folders:
            self.used[name] = taken(folders[name])
        if not names:
            self.used["other"] = taken(self.layout.root) - sum(self.used[n] for n in folders)
        self.peak = max(self.peak, sum(self.used.values()))

    def free(self, name: str) -> int:
        """Bytes of a class that nobody uses or has reserved."""
        return max(0, self.caps[name] - self.used[name] - self.reserved[name])

    def reserve(self, name: str, n: int) -> int:
        """Sets bytes of a class aside, before they are written; returns how many, which `release` takes.

        Raises
        ------
        QuotaError
            where the class does not have them.
        """
        wanted = rounded(n)
        if wanted > self.free(name):
            raise QuotaError(
                f"{name} would need {wanted} bytes more, and has {self.free(name)} of {self.caps[name]}; give the workspace a larger --quota"
            )
        self.reserved[name] += wanted
        return wanted

    def release(self, name: str, n: int) -> None:
        """What was reserved is written, or is not needed: the disk is looked at instead."""
        self.reserved[name] -= n
        self.measure(name)

    def check(self) -> None:
        """Is everything within its share?

        Raises
        ------
        QuotaError
            for the first class that is not.
        """
        self.measure()
        for name, cap in self.caps.items():
            if self.used[name] > cap:
                raise QuotaError(
                    f"{name} takes {self.used[name]} bytes already, more than its {cap}; give the workspace a larger --quota"
                )
