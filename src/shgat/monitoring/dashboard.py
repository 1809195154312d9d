"""The dashboard of Grafana: rows of panels, each with its expressions."""

from dataclasses import dataclass
from typing import Any

DATASOURCE = {"type": "prometheus", "uid": "${source}"}
_ME = 'job="$job", instance=~"$instance"'
_WIDTH = 24


@dataclass(frozen=True)
class Panel:
    """Attributes
    ----------
    title, what : above it, and behind its (i)
    queries : (expression, legend); $me stands for the targets that were chosen
    unit : of Grafana
    kind : of Grafana
    width : of 24
    """

    title: str
    queries: tuple[tuple[str, str], ...]
    unit: str = "short"
    what: str = ""
    kind: str = "timeseries"
    width: int = 8


def _quantiles(name: str, by: str = "") -> tuple[tuple[str, str], ...]:
    more, legend = (f", {by}", f" {{{{{by}}}}}") if by else ("", "")
    return tuple(
        (f"histogram_quantile({q}, sum by (le{more}) (rate({name}_bucket{{$me}}[$__rate_interval])))", f"p{100 * q:g}{legend}")
        for q in (0.5, 0.99)
    )


ROWS: tuple[tuple[str, tuple[Panel, ...]], ...] = (
    ("Is everything as it should be?", (
        Panel("Alerts that fire", (('count(ALERTS{alertstate="firing", $me}) or vector(0)', ""),), kind="stat", width=4),
        Panel("Answers a second", (("sum(rate(shgat_answers_total{$me}[$__rate_interval]))", ""),), "reqps", kind="stat", width=4),
        Panel("Not the model's", (("max(shgat:fallbacks:share{$me})", ""),), "percentunit", "Cosine, words or order.", "stat", 4),
        Panel("p99 of an answer", (("max(shgat:answer_seconds:p99{$me})", ""),), "s", kind="stat", width=4),
        Panel("Among the first three, 24 h", (('min(shgat_online_hit_rate{window="24h", k="3", $me})', ""),), "percentunit", "", "stat", 4),
        Panel("Version", (('max(shgat_model_version{role="production", $me})', ""),), "none", kind="stat", width=4),
    )),
    ("How well it ranks", (
        Panel("Mean reciprocal rank of what worked", (("min by (window) (shgat_online_mrr{$me})", "{{window}}"),), "short",
              "From feedback; a window shows from 30 executions on."),
        Panel("Stood among the first k, 24 h", (('min by (k) (shgat_online_hit_rate{window="24h", $me})', "{{k}}"),), "percentunit"),
        Panel("Worked", (("min by (window) (shgat_task_success{$me})", "{{window}}"),), "percentunit"),
        Panel("Time to completion, 24 h", (('max by (quantile) (shgat_task_seconds{window="24h", $me})', "{{quantile}}"),), "s"),
        Panel("Ratings", (("min by (window) (shgat_satisfaction{$me})", "{{window}}"),), "short", "Of those who gave one, 1 to 5."),
        Panel("Worked, by version, 24 h", (("min by (version) (shgat_version_success{$me})", "{{version}}"),), "percentunit"),
        Panel("Worked, by tool, 24 h: the ten worst", (("bottomk(10, min by (tool) (shgat_tool_success{$me}))", "{{tool}}"),), "percentunit",
              "Of the fifty that ran most."),
    )),
    ("How fast it answers", (
        Panel("An answer", _quantiles("shgat_answer_seconds"), "s"),
        Panel("Its stages", _quantiles("shgat_stage_seconds", "stage"), "s"),
        Panel("A request over HTTP", _quantiles("shgat_http_request_seconds", "route"), "s"),
        Panel("Answers, by what ranked", (("sum by (by) (rate(shgat_answers_total{$me}[$__rate_interval]))", "{{by}}"),), "reqps"),
        Panel("Requests, by status", (("sum by (status) (rate(shgat_http_requests_total{$me}[$__rate_interval]))", "{{status}}"),), "reqps"),
        Panel("Vectors of texts, by where they were",
              (("sum by (result) (rate(shgat_cache_reads_total{$me}[$__rate_interval]))", "{{result}}"),), "ops"),
    )),
    ("What it is made of", (
        Panel("Variance of embeddings", (("min by (of) (shgat_embedding_variance{$me})", "{{of}}"),), "short", "Near 0 they are all alike."),
        Panel("Without an embedding", (("max by (of) (shgat_missing_share{$me})", "{{of}}"),), "percentunit"),
        Panel("Age", (("max(shgat_model_age_seconds{$me})", "version that serves"), ("max(shgat_feature_age_seconds{$me})", "features")), "s"),
        Panel("Drift, by test", (("max by (test) (shgat_drift{$me})", "{{test}}"),), "short", "1: the test says so."),
        Panel("Waits to be learned from", (("max(shgat_backlog_traces{$me})", "traces"),)),
        Panel("Trainings an hour", (("sum by (result) (increase(shgat_trainings_total{$me}[1h]))", "{{result}}"),)),
    )),
    ("The store", (
        Panel("Waits for the store", (("sum(shgat_waiting_for_store{$me})", "decisions and feedback"),)),
        Panel("A write takes", (("max by (instance) (shgat_store_write_seconds{$me})", "{{instance}}"),), "s"),
        Panel("Can be written to", (("min by (instance) (shgat_store_up{$me})", "{{instance}}"),)),
    )),
)  # fmt: skip


