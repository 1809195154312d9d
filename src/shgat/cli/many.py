"""`shgat rank --bulk`: a file of intents in, a file of ranked tools out."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from . import given, spread

if TYPE_CHECKING:
    from ..bulk import Ranked
    from ..executor import Executor
    from ..shgat import SHGAT

_PAYS = 5000  # intents from which on several processes rank them, which take a second to start
_NAMED = 3  # intents that could not be ranked, on stderr


def ranked(
    bulk: Path,
    out: Path,
    model: "SHGAT",
    open_executor: "Callable[[bool], Executor]",
    *,
    top: int,
    min_score: float | None,
    encoder: str,
    as_json: bool,
) -> int:
    """Ranks the intents of a file into another one; 1 where not one could be ranked."""
    from ..bulk import intents, rank_bulk, write_ranked
    from ..bulk import ranked as rows_of
    from . import output

    given.writable(out, "--out")
    for path, option, endings in ((bulk, "--bulk", intents.ENDINGS), (out, "--out", rows_of.ENDINGS)):
        if path.suffix not in endings:
            raise given.WrongUsage(f"{option} {path}: the name of the file ends in {', '.join(endings)}")
    total = sum(1 for _ in intents.read_intents(bulk))  # its faults of form are found before any work
    tally = _Tally()
    with open_executor(total >= _PAYS) as executor, spread.counted("ranked", total) as on_done:
        rows = rank_bulk(
            model, intents.read_intents(bulk), executor, top_k=top, min_score=min_score, encoder=encoder, on_done=on_done
        )
        n_rows = write_ranked(out, tally.counting(rows))
    for one in tally.faults[:_NAMED]:
        output.note(f"shgat: {one.id} was not ranked: {one.error}")
    if len(tally.faults) > _NAMED:
        output.note(f"shgat: and {len(tally.faults) - _NAMED} more, see the column error")
    if as_json:
        output.write_json({"out": str(out), "intents": tally.n, "not_ranked": len(tally.faults), "rows": n_rows})
    else:
        output.write_lines(f"{out}: {tally.n - len(tally.faults)} of {tally.n} intents ranked, {n_rows} rows")
    return int(bool(tally.n) and len(tally.faults) == tally.n)


class _Tally:
    """How many went by, and those that were not ranked."""

    def __init__(self) -> None:
        self.n, self.faults = 0, list["Ranked"]()

    def counting(self, rows: "Iterable[Ranked]") -> "Iterator[Ranked]":
        for one in rows:
            self.n += 1
            if one.error:
                self.faults.append(one)
            yield one
