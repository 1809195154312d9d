"""What is asked of a history, commit after commit, and what each ranking answers: nothing later than the commit is known to any.

Two questions a commit. With one of its files (up to three of them): which others? With its message, as it is or
without the names of its files: which files?

Candidates are the files that were there before it, and a commit that touches none of them asks nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from .._types import Float32, Float64, Int64
from ..shgat import SHGAT
from .blend import Case
from .changeset import Changes
from .cochange import Together
from .learner import over, scores
from .priors import BY_FILE, BY_INTENT, Counts, logs
from .snapshot import Snapshot, asked_of, intent, spoken, vectors

Kind = Literal["file", "intent", "masked"]
KINDS: tuple[Kind, ...] = ("file", "intent", "masked")
MOST_FILES = 3  # of a commit that are asked with
BLOCKS = 12  # times that the catalogue and the memory are brought up to date, between two rows


@dataclass(frozen=True)
class Asked:
    """One question and its answers.

    Attributes
    ----------
    row : of the commit
    kind : file, intent or masked
    case : features in the order of `names(kind)`, and the wanted columns
    files : identities of the candidates
    """

    row: int
    kind: Kind
    case: Case
    files: tuple[int, ...]


def names(kind: Kind) -> tuple[str, ...]:
    """The rankings that answer a kind of question, SHGAT last."""
    return (*(BY_FILE if kind == "file" else BY_INTENT), "shgat")


def asked(
    changes: Changes,
    start: int,
    stop: int,
    model: SHGAT | None,
    together: Sequence[Together],
    *,
    kinds: Sequence[Kind] = KINDS,
    most: int | None = None,
) -> Iterator[Asked]:
    """The questions of the rows from `start` to before `stop`, answered.

    Parameters
    ----------
    model : its parameters stay; what it remembers, and the files there are, are brought up to date twelve times on the way
    together : sets of files for its capabilities, of rows before `start`
    most : rows that are asked, evenly spread; None: all
    """
    counts = Counts(len(changes.last_paths))
    for change in changes.rows[:start]:
        counts.add(change)
    n = stop - start
    chosen = set(range(start, stop) if most is None or most >= n else np.linspace(start, stop - 1, most).astype(int).tolist())
    step = max(20, -(-n // BLOCKS))
    for first in range(start, stop, step):
        snapshot = Snapshot.at(changes, first, together)
        if not snapshot.alive:
            continue
        ranker = over(model, snapshot)
        for row in range(first, min(first + step, stop)):
            if row in chosen:
                yield from _of_row(changes, row, ranker, snapshot, counts, kinds)
            counts.add(changes.rows[row])


def _of_row(
    changes: Changes, row: int, ranker: SHGAT, snapshot: Snapshot, counts: Counts, kinds: Sequence[Kind]
) -> Iterator[Asked]:
    change, alive = changes.rows[row], np.array(changes.alive(row), np.int64)
    there = set(alive.tolist())
    wanted = [f for f in change.files if f in there]
    place = np.array([snapshot.column.get(f, -1) for f in alive.tolist()], np.int64)
    first = asked_of(change.sha, max(len(wanted), 1))
    some = (wanted[first:] + wanted[:first])[:MOST_FILES] if len(wanted) > 1 else []
    questions = [(kind, file) for kind in kinds for file in (some if kind == "file" else [-1])]
    for kind, asking in questions:
        if kind == "file":
            x, text = _of_file(snapshot, asking, change.paths[change.files.index(asking)])
            plain = counts.of_file(asking)
        else:
            text = intent(change, masked=kind == "masked")
            x, plain = vectors([text]), counts.of_intent(text)
        files = alive[alive != asking]
        right = np.flatnonzero(np.isin(files, wanted))
        if len(right) and len(files) > 1:
            learned = _placed(scores(ranker, x, [text])[0], place[alive != asking])
            features = np.vstack([logs(plain, names(kind)[:-1], files), learned]).astype(np.float32)
            yield Asked(
                row,
                kind,
                Case(features, right),
                tuple(files.tolist()),
            )


def _of_file(snapshot: Snapshot, file: int, path: str) -> tuple[Float32, str]:
    """Vector and words of a file that is asked with; of one that came since the snapshot, those of its path."""
    column = snapshot.column.get(file)
    if column is None:
        return vectors([spoken(path)]), spoken(path)
    rows = snapshot.catalog.tool_embeddings
    assert rows is not None
    return rows[column : column + 1], spoken(snapshot.paths[column])


def _placed(learned: Float32, place: Int64) -> Float64:
    """Scores of candidates from those of columns, none lower than e^-20 of the best; files that the snapshot does not have are lowest."""
    found = np.full(len(place), -np.inf)
    found[place >= 0] = learned[place[place >= 0]]
    return np.asarray(np.maximum(found, float(learned.max()) - 20.0), np.float64)


def reciprocal_ranks(logits: Sequence[Float64 | Float32], cases: Sequence[Case], at: int = 10) -> Float64:
    """(B,) 1 / rank of the best wanted file, 0 beyond `at`; equal ones share their places, so that no order of files helps."""
    found = np.zeros(len(cases))
    for i, (z, case) in enumerate(zip(logits, cases, strict=True)):
        best = z[case.wanted].max()
        tied = np.count_nonzero(z == best)
        hits = np.count_nonzero(z[case.wanted] == best)
        rank = 1.0 + np.count_nonzero(z > best) + (tied - hits) / (hits + 1.0)
        found[i] = 1.0 / rank if rank <= at else 0.0
    return found