def dashboard() -> dict[str, Any]:
    """As JSON values, for Grafana 10 and later."""
    panels: list[dict[str, Any]] = []
    y = 0
    for title, several in ROWS:
        panels.append(
            {
                "id": len(panels) + 1,
                "type": "row",
                "title": title,
                "collapsed": False,
                "panels": [],
                "gridPos": _place(0, y, _WIDTH, 1),
            }
        )
        x, y = 0, y + 1
        for panel in several:
            height = 4 if panel.kind == "stat" else 7
            if x + panel.width > _WIDTH:
                x, y = 0, y + height
            panels.append(_panel(panel, len(panels) + 1, _place(x, y, panel.width, height)))
            x += panel.width
        y += 4 if several[-1].kind == "stat" else 7
    return {
        "uid": "shgat", "title": "shgat", "tags": ["shgat"], "schemaVersion": 39, "version": 1, "editable": True, "refresh": "30s",
        "timezone": "browser", "time": {"from": "now-6h", "to": "now"}, "panels": panels, "annotations": {"list": []},
        "templating": {"list": [_source(), _variable("job", "label_values(shgat_tools, job)", False),
                                _variable("instance", 'label_values(shgat_tools{job="$job"}, instance)', True)]},
    }  # fmt: skip


def expressions(job: str, instance: str, interval: str) -> list[str]:
    """Every expression of the dashboard as Prometheus is asked it, for one target."""
    chosen = (("$me", _ME), ("$job", job), ("$instance", instance), ("$__rate_interval", interval))
    found = []
    for _, panels in ROWS:
        for text in (query for panel in panels for query, _ in panel.queries):
            for name, value in chosen:
                text = text.replace(name, value)
            found.append(text)
    return found


def _panel(panel: Panel, number: int, place: dict[str, int]) -> dict[str, Any]:
    targets = [
        {"refId": chr(ord("A") + i), "datasource": DATASOURCE, "expr": expr.replace("$me", _ME), "legendFormat": legend or "__auto"}
        for i, (expr, legend) in enumerate(panel.queries)
    ]
    defaults: dict[str, Any] = {"unit": panel.unit, "min": 0}
    options: dict[str, Any] = {"reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False}}
    if panel.kind == "timeseries":
        defaults["custom"] = {"lineWidth": 1, "fillOpacity": 8, "showPoints": "never"}
        options = {
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
            "tooltip": {"mode": "multi", "sort": "desc"},
        }
    return {
        "id": number, "type": panel.kind, "title": panel.title, "description": panel.what, "datasource": DATASOURCE, "gridPos": place,
        "targets": targets, "fieldConfig": {"defaults": defaults, "overrides": []}, "options": options,
    }  # fmt: skip


def _place(x: int, y: int, w: int, h: int) -> dict[str, int]:
    return {"x": x, "y": y, "w": w, "h": h}


def _source() -> dict[str, Any]:
    return {
        "name": "source",
        "type": "datasource",
        "query": "prometheus",
        "label": "Prometheus",
        "hide": 0,
        "multi": False,
        "includeAll": False,
    }


def _variable(name: str, query: str, several: bool) -> dict[str, Any]:
    return {
        "name": name, "type": "query", "datasource": DATASOURCE, "query": {"query": query, "refId": name}, "refresh": 2, "sort": 1,
        "hide": 0, "multi": several, "includeAll": several, **({"current": {"text": "All", "value": "$__all"}} if several else {}),
    }  # fmt: skip
