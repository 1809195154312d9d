"""The report: one HTML page that stands alone, from a plain dict of results. No server, no scripts, light and dark."""

from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from math import isfinite
from typing import Any, TypedDict

from ..errors import InputError
from .svg import bar, interval, line_plot


class ComparisonRow(TypedDict):
    """One metric of model a against model b; differences are a - b."""

    metric: str
    a: float
    b: float
    mean_difference: float
    ci_low: float
    ci_high: float
    p_value: float


class Reliability(TypedDict):
    """Calibration of one model: lists over the bins, NaN or None in an empty bin."""

    predicted: Sequence[float | None]
    observed: Sequence[float | None]
    ece: float
    brier: float


class BreakdownRow(TypedDict):
    """Metrics of the n intents of one group."""

    name: str
    n: int
    metrics: Mapping[str, float]


class RankedTool(TypedDict):
    """One place of a ranking and why it is there."""

    tool: str
    score: float
    explanation: str


class MissedIntent(TypedDict):
    """An intent that went wrong: what was needed, what was ranked, and why the needed tools were not."""

    intent: str
    expected: Sequence[str]
    ranked: Sequence[RankedTool]
    why_not: Mapping[str, str]


class EvaluationReport(TypedDict, total=False):
    """Plain values, as JSON holds them; each section is left out where its key is. Fractions, not percentages."""

    title: str
    about: Mapping[str, str]  # model, data, protocol, seed, date: shown under the title
    headline: Mapping[str, float]  # metric: value
    metrics_by_k: Mapping[str, Mapping[str, Mapping[int, float]]]  # metric: model: K: value
    compared: tuple[str, str]  # names of a and b
    comparison: Sequence[ComparisonRow]
    reliability: Mapping[str, Reliability]  # model: bins
    breakdowns: Mapping[str, Sequence[BreakdownRow]]  # "server", "difficulty": groups
    learning_curve: Mapping[str, Mapping[str, Sequence[tuple[float, float]]]]  # quantity: series: (epoch, value)
    worst_intents: Sequence[MissedIntent]
    notes: Sequence[str]


def render_report(results: EvaluationReport) -> str:
    """The page, to be written as UTF-8; every text from `results` is escaped."""
    unknown = sorted(set(results) - set(EvaluationReport.__annotations__))
    if unknown:
        raise InputError(f"an evaluation report has no section {unknown[0]!r}")
    sections = [(heading, render(results)) for key, heading, render in _SECTIONS if results.get(key)]
    cards = "".join(_card(name, value, results) for name, value in results.get("headline", {}).items())
    return page(results.get("title", "Evaluation"), results.get("about", {}), cards, sections)


def page(title: str, about: Mapping[str, object], cards: str, sections: Sequence[tuple[str, str]]) -> str:
    """A page that stands alone: title and facts, which are escaped here, cards, and (heading, content) of each section, which are HTML."""
    said = "".join(f"<dt>{escape(k)}</dt><dd>{escape(str(v))}</dd>" for k, v in about.items())
    body = "".join(f"<section><h2>{heading}</h2>{content}</section>" for heading, content in sections)
    style = (files(__package__) / "report.css").read_text("utf-8")
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{escape(title)}</title><style>{style}</style></head><body><main><header><h1>{escape(title)}</h1>"
        f'<dl>{said}</dl></header><div class="cards">{cards}</div>{body}</main></body></html>\n'
    )


def card(name: str, value: str, below: str = "") -> str:
    """A headline figure, of HTML."""
    return f'<div class="card"><span>{name}</span><b>{value}</b><p>{below}</p></div>'


def _card(name: str, value: float, results: EvaluationReport) -> str:
    """A headline figure and, where the two rankers were compared on it, what the other one reached."""
    row = next((row for row in results.get("comparison", ()) if row["metric"] == name), None)
    below = ""
    if row is not None:
        side = "better" if row["ci_low"] > 0.0 else "worse" if row["ci_high"] < 0.0 else "unsure"
        below = f'<i class="{side}">{row["mean_difference"]:+.3f}</i> <span>vs {_number(row["b"])}</span>'
    return card(label(name), _number(value), below)


def label(metric: str) -> str:
    """ "ndcg@5" as people write it, NDCG@5, as HTML."""
    kind, at, k = metric.partition("@")
    return escape(_SPELT.get(kind, kind) + at + k)


_SPELT = {"hit": "Hit", "recall": "Recall", "ndcg": "NDCG", "comp": "COMP", "mrr": "MRR", "map": "MAP", "loss": "Loss"}


