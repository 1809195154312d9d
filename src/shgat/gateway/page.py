"""The report of a gateway as one HTML page that stands alone."""

from collections.abc import Mapping
from datetime import UTC, datetime
from html import escape
from typing import Any

from ..reports.html import card, page, table
from ..reports.svg import bar, line_plot

MOST = 100  # tools


def render(found: Mapping[str, Any]) -> str:
    """The page of what `report` found."""
    searches, flagged = found["searches"], found["flagged"]
    calls = sum(t["called"] for t in found["tools"])
    worked = sum(t["worked"] for t in found["tools"])
    cards = (
        card("Searches", str(searches["searches"]), f"{searches['called']} led to a call")
        + card("Calls that worked", _share(worked / calls if calls else None), f"of {calls}")
        + card("Nothing offered", str(searches["nothing_offered"]), "no tool was near")
        + card("Asked again", str(searches["repeated"]), f"{searches['answered_by_a_later_call']} answered later")
        + card("Changed descriptions", str(len(flagged)), "to be looked at" if flagged else "")
    )
    about = {
        "Store": found["store"], "User": found["user"], "Days": f"{found['days']:g}",
        "Model": "untrained" if found["model_version"] is None else f"v{found['model_version']}",
    }  # fmt: skip
    sections = [(heading, content) for heading, content in _sections(found) if content]
    return page("What the gateway saw", about, cards, sections)


def _sections(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        ("Changed descriptions", _flagged(found)),
        ("Learning", _learning(found)),
        ("Servers", _servers(found)),
        ("Searches that nothing was called for", _queries(found["missed"])),
        ("Searches that found their tool", _queries(found["found"])),
        ("Tools", _tools(found)),
        ("Sizes", _sizes(found)),
    ]


def _learning(found: Mapping[str, Any]) -> str:
    blocks = found["learning"]
    if not blocks:
        return '<p class="empty">No search has led to a call yet.</p>'
    ends, end = [], 0
    for block in blocks:
        end += block["calls"]
        ends.append(float(end))
    series = {
        "stood first": list(zip(ends, (b["hit_at_1"] for b in blocks), strict=True)),
        "was offered": list(zip(ends, (b["offered"] for b in blocks), strict=True)),
    }
    return f'<div class="plots">{line_plot(series, x_label="searches with a call", y_label="share of called tools", y_range=(0.0, 1.0))}</div>'


def _flagged(found: Mapping[str, Any]) -> str:
    rows = [[f"<code>{escape(f['tool'])}</code>", _when(f["changed"])] for f in found["flagged"]]
    said = (
        "<p>What was learned of these tools before does not count any more. Look at what they say now, then run "
        "<code>shgat gateway accept</code>.</p>"
    )
    return said + table(["tool", "changed"], rows) if rows else ""


def _servers(found: Mapping[str, Any]) -> str:
    rows = [
        [
            escape(name), _state(s["state"]), str(s["tools"]), str(s.get("starts", "")), str(s.get("lost_calls", "")),
            escape(s["error"] or "; ".join(s.get("faults", ())[:3])),
        ]
        for name, s in sorted(found["servers"].items())
    ]  # fmt: skip
    return table(["server", "state", "tools", "starts", "lost calls", "what is wrong"], rows) if rows else ""


def _queries(queries: list[dict[str, Any]]) -> str:
    rows = [
        [
            escape(q["query"]), str(q["searches"]),
            str(q["without_call"]) if "without_call" in q else ", ".join(f"<code>{escape(t)}</code> {n}" for t, n in q["tools"].items()),
        ]
        for q in queries
    ]  # fmt: skip
    last = "without a call" if queries and "without_call" in queries[0] else "tools"
    return table(["query", "searches", last], rows) if rows else ""


def _tools(found: Mapping[str, Any]) -> str:
    rows = [
        [
            f"<code>{escape(t['tool'])}</code>", str(t["offered"]), str(t["called"]),
            "" if t["success_rate"] is None else f'{bar(t["success_rate"])}<span class="value">{_share(t["success_rate"])}</span>',
            "" if t["p50_ms"] is None else f"{t['p50_ms']:.0f}",
            escape(", ".join(f"{why} {n}" for why, n in t["failures"].items())),
        ]
        for t in found["tools"][:MOST]
    ]  # fmt: skip
    return table(["tool", "offered", "called", "worked", "p50 ms", "failures"], rows) if rows else ""


def _sizes(found: Mapping[str, Any]) -> str:
    rows = [
        [f"<code>{escape(tool)}</code>", *(f"{s[name] / max(1, s['calls']):.0f}" for name in ("arguments", "results"))]
        for tool, s in found["sizes"].items()
    ]
    return table(["tool", "bytes of arguments, mean", "bytes of results, mean"], rows) if rows else ""


def _state(state: str) -> str:
    return f'<i class="{"better" if state == "ready" else "worse"}">{escape(state)}</i>'


def _share(value: float | None) -> str:
    return "&ndash;" if value is None else f"{100.0 * value:.0f} %"


def _when(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
