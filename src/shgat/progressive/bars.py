"""What this room has to reach, measured: a table of bars, each with its figure, and with that of the program it takes the place of."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from ..errors import RepositoryError
from . import crash_bars, kernel_bars, replay_bars, storage_bars
from .bar import Bar, Bench
from .generator import Plan, make
from .git import folder_of

NOT_BUILT = {
    "B10": "co-change: SHGAT beats the best baseline",
    "B11": "intent to files: SHGAT beats words and recency",
    "B12": "transfer: rises with the batches",
    "B13": "labels: macro-F1 above naive Bayes",
    "B14": "forecasts: Brier, ECE, resolved",
}


def measures() -> dict[str, Callable[[Bench], Bar]]:
    """Name -> what measures it."""
    return {
        "B1": replay_bars.speed,
        "B2": replay_bars.memory,
        "B3": replay_bars.four,
        "B4": crash_bars.quota,
        "B5": storage_bars.compression,
        "B6": kernel_bars.size,
        "B7": crash_bars.kills,
        "B8": kernel_bars.laws,
        "B9": replay_bars.jobs,
        "B15": storage_bars.verification,
    }


def repositories(corpus: Path | None, folder: Path) -> list[Path]:
    """The repositories of a folder, or where there is none, some that are generated in another one."""
    if corpus is None:
        return [make(folder / f"generated-{n}.git", Plan(seed=n, commits=300 * n)).path for n in range(1, 9)]
    found = []
    for path in sorted(corpus.iterdir()):
        try:
            folder_of(path)
            found.append(path)
        except RepositoryError:
            continue
    return found


def measured(corpus: Path | None, names: Sequence[str] = ()) -> Iterator[Bar]:
    """Each bar, or those of some names, as soon as it is measured; those that are not built yet stand among them."""
    known = measures()
    wanted = [n for n in sorted({*known, *NOT_BUILT}, key=lambda n: int(n[1:])) if not names or n in names]
    with tempfile.TemporaryDirectory(prefix="shgat-bars-") as made:
        folder = Path(made)
        (folder / "repositories").mkdir()
        bench = Bench(repositories(corpus, folder / "repositories") if known.keys() & wanted else [], folder)
        for name in wanted:
            yield known[name](bench) if name in known else Bar(name, NOT_BUILT[name], "not built yet", None)
