"""How versions are shown, what differs between them, and what was decided: of aliases, and of principals."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..shgat import SHGAT
    from ..store import Move, PrincipalMove
    from .grid import Grid


def distances(a: "SHGAT", b: "SHGAT") -> dict[str, float | None]:
    """Of each group of parameters |b - a| / |a|; None where it has another shape or is in one of them alone."""
    import numpy as np

    found: dict[str, float | None] = {}
    for name in dict.fromkeys((*a.params, *b.params)):
        x, y = a.params.get(name), b.params.get(name)
        if x is None or y is None or x.shape != y.shape:
            found[name] = None
        else:
            found[name] = float(np.linalg.norm(y - x) / max(float(np.linalg.norm(x)), 1e-12))
    return found


def moved(moves: "list[Move]") -> "Grid":
    """Moves of aliases as a table."""
    from .grid import Grid

    grid = Grid("moves, the latest first")
    for column in ("alias", "number", "when", "from", "to", "action", "who"):
        grid.add_column(column)
    grid.add_column("why", prose=True)
    for m in moves:
        ends = ("-" if v is None else f"v{v}" for v in (m.before, m.after))
        action = f"{m.action} (forced)" if m.forced else m.action
        grid.add_row(m.alias, str(m.number), day(m.created_at), *ends, action, m.who, m.why or "-")
    return grid


def decided(moves: "list[PrincipalMove]") -> "Grid":
    """What was decided of a principal as a table."""
    from .grid import Grid

    grid = Grid("decided, the latest first")
    for column in ("number", "when", "action", "mode", "counts since", "who"):
        grid.add_column(column)
    grid.add_column("why", prose=True)
    for m in reversed(moves):
        grid.add_row(str(m.number), day(m.created_at), m.action, m.mode, day(m.since) if m.since else "-", m.who, m.why)
    return grid


def day(seconds: float) -> str:
    """Seconds since the epoch as a date and a time, UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