def _comparison(results: EvaluationReport) -> str:
    a, b = (escape(name) for name in results.get("compared", ("a", "b")))
    rows = results["comparison"]
    ends = [abs(end) for row in rows for end in (row["ci_low"], row["ci_high"]) if isfinite(end)]
    reach = max(ends, default=0.0)
    body = [
        [
            label(row["metric"]),
            _number(row["a"]),
            _number(row["b"]),
            f"{row['mean_difference']:+.3f}",
            f"{row['ci_low']:+.3f} to {row['ci_high']:+.3f}",
            interval(row["ci_low"], row["mean_difference"], row["ci_high"], reach),
            f"{row['p_value']:.3g}",
        ]
        for row in rows
    ]
    return table(["metric", a, b, "difference", "interval", "", "p"], body)


def _by_k(results: EvaluationReport) -> str:
    plots = []
    for metric, models in results["metrics_by_k"].items():
        ks = sorted({int(k) for values in models.values() for k in values})
        series = {name: [(float(k), v) for k, v in sorted(_by_number(values))] for name, values in models.items()}
        plots.append(line_plot(series, x_label="K", y_label=label(metric), x_ticks=[float(k) for k in ks], y_range=(0.0, 1.0)))
    return f'<div class="plots">{"".join(plots)}</div>'


def _by_number(values: Mapping[Any, float]) -> list[tuple[int, float]]:
    return [(int(k), v) for k, v in values.items()]  # JSON has made the numbers texts


def _calibration(results: EvaluationReport) -> str:
    models = results["reliability"]
    series = {
        name: [(p, o) for p, o in zip(bins["predicted"], bins["observed"], strict=True) if p is not None and o is not None]
        for name, bins in models.items()
    }
    label = "observed share of successes"
    plot = line_plot(series, x_label="predicted probability", y_label=label, y_range=(0.0, 1.0), diagonal=True)
    rows = [[escape(name), _number(bins["ece"]), _number(bins["brier"])] for name, bins in models.items()]
    return f'<div class="plots">{plot}<div>{table(["model", "ECE", "Brier"], rows)}</div></div>'


def _breakdowns(results: EvaluationReport) -> str:
    parts = []
    for name, groups in results["breakdowns"].items():
        metrics = list(dict.fromkeys(m for group in groups for m in group["metrics"]))
        rows = []
        for group in groups:
            values = [group["metrics"].get(m, float("nan")) for m in metrics]
            rows.append(
                [
                    escape(group["name"]),
                    str(group["n"]),
                    *(f'{bar(v)}<span class="value">{_number(v)}</span>' for v in values),
                ]
            )
        parts.append(f"<h3>By {escape(name)}</h3>" + table([escape(name), "intents", *map(label, metrics)], rows))
    return "".join(parts)


def _learning_curve(results: EvaluationReport) -> str:
    plots = []
    for quantity, series in results["learning_curve"].items():
        epochs = sorted({float(x) for points in series.values() for x, _ in points})
        ticks = epochs if len(epochs) <= _MOST_TICKS else None
        plots.append(line_plot(series, x_label="epoch", y_label=label(quantity), x_ticks=ticks))
    return f'<div class="plots narrow">{"".join(plots)}</div>'


_MOST_TICKS = 12  # epochs that are named one by one


def _worst(results: EvaluationReport) -> str:
    parts: list[str] = []
    for missed in results["worst_intents"]:
        expected = set(missed["expected"])
        ranked = "".join(
            f'<li class="{"right" if r["tool"] in expected else "wrong"}"><code>{escape(r["tool"])}</code>'
            f'<span class="share">{bar(r["score"])}<b>{_number(r["score"])}</b></span><span>{escape(r["explanation"])}</span></li>'
            for r in missed["ranked"]
        )
        why = "".join(f"<dt><code>{escape(t)}</code></dt><dd>{escape(text)}</dd>" for t, text in missed["why_not"].items())
        needed = " ".join(f"<code>{escape(t)}</code>" for t in missed["expected"])
        parts.append(
            f"<details{' open' if len(parts) < _OPEN else ''}><summary>{escape(missed['intent'])} <small>needs {needed}</small></summary>"
            f'<div class="missed"><div><h4>Ranked</h4><ol>{ranked}</ol></div>'
            f"<div><h4>Why not the missed tool</h4><dl>{why}</dl></div></div></details>"
        )
    return "".join(parts)


def _notes(results: EvaluationReport) -> str:
    return "<ul>" + "".join(f"<li>{escape(note)}</li>" for note in results["notes"]) + "</ul>"


_SECTIONS = (
    ("comparison", "Comparison", _comparison),
    ("metrics_by_k", "Metrics by K", _by_k),
    ("reliability", "Calibration", _calibration),
    ("breakdowns", "Breakdown", _breakdowns),
    ("learning_curve", "Learning curve", _learning_curve),
    ("worst_intents", "Worst intents", _worst),
    ("notes", "Notes", _notes),
)


_OPEN = 3  # missed intents that are unfolded


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Cells are HTML already."""
    top = "".join(f"<th>{cell}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="scroll"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def _number(value: float) -> str:
    if not isfinite(value):
        return "–"  # noqa: RUF001
    return f"{value:.0f}" if float(value).is_integer() and abs(value) > 1 else f"{value:.3f}"
