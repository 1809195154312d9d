"""Files for Prometheus, Alertmanager and Grafana, with what is needed to start all three."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .._check import number
from .._files import write_atomically
from ..errors import InputError
from .dashboard import dashboard
from .rules import RULES, Rule

RULES_FILE = "rules/shgat.rules.yml"


@dataclass(frozen=True, kw_only=True)
class ExportSettings:
    """Attributes
    ----------
    targets : host:port of the servers
    every : seconds between two scrapes and evaluations
    window : seconds over which shares and quantiles are taken
    webhook : address that Alertmanager tells; "": the place for one is left open
    alertmanager : its host:port, as Prometheus sees it
    """

    targets: Sequence[str] = ("localhost:8321",)
    every: float = 15.0
    window: float = 300.0
    webhook: str = ""
    alertmanager: str = "localhost:9093"
    key_file: str = "key"
    rules: Sequence[Rule] = field(default=RULES)

    def __post_init__(self) -> None:
        number(self.every, 1.0, 86400.0, "export: every")
        number(self.window, self.every, 604800.0, "export: window")
        for target in (*self.targets, self.alertmanager):
            host, _, port = target.rpartition(":")
            if not host or not port.isdigit() or any(c in target for c in " \t\n\"'/"):
                raise InputError(f"a target is HOST:PORT, not {target!r:.80}")


def files(settings: ExportSettings) -> Mapping[str, str]:
    """Path -> content."""
    return {
        "prometheus.yml": _prometheus(settings),
        RULES_FILE: rules_file(settings.rules, settings.every, settings.window),
        "alertmanager.yml": _alertmanager(settings),
        "compose.yml": _COMPOSE,
        "grafana/dashboards/shgat.json": json.dumps(dashboard(), indent=2) + "\n",
        "grafana/provisioning/dashboards/shgat.yml": _DASHBOARDS,
        "grafana/provisioning/datasources/prometheus.yml": _DATASOURCES,
    }


def export(folder: Path, settings: ExportSettings, overwrite: bool = False) -> list[Path]:
    """Writes the files; the paths that were written.

    Raises
    ------
    InputError
        where one of them is there already, and is another one.
    """
    found = files(settings)
    if not overwrite:
        for name, content in found.items():
            if (folder / name).exists() and (folder / name).read_text("utf-8") != content:
                raise InputError(f"{folder / name} is there already, and differs: --force writes it anew")
    written = []
    for name, content in found.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        write_atomically(folder / name, content.encode())
        written.append(folder / name)
    return written


def rules_file(rules: Sequence[Rule], every: float, window: float) -> str:
    """Recorded quantities and alerts."""
    span, step = duration(window), duration(every)
    lines = ["groups:", "  - name: shgat-recorded", f"    interval: {step}", "    rules:"]
    recorded = {rule.quantity.record: rule.quantity.expression(span) for rule in rules if rule.quantity.record}
    for name, expression in recorded.items():
        lines += [f"      - record: {name}", f"        expr: {_text(expression)}"]
    lines += ["  - name: shgat-alerts", f"    interval: {step}", "    rules:"]
    for rule in rules:
        lines += [
            f"      - alert: {rule.name}",
            f"        expr: {_text(rule.expression(span))}",
            f"        labels: {{severity: {rule.severity}}}",
            "        annotations:",
            f"          summary: {_text(rule.summary)}",
            f"          remedy: {_text(rule.remedy)}",
            '          value: "{{ $value }}"',
        ]
    return "\n".join(lines) + "\n"


def duration(seconds: float) -> str:
    """As Prometheus writes it."""
    return f"{round(seconds * 1000)}ms" if seconds != int(seconds) else f"{int(seconds)}s"


def _text(value: str) -> str:
    """A string of JSON is one of YAML."""
    return json.dumps(value, ensure_ascii=False)


def _prometheus(s: ExportSettings) -> str:
    step = duration(s.every)
    return f"""global:
  scrape_interval: {step}
  evaluation_interval: {step}
rule_files: [{RULES_FILE}]
alerting:
  alertmanagers:
    - static_configs:
        - targets: [{_text(s.alertmanager)}]
scrape_configs:
  - job_name: shgat
    # a key with the scope metrics alone: shgat serve keys add prometheus --scope metrics; or --open metrics on the same machine, without this
    authorization: {{credentials_file: {_text(s.key_file)}}}
    static_configs:
      - targets: [{", ".join(map(_text, s.targets))}]
"""


def _alertmanager(s: ExportSettings) -> str:
    receiver = f"    webhook_configs:\n      - url: {_text(s.webhook)}\n        send_resolved: true\n" if s.webhook else (
        "    # webhook_configs, email_configs, slack_configs, pagerduty_configs: who is told\n"
    )  # fmt: skip
    return f"""route:
  receiver: people
  group_by: [alertname]
  group_wait: {duration(max(1.0, min(30.0, s.every)))}
  group_interval: {duration(max(1.0, min(300.0, 4 * s.every)))}
  repeat_interval: 4h
receivers:
  - name: people
{receiver}inhibit_rules:
  # what does not answer has no other trouble of its own
  - source_matchers: [alertname = Down]
    target_matchers: [alertname != Down]
    equal: [job, instance]
"""


_COMPOSE = """# docker compose up: Prometheus on 9090, Alertmanager on 9093, Grafana on 3000, each on this machine alone.
# They use the network of the machine, so that localhost in prometheus.yml is the machine itself.
services:
  prometheus:
    image: prom/prometheus:v2.55.1
    network_mode: host
    command: [--config.file=/etc/prometheus/prometheus.yml, --storage.tsdb.path=/prometheus, "--web.listen-address=127.0.0.1:9090"]
    volumes:
      - ./prometheus.yml:/etc/prometheus/prometheus.yml:ro
      - ./rules:/etc/prometheus/rules:ro
      - ./key:/etc/prometheus/key:ro
      - prometheus:/prometheus
    restart: unless-stopped
  alertmanager:
    image: prom/alertmanager:v0.27.0
    network_mode: host
    command: [--config.file=/etc/alertmanager/alertmanager.yml, "--web.listen-address=127.0.0.1:9093", "--cluster.listen-address="]
    volumes:
      - ./alertmanager.yml:/etc/alertmanager/alertmanager.yml:ro
    restart: unless-stopped
  grafana:
    image: grafana/grafana:11.3.0
    network_mode: host
    environment:
      GF_SERVER_HTTP_ADDR: 127.0.0.1
    volumes:
      - ./grafana/provisioning:/etc/grafana/provisioning:ro
      - ./grafana/dashboards:/var/lib/grafana/dashboards:ro
      - grafana:/var/lib/grafana
    restart: unless-stopped
volumes:
  prometheus: {}
  grafana: {}
"""
_DASHBOARDS = """apiVersion: 1
providers:
  - name: shgat
    type: file
    options: {path: /var/lib/grafana/dashboards}
"""
_DATASOURCES = """apiVersion: 1
datasources:
  - name: Prometheus
    type: prometheus
    uid: prometheus
    access: proxy
    url: http://localhost:9090
    isDefault: true
"""
