"""The page of a run: what each step did and found. One file, no server, no scripts, light and dark."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any

from .._files import write_atomically
from ..reports.html import card, label, page, table
from ..reports.svg import bar, interval
from .runs import Run

_SIDES = {
    "done": "better",
    "promoted": "better",
    "ok": "better",
    "unchanged": "unsure",
    "open": "unsure",
    "running": "unsure",
    "warn": "unsure",
}


def write_page(path: Path, run: Run) -> None:
    """Writes the page of a run."""
    write_atomically(path, render(run).encode())


def render(run: Run) -> str:
    """The page, HTML; every text of the run is escaped."""
    about: dict[str, object] = {
        "run": run.id,
        "model of": run.settings["user"],
        "begun": _moment(run.begun_at),
        "ended": _moment(run.ended_at),
    }
    sections = [("Steps", _steps(run))]
    for name, heading, draw in _SECTIONS:
        step = run.steps.get(name)
        if step is not None and step.facts and (content := draw(step.facts)):
            sections.append((heading, content))
    return page(f"Pipeline: {run.status}", about, _cards(run), sections)


def _cards(run: Run) -> str:
    facts = {name: step.facts for name, step in run.steps.items()}
    cards = [card("status", _mark(run.status), "")]
    snapshot = facts.get("validate-data", {}).get("snapshot")
    if snapshot:
        cards.append(card("traces learned from", str(snapshot["train"]), f"<span>{snapshot['held_out']} held out</span>"))
    for c in facts.get("compare", {}).get("comparisons", []):
        if c["part"] == "all":
            side = "better" if c["low"] > 0.0 else "worse" if c["high"] < 0.0 else "unsure"
            below = f'<i class="{side}">{c["ours"] - c["theirs"]:+.3f}</i> <span>vs {c["theirs"]:.3f}</span>'
            cards.append(card(f"beside {escape(c['against'])}", f"{c['ours']:.3f}", below))
    if "version" in facts.get("register", {}):
        cards.append(card("version", f"v{facts['register']['version']}", ""))
    return "".join(cards)


def _steps(run: Run) -> str:
    rows = []
    for name, step in run.steps.items():
        seconds = "–" if step.ended_at is None else f"{step.ended_at - step.began_at:.1f} s"  # noqa: RUF001
        rows.append(
            [escape(name), _mark(step.status), seconds, str(step.tries), _prose(step.reason), f"<code>{step.given[:12]}</code>"]
        )
    said = f"<p>{escape(run.reason)}</p>" if run.reason else ""
    return said + table(["step", "", "took", "tries", _prose("what"), "given"], rows)


def _checks(facts: Mapping[str, Any]) -> str:
    rows = [
        [escape(c["name"]), _mark(c["status"]), _figure(c["value"]), _figure(c["limit"]),
         _prose(c["message"] + (f"; {c['remedy']}" if c["remedy"] else ""))]
        for c in facts.get("checks", [])
    ]  # fmt: skip
    return table(["check", "", "value", "limit", _prose("what")], rows)


def _training(facts: Mapping[str, Any]) -> str:
    health = facts.get("health") or {}
    figures = {
        "traces": facts.get("traces"), "went on from": facts.get("parent"), "loss of the last epoch": facts.get("loss"),
        "Hit@1 on its own traces, before": health.get("baselineAccuracy"), "Hit@1 on its own traces, after": health.get("finalAccuracy"),
        "seconds in the child": facts.get("seconds"),
    }  # fmt: skip
    return table(["figure", "value"], [[escape(name), _figure(value)] for name, value in figures.items() if value is not None])


def _protocols(facts: Mapping[str, Any]) -> str:
    parts = []
    for name, found in facts.get("protocols", {}).items():
        parts.append(f"<h3>{escape(name)}</h3><p>{escape(found['reason'])}</p>")
        if "metrics" in found:
            parts.append(_metrics(found["metrics"]))
        if "estimates" in found:
            every = {"as logged": found["logged"], **found["estimates"]}
            rows = [
                [
                    escape(n),
                    _fraction(e["value"]),
                    f"{_fraction(e['ci_low'])} to {_fraction(e['ci_high'])}",
                    _figure(e["effective_sample_size"]),
                ]
                for n, e in every.items()
            ]
            parts.append(table(["estimate", "value", "95 % interval", "effective decisions"], rows))
    return "".join(parts)


def _metrics(metrics: Mapping[str, Any]) -> str:
    reach = max((abs(end) for m in metrics.values() for end in m["difference"][1:] if end is not None), default=0.0)
    rows = []
    for name, m in metrics.items():
        middle, low, high = m["difference"]
        drawn = "" if None in (low, middle, high) else interval(low, middle, high, reach)
        ends = f"{_fraction(low, '+')} to {_fraction(high, '+')}"
        rows.append([label(name), _fraction(m["shgat"][0]), _fraction(m["cosine"][0]), _fraction(middle, "+"), ends, drawn])
    return table(["metric", "shgat", "cosine", "difference", "95 % interval", ""], rows)


def _comparisons(facts: Mapping[str, Any]) -> str:
    found = facts.get("comparisons", [])
    reach = max((abs(end) for c in found for end in (c["low"], c["high"])), default=0.0)
    rows = [
        [escape(c["against"]), escape(c["part"]), str(c["n"]), f"{c['ours']:.3f}", f"{c['theirs']:.3f}", f"{c['low']:+.3f} to {c['high']:+.3f}",
         interval(c["low"], c["ours"] - c["theirs"], c["high"], reach)]
        for c in found
    ]  # fmt: skip
    said = f"<p>{escape(facts.get('reason', ''))}</p>"
    return said + (table(["against", "intents", "n", "candidate", "rival", "98 % interval", ""], rows) if rows else "")


def _canary(facts: Mapping[str, Any]) -> str:
    rows = []
    for name, a in facts.get("answers", {}).items():
        rate = a["worked"] / a["executed"] if a["executed"] else None
        rows.append([f"<b>{escape(name)}</b>" if name == f"v{facts['version']}" else escape(name), str(a["n"]), str(a["executed"]),
                     "–" if rate is None else f'{bar(rate)}<span class="value">{rate:.3f}</span>'])  # noqa: RUF001  # fmt: skip
    watched = [[escape(name), _figure(g.get("p_value")), _figure(g.get("difference")), _figure(g.get("outcomes"))]
               for name, g in facts.get("guardrails", {}).items() if "p_value" in g]  # fmt: skip
    said = f"<p>{escape(facts.get('why', ''))}</p>" + (
        table(["answered by", "answers", "with feedback", "worked"], rows) if rows else ""
    )
    return said + ("<h3>Guardrails</h3>" + table(["guardrail", "p", "difference", "outcomes"], watched) if watched else "")


_SECTIONS: tuple[tuple[str, str, Callable[[Mapping[str, Any]], str]], ...] = (
    ("validate-data", "Data", _checks),
    ("train", "Training", _training),
    ("evaluate", "Protocols", _protocols),
    ("compare", "The gate", _comparisons),
    ("canary", "Canary", _canary),
)


def _mark(status: str) -> str:
    """A status in its colour."""
    return f'<i class="{_SIDES.get(status, "worse")}">{escape(status)}</i>'


def _prose(text: str) -> str:
    """A cell whose words wrap."""
    return f'<span class="prose">{escape(text)}</span>'


def _figure(value: object) -> str:
    if value is None:
        return "–"  # noqa: RUF001
    return f"{value:.4g}" if isinstance(value, float) else escape(str(value))


def _fraction(value: float | None, sign: str = "") -> str:
    return "–" if value is None else f"{value:{sign}.3f}"  # noqa: RUF001


def _moment(seconds: float | None) -> str:
    return "not yet" if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
