"""A repository becomes a unit: its events and its cycle in a segment that is not sealed yet, and its summary."""

from dataclasses import dataclass
from pathlib import Path

from .chain import Owner
from .disk import Disk
from .events import CONFIG, Record, event, lineage_of, unit_of
from .history import History
from .segment import Measured, SegmentWriter
from .unit import Tally


@dataclass(frozen=True, slots=True)
class Extracted:
    """What came of a repository.

    Attributes
    ----------
    owner : of the segment
    measured : of the segment
    n_commits : events
    summary : what the kernel keeps
    """

    owner: Owner
    measured: Measured
    n_commits: int
    summary: Record


def extract(history: History, part: Path, source: str, name: str, disk: Disk, most: int) -> Extracted | None:
    """Reads a history into a part; None where it has no commit yet.

    Parameters
    ----------
    history : of the repository
    part : the file
    source, name : hash of where it is, and what people call it
    disk : the door
    most : bytes that the part may have

    Raises
    ------
    RepositoryError
        where it cannot be read to its end.
    QuotaError
        where the part would be larger than `most`. The part is taken away in both cases.
    """
    if not history.head:
        return None
    lineage = lineage_of(history.roots)
    unit = unit_of(lineage, history.head)
    repo = {
        "config": CONFIG,
        "head": history.head,
        "head_time": history.graph[history.head][0],
        "lineage": lineage,
        "name": name,
        "roots": history.roots,
        "source": source,
    }
    tally, writer = Tally(), SegmentWriter(part, disk, most)
    try:
        for seq, commit in enumerate(history.commits()):
            record = event(commit, unit, seq, commit.sha in history.boundary)
            tally.add(record)
            writer.add(record)
        writer.add(tally.cycle(repo, unit, tally.n))
        found = writer.done()
    except BaseException:
        writer.abandon()
        raise
    return Extracted(Owner(unit, lineage, source), found, tally.n, tally.summary(repo, unit))
