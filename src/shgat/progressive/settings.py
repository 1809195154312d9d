"""How a workspace is run, and what of it stays the same from one run to the next."""

from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from .._check import number, positive_integer
from ..errors import CorruptError, WorkspaceError
from .disk import Disk
from .events import CONFIG, canonical
from .layout import Layout
from .quota import LEAST

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Settings:
    """How a workspace is run.

    Attributes
    ----------
    quota : bytes of the whole workspace, decimal
    batch_size : repositories after which the ledger is archived
    jobs : processes that read repositories
    high_water : part of the ledger's share at which it is archived before the batch ends
    timeout : seconds of one clone
    tries : of a clone
    backoff : seconds before the second try, twice as many before each further one
    """

    quota: int = 10_000_000_000
    batch_size: int = 200
    jobs: int = 1
    high_water: float = 0.95
    timeout: float = 300.0
    tries: int = 3
    backoff: float = 2.0

    def __post_init__(self) -> None:
        number(self.quota, LEAST, 1e18, "quota")
        for name in ("batch_size", "jobs", "tries"):
            positive_integer(getattr(self, name), name)
        number(self.high_water, 0.1, 1.0, "high_water")
        number(self.timeout, 0.01, 1e6, "timeout")
        number(self.backoff, 0.0, 1e4, "backoff")


def remembered(layout: Layout) -> Mapping[str, int | str]:
    """What workspace.json says; nothing where there is none.

    Raises
    ------
    CorruptError
        where it is not what was written.
    WorkspaceError
        where another version, or another way of reading repositories, made the workspace.
    """
    try:
        about: dict[str, int | str] = orjson.loads(layout.about.read_bytes())
        made, config = about["format"], about["config"]
        about["quota"] = int(about["quota"])
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError, KeyError):
        raise CorruptError(f"{layout.about}: it is not what was written; without it, the next run writes it anew") from None
    if made != FORMAT:
        raise WorkspaceError(f"{layout.about}: format {made!r:.20}, expected {FORMAT}; use the version of shgat that made it")
    if config != CONFIG:
        raise WorkspaceError(
            f"{layout.about}: repositories were read in another way ({config!r:.20}, now {CONFIG}); read them into a new workspace"
        )
    return about


def remember(layout: Layout, settings: Settings, disk: Disk) -> None:
    """Writes workspace.json where something of it is new."""
    data = canonical({"format": FORMAT, "config": CONFIG, "quota": settings.quota}) + b"\n"
    if not layout.about.exists() or layout.about.read_bytes() != data:
        disk.replace(layout.about, data)
