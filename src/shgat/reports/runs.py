"""Pages of runs: all of them with the curves of the latest, and two beside each other."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from html import escape

from ..tracking import Point, Run, RunComparison
from .html import card, page, table
from .svg import Series, line_plot

CURVES = 6  # runs whose losses are drawn
_PLOTS = 12  # metrics of a comparison that are drawn


def runs_page(runs: Sequence[Run], points: Mapping[str, Sequence[Point]], where: str) -> str:
    """Every run, the latest first, and how the losses of the latest six went.

    Parameters
    ----------
    points : id of a run -> its figures, of those that are drawn
    """
    names = list(dict.fromkeys(n for r in runs for n in r.decisive)) or ["shgat.all.recall@5", "shgat.all.mrr", "loss"]
    names = [n for n in names if any(n in r.figures for r in runs)]
    rows = [
        [r.id[:8], escape(r.experiment), escape(f"{r.status} {r.error}".strip()), _when(r.started_at),
         "" if r.seconds is None else f"{r.seconds:.1f}", *(_figure(r.figures.get(n)) for n in names)]
        for r in runs
    ]  # fmt: skip
    head = ["run", "experiment", "status", "started, UTC", "s", *map(escape, names)]
    curves = {f"{r.id[:8]} {r.experiment}": _curve(points[r.id], "loss") for r in runs[:CURVES] if points.get(r.id)}
    drawn = f'<div class="plots">{line_plot(curves, x_label="epoch", y_label="loss")}</div>' if curves else ""
    expected = [[r.id[:8], escape(r.experiment), escape(r.hypothesis)] for r in runs if r.hypothesis]
    states = {s: sum(r.status == s for r in runs) for s in ("completed", "running", "failed", "killed")}
    cards = "".join(card(s, str(n)) for s, n in states.items() if n)
    sections = [("Runs", table(head, rows))]
    if expected:
        sections.append(("Hypotheses", table(["run", "experiment", "expected"], expected)))
    if drawn:
        sections.append(("Loss", drawn))
    return page("Runs", {"kept in": where, "runs": len(runs)}, cards, sections)


def comparison_page(found: RunComparison, a: Sequence[Point], b: Sequence[Point]) -> str:
    """Two runs: what differs, what came of it, the paired test, and their curves."""
    names = [escape(f"{r.id[:8]} {r.experiment}") for r in (found.a, found.b)]
    differ = [[escape(n), escape(str(x)), escape(str(y))] for n, (x, y) in {**found.parameters, **found.tags}.items()]
    figures = [
        [escape(n), _figure(x), _figure(y), "" if x is None or y is None else f"{y - x:+.4g}"]
        for n, (x, y) in found.figures.items()
    ]
    sections = [("What differs", table(["", *names], differ) if differ else '<p class="empty">Nothing.</p>')]
    if found.why_not:
        sections.append(("Paired test", f'<p class="empty">None: {escape(found.why_not)}.</p>'))
    else:
        rows = [
            [escape(n), str(t.n), *(f"{v:+.4f}" for v in (t.mean_difference, t.ci_low, t.ci_high)), f"{t.p_value:.3g}"]
            for n, t in found.tests.items()
        ]
        heading = f"{names[1]} less {names[0]}, over the same held-out traces"
        sections.append((heading, table(["metric", "n", "difference", "from", "to", "p"], rows)))
    shared = [n for n in dict.fromkeys(p.name for p in a) if n in {p.name for p in b} and sum(p.name == n for p in a) > 1]
    plots = "".join(line_plot(_series(n, found, a, b), x_label="epoch", y_label=n) for n in shared[:_PLOTS])
    if plots:
        sections.append(("Curves", f'<div class="plots">{plots}</div>'))
    sections.append(("Figures", table(["", *names, "difference"], figures)))
    about = {"a": f"{found.a.id} ({found.a.status})", "b": f"{found.b.id} ({found.b.status})"}
    return page("Two runs", about, "", sections)


def _series(name: str, found: RunComparison, a: Sequence[Point], b: Sequence[Point]) -> Series:
    return {found.a.id[:8]: _curve(a, name), found.b.id[:8]: _curve(b, name)}


def _curve(points: Sequence[Point], name: str) -> list[tuple[float, float]]:
    return [(float(i), p.value) for i, p in enumerate((p for p in points if p.name == name), 1)]


def _when(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M")


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"
