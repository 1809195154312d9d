"""Records that were exported come back into a ledger, a segment a unit."""

from collections.abc import Callable, Iterator

import orjson

from ..errors import InputError
from .disk import Disk
from .events import canonical
from .ledger import Ledger, owner_of
from .segment import Measured, SegmentWriter


def take_in(
    ledger: Ledger, lines: Callable[[], Iterator[bytes]], room: Callable[[], int] = lambda: 1 << 62, disk: Disk | None = None
) -> tuple[int, int]:
    """How many units were taken in, and how many the ledger had already.

    Parameters
    ----------
    ledger : of a workspace whose lock is held
    lines : gives the lines from the first one, each time it is asked
    room : bytes that the next segment may have
    disk : the door

    Raises
    ------
    InputError
        where a line is no canonical record or a unit has no end; nothing is taken in then.
    QuotaError
        where the next unit has no room; those before it are taken in.
    """
    for _ in _units(lines()):
        pass
    door = disk or Disk()
    known = {(e.unit, e.root) for e in ledger.chain.entries}
    taken = had = 0
    for found in _units(lines()):
        part = ledger.layout.part(0)
        what = _written(found, SegmentWriter(part, door, room()))
        owner = owner_of(found[-1], f"unit {taken + had + 1}")
        if (owner.unit, what.root) in known:
            door.remove(part)
            had += 1
        else:
            ledger.seal(part, what, owner)
            known.add((owner.unit, what.root))
            taken += 1
    return taken, had


def _written(found: list[bytes], writer: SegmentWriter) -> Measured:
    try:
        for line in found:
            writer.add(orjson.loads(line))
        return writer.done()
    except BaseException:
        writer.abandon()
        raise


def _units(lines: Iterator[bytes]) -> Iterator[list[bytes]]:
    """The lines of each unit, up to its cycle."""
    unit: list[bytes] = []
    for number, line in enumerate(lines, 1):
        try:
            record = orjson.loads(line)
            kind = record["kind"]
        except (ValueError, TypeError, KeyError):
            raise InputError(f"line {number} is no record: expected a JSON object with a kind") from None
        if canonical(record) != line:
            raise InputError(f"line {number} is not canonical: it was changed since it was exported")
        unit.append(line)
        if kind == "cycle":
            yield unit
            unit = []
    if unit:
        raise InputError(f"the last {len(unit)} lines are a unit without its cycle: the file was cut off")
