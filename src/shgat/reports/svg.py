"""Small SVG plots for the report: inline, without scripts, in the colours of the page, be they light or dark."""

from collections.abc import Mapping, Sequence
from html import escape
from math import ceil, floor, isfinite, log10

Series = Mapping[str, Sequence[tuple[float, float]]]

_WIDTH, _HEIGHT = 460, 280
_LEFT, _RIGHT, _TOP, _BOTTOM = 48, 14, 14, 40


def line_plot(
    series: Series,
    *,
    x_label: str,
    y_label: str,
    x_ticks: Sequence[float] | None = None,
    y_range: tuple[float, float] | None = None,
    diagonal: bool = False,
) -> str:
    """One line with markers for each name; points not finite are left out. x_ticks stand evenly spaced."""
    drawn = {name: [(x, y) for x, y in points if isfinite(x) and isfinite(y)] for name, points in series.items()}
    xs = [x for points in drawn.values() for x, _ in points]
    ys = [y for points in drawn.values() for _, y in points]
    if not xs:
        return '<p class="empty">No data.</p>'
    y_ticks = _ticks(*(y_range or (min(ys), max(ys))))
    low, high = y_ticks[0], y_ticks[-1]
    places = None if x_ticks is None else {x: float(i) for i, x in enumerate(x_ticks)}
    shown = [0.0, 1.0] if diagonal else [places[x] for x in xs] if places else xs
    marks = _ticks(min(shown), max(shown))
    x_low, x_high = (0.0, max(1.0, len(places) - 1.0)) if places else (marks[0], marks[-1])

    def at(x: float, y: float) -> tuple[float, float]:
        place = places[x] if places else x
        return (
            _LEFT + (place - x_low) / (x_high - x_low) * (_WIDTH - _LEFT - _RIGHT),
            _HEIGHT - _BOTTOM - (y - low) / (high - low) * (_HEIGHT - _TOP - _BOTTOM),
        )

    parts = []
    for y in y_ticks:
        v = _HEIGHT - _BOTTOM - (y - low) / (high - low) * (_HEIGHT - _TOP - _BOTTOM)
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{v:.1f}" y2="{v:.1f}"/>')
        parts.append(f'<text class="tick" x="{_LEFT - 7}" y="{v + 4:.1f}" text-anchor="end">{y:.3g}</text>')
    for x in x_ticks or marks:
        h = at(x, low)[0]
        parts.append(f'<text class="tick" x="{h:.1f}" y="{_HEIGHT - _BOTTOM + 16}" text-anchor="middle">{x:.3g}</text>')
    if diagonal:
        (x1, y1), (x2, y2) = at(0.0, 0.0), at(1.0, 1.0)
        parts.append(f'<line class="ideal" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>')
    for i, points in enumerate(drawn.values()):
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (at(*p) for p in points))
        parts.append(f'<polyline class="line c{i % 6}" points="{path}"/>')
        if len(points) <= 20:
            parts += [f'<circle class="dot c{i % 6}" cx="{x:.1f}" cy="{y:.1f}" r="3.2"/>' for x, y in (at(*p) for p in points)]
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    parts.append(f'<text class="axis" x="{middle:.0f}" y="{_HEIGHT - 6}" text-anchor="middle">{escape(x_label)}</text>')
    keys = "".join(f'<span><i class="key c{i % 6}"></i>{escape(name)}</span>' for i, name in enumerate(drawn))
    title = f"{y_label} by {x_label}: {', '.join(drawn)}"
    return (
        f'<figure><figcaption>{escape(y_label)}</figcaption><svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'aria-label="{escape(title)}">{"".join(parts)}</svg><div class="keys">{keys}</div></figure>'
    )


def bar(share: float) -> str:
    """A bar of a share of 1, to stand in a table cell."""
    width = 100.0 * min(1.0, max(0.0, share)) if isfinite(share) else 0.0
    return f'<span class="bar"><span style="width:{width:.1f}%"></span></span>'


def interval(low: float, middle: float, high: float, reach: float) -> str:
    """A confidence interval around 0, on an axis from -reach to reach."""
    if not all(map(isfinite, (low, middle, high))) or reach <= 0.0:
        return ""
    a, b, m = (70.0 + 64.0 * min(1.0, max(-1.0, v / reach)) for v in (low, high, middle))
    side = "better" if low > 0.0 else "worse" if high < 0.0 else "unsure"
    return (
        f'<svg class="interval {side}" viewBox="0 0 140 18" aria-hidden="true">'
        f'<line class="zero" x1="70" x2="70" y1="1" y2="17"/>'
        f'<line class="span" x1="{a:.1f}" x2="{b:.1f}" y1="9" y2="9"/><circle cx="{m:.1f}" cy="9" r="3"/></svg>'
    )


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers from at most low to at least high, a step of 1, 2 or 5 times a power of ten apart: 4 to 11."""
    if high - low <= 1e-9 * max(abs(low), abs(high), 1e-9):
        low, high = low - 0.5, high + 0.5
    power = 10.0 ** floor(log10((high - low) / 5.0))
    step = next(power * m for m in (1, 2, 5, 10) if power * m >= (high - low) / 5.0 * 0.999)
    first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
    return [i * step for i in range(first, last + 1)]
