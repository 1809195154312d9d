"""What goes together in a history: four kinds of pairs, each with its counts, in time linear in the commits.

    spatial   two files are touched by the same commits
    temporal  after a commit with one label, one with another follows within a week
    lead-lag  the same author goes from one label to the other within a session, more often than when the author's own labels are shuffled
    semantic  two files are spoken of in the same words

No pair of commits is ever looked at: files and words lead to their commits (an inverted index), and labels to their moments.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from .._check import positive_integer
from .._types import Float64, Int64
from ..graph import Incidence
from ..model.words import words
from .association import Association, benjamini_hochberg, measures, p_values
from .changeset import Changes, Changeset

WINDOW = 7 * 86_400  # seconds after a commit in which another one follows
SESSION = 2 * 3_600  # seconds between two commits of one author that belong together
SUPPORT = 3  # times that both have to be seen
FALSE = 0.05  # share of what is kept that may be chance
PERMUTATIONS = 1999
NEAREST = 5  # files that are near in words, of each
_COMMON = 0.05  # part of all files beyond which a word tells none from another
_LATEST = 20_000  # commits that are shuffled


def correlations(changes: Changes, rng: np.random.Generator, cap: int = 1000) -> tuple[list[Association], int]:
    """All kinds, of each at most `cap`, those with the smallest q first; and how many were left out for the cap.

    Parameters
    ----------
    rng : of the permutations
    """
    positive_integer(cap, "cap")
    found, dropped = list[Association](), 0
    for kind in (spatial(changes), temporal(changes.rows), lead_lag(changes.rows, rng), semantic(changes)):
        ordered = sorted(kind, key=lambda c: (c.q, -c.g2, c.a, c.b))
        found += ordered[:cap]
        dropped += max(0, len(ordered) - cap)
    return found, dropped


def spatial(changes: Changes) -> list[Association]:
    """Files that change together. Pairs of files that are both touched often enough are the tests, also those never seen together."""
    rows = [c.files for c in changes.rows]
    n_files = len(changes.last_paths)
    touched = np.bincount([f for files in rows for f in files], minlength=n_files)
    keys, n = np.unique(pair_keys(rows, n_files), return_counts=True)
    a, b = keys // n_files, keys % n_files
    frequent = int((touched >= SUPPORT).sum())
    names = changes.last_paths
    return _kept("spatial", (names, a, names, b), (n, touched[a], touched[b]), len(rows), frequent * (frequent - 1) // 2)


def pair_keys(rows: Sequence[tuple[int, ...]], n_files: int) -> Int64:
    """a n_files + b of each pair a < b of each row, rows of one size at a time."""
    by_size: dict[int, list[tuple[int, ...]]] = {}
    for files in rows:
        if len(files) > 1:
            by_size.setdefault(len(files), []).append(files)
    keys = [np.empty(0, np.int64)]
    for size, group in sorted(by_size.items()):
        block = np.array(group, np.int64)
        one, other = np.triu_indices(size, 1)
        keys.append((block[:, one] * n_files + block[:, other]).ravel())
    return np.concatenate(keys)


def temporal(rows: Sequence[Changeset]) -> list[Association]:
    """Labels that follow labels. Windows overlap, so that G2 is an order and its q is too small where one label comes in bursts."""
    if not rows:
        return []
    times = np.array([c.time for c in rows], np.int64)
    whole = times + WINDOW <= times.max()  # what comes after the others is not all known
    names = sorted({c.label for c in rows})
    label = np.array([names.index(c.label) for c in rows])
    follows = []
    for k in range(len(names)):
        moments = np.sort(times[label == k])
        follows.append(np.searchsorted(moments, times + WINDOW, "right") > np.searchsorted(moments, times, "right"))
    table = np.array([[(whole & (label == i) & f).sum() for f in follows] for i in range(len(names))], np.int64)
    n_a = np.array([(whole & (label == i)).sum() for i in range(len(names))], np.int64)
    n_b = np.array([(whole & f).sum() for f in follows], np.int64)
    a, b = np.divmod(np.arange(len(names) ** 2), len(names))
    return _kept("temporal", (names, a, names, b), (table.ravel(), n_a[a], n_b[b]), int(whole.sum()), len(a))


def lead_lag(rows: Sequence[Changeset], rng: np.random.Generator, permutations: int = PERMUTATIONS) -> list[Association]:
    """Labels to which authors go on from others. q is of p = (1 + shuffles with as many) / (1 + shuffles), labels shuffled among
    the commits of each author, so that what an author likes to do, and when, makes no pair."""
    rows = rows[-_LATEST:]
    names, people = sorted({c.label for c in rows}), sorted({c.author for c in rows})
    at, who = {name: i for i, name in enumerate(names)}, {name: i for i, name in enumerate(people)}
    author = np.array([who[c.author] for c in rows], np.int64)
    order = np.lexsort((np.arange(len(rows)), author))
    label = np.array([at[c.label] for c in rows], np.int64)[order]
    author, time = author[order], np.array([c.time for c in rows], np.int64)[order]
    linked = np.flatnonzero((author[1:] == author[:-1]) & (np.abs(np.diff(time)) <= SESSION))
    if not len(linked):
        return []
    size = len(names)

    def transitions(labels: Int64) -> Int64:
        return np.bincount(labels[linked] * size + labels[linked + 1], minlength=size * size)

    n = transitions(label)
    as_many = np.zeros(size * size, np.int64)
    for _ in range(permutations):
        as_many += transitions(label[np.lexsort((rng.random(len(label)), author))]) >= n
    p = np.asarray((1.0 + as_many) / (1.0 + permutations), np.float64)
    a, b = np.divmod(np.arange(size * size), size)
    n_a, n_b = np.bincount(label[linked], minlength=size), np.bincount(label[linked + 1], minlength=size)
    return _kept("lead-lag", (names, a, names, b), (n, n_a[a], n_b[b]), len(linked), len(a), p)


def semantic(changes: Changes, nearest: int = NEAREST) -> list[Association]:
    """Files whose messages are nearest by TF-IDF, `nearest` of each; the counts are words: both, each, all that are not common."""
    spoken: list[Counter[str]] = [Counter() for _ in changes.last_paths]
    for change in changes.rows:
        said = set(words(change.message))
        for file in change.files:
            spoken[file].update(said)
    degree = Counter(word for counter in spoken for word in counter)
    most = max(20, int(_COMMON * sum(map(bool, spoken))))
    vocabulary = {word: i for i, word in enumerate(sorted(w for w, n in degree.items() if 2 <= n <= most))}
    if not vocabulary:
        return []
    files = Incidence.from_rows(sorted(vocabulary[w] for w in counter if w in vocabulary) for counter in spoken)
    idf = np.log(sum(map(bool, spoken)) / np.array([degree[w] for w in vocabulary], np.float64))
    weight = idf[files.indices]
    row = files.row_of_entry
    norm = np.sqrt(np.bincount(row, weight**2, len(spoken)))
    by_word = np.argsort(files.indices, kind="stable")
    start = np.concatenate([[0], np.cumsum(np.bincount(files.indices, minlength=len(vocabulary)))])
    pairs = set[tuple[int, int]]()
    for file in np.flatnonzero(norm).tolist():
        mine = files.row(file)
        places = np.concatenate([by_word[start[w] : start[w + 1]] for w in mine.tolist()])
        cosine = np.bincount(row[places], weight[places] ** 2, len(spoken)) / np.maximum(norm * norm[file], 1e-12)
        cosine[file] = 0.0
        near = np.argsort(-cosine, kind="stable")[:nearest]
        pairs.update((min(file, k), max(file, k)) for k in near[cosine[near] > 0].tolist())
    a, b = np.array(sorted(pairs), np.int64).reshape(-1, 2).T
    n = np.array([len(np.intersect1d(files.row(i), files.row(j), assume_unique=True)) for i, j in zip(a, b, strict=True)], np.int64)
    degrees, names, some = files.degrees.astype(np.int64), changes.last_paths, int((norm > 0).sum())
    return _kept("semantic", (names, a, names, b), (n, degrees[a], degrees[b]), len(vocabulary), some * (some - 1) // 2)


def _kept(
    kind: str,
    pairs: tuple[Sequence[str], Int64, Sequence[str], Int64],
    counts: tuple[Int64, Int64, Int64],
    total: int,
    n_tests: int,
    p: Float64 | None = None,
) -> list[Association]:
    """Those that are seen often enough, together more often than apart, and hardly by chance."""
    n, n_a, n_b = (np.asarray(c, np.int64) for c in counts)
    a_names, a, b_names, b = pairs
    lift, npmi, g2 = measures(n, n_a, n_b, total)
    tail = p if p is not None else np.asarray(np.where(lift > 1.0, p_values(g2), 1.0), np.float64)
    tested = np.flatnonzero((n_a >= SUPPORT) & (n_b >= SUPPORT))
    q = np.ones(len(n))
    q[tested] = benjamini_hochberg(tail[tested], n_tests)
    good = np.flatnonzero((n >= SUPPORT) & (lift > 1.0) & (q <= FALSE))
    return [
        Association(
            kind, a_names[int(a[i])], b_names[int(b[i])], int(n[i]), int(n_a[i]), int(n_b[i]), total,
            float(lift[i]), float(npmi[i]), float(g2[i]), float(q[i]),
        )
        for i in good.tolist()
    ]  # fmt: skip
