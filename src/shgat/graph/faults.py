"""What can be wrong between the records of a catalogue, one sentence a fault."""

from collections import Counter
from collections.abc import Container, Sequence

import numpy as np

from .._check import LARGEST
from .._types import Float32
from .records import Capability, Tool

MIN_DIMENSION = 8
SMALLEST = 1e-10  # of an embedding's largest entry: below it, float32 products vanish
Nodes = Sequence[Tool] | Sequence[Capability]


def duplicates(nodes: Nodes, kind: str) -> list[str]:
    """Ids that occur more than once."""
    counts = Counter(node.id for node in nodes)
    return [f"{kind} id {key!r} occurs {count} times" for key, count in counts.items() if count > 1]


def unknown_members(
    tools: Sequence[Tool], capabilities: Sequence[Capability], excused_tools: Container[str], excused: Container[str]
) -> list[str]:
    """Members that are no record, those apart that are excused."""
    known_tools, known = {t.id for t in tools}, {c.id for c in capabilities}
    found = []
    for c in capabilities:
        strangers = [t for t in c.tools if t not in known_tools and t not in excused_tools]
        found += [unknown(c.id, "tool", t) for t in strangers]
        strangers = [m for m in c.capabilities if m not in known and m not in excused]
        found += [unknown(c.id, "capability", m) for m in strangers]
    return found


def unknown(capability: str, kind: str, member: str) -> str:
    """The sentence for one such member."""
    return f"capability {capability!r} contains the unknown {kind} {member!r}"


def too_few(dimension: int) -> str:
    """The sentence for embeddings of so few dimensions."""
    return f"embeddings have {dimension} dimensions, at least {MIN_DIMENSION} are needed"


def stack(nodes: Nodes, kind: str, d: int | None, faults: list[str]) -> Float32 | None:
    """(n, d) float32 of all embeddings; None where no node of the catalogue has one, or where not all fit."""
    without = [n.id for n in nodes if n.embedding is None]
    if d is None and len(without) == len(nodes):
        return None
    if without:
        names = ", ".join(map(repr, without[:5])) + (f" and {len(without) - 5} more" if len(without) > 5 else "")
        faults.append(f"no embedding, though others have one: {kind} {names}")
    found = [(n.id, n.embedding) for n in nodes if n.embedding is not None]
    odd = [(key, e.shape) for key, e in found if e.shape != (d,)]
    if odd and len({shape for _, shape in odd}) == 1 and len(odd) == len(found) > 1:
        faults.append(f"the embeddings of all {len(odd)} {kind} records have shape {odd[0][1]}, expected ({d},) as the first has")
        return None
    faults += [f"the embedding of {kind} {key!r} has shape {shape}, expected ({d},)" for key, shape in odd]
    if d is None or without or odd:
        return None
    array = np.array([e for _, e in found], np.float32).reshape(len(found), d)
    faults += [f"the embedding of {kind} {found[i][0]!r} {trouble}" for i, trouble in unusable(array)]
    return array


def unusable(rows: Float32) -> list[tuple[int, str]]:
    """(row, what is wrong with it) of those of (n, d) that hold NaN or infinity, are zero, or too large or small for float32 products."""
    if not rows.size:
        return []
    peak = np.maximum(rows.max(axis=1), -rows.min(axis=1))  # (n,) NaN where a row has one
    return [(i, _trouble(float(peak[i]))) for i in np.flatnonzero(~((peak >= SMALLEST) & (peak <= LARGEST))).tolist()]


def _trouble(peak: float) -> str:
    if not np.isfinite(peak):
        return "holds NaN or infinity"
    if peak == 0.0:
        return "is zero everywhere"
    return f"has {peak:g} as its largest entry, expected between {SMALLEST:g} and {LARGEST:g}"
