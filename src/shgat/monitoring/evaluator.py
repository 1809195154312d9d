"""Evaluates the rules over a history, and remembers what fires since when."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from .history import History
from .rules import RULES, Rule, Severity

State = Literal["firing", "resolved"]


@dataclass(frozen=True)
class Alert:
    """Attributes
    ----------
    name, severity, summary, remedy : of its rule
    target : what it was seen at
    state : "firing", or "resolved" where it has just ended
    value, limit : figure, the latest that was beyond the limit, and limit
    since : when it began, seconds since the epoch
    until : when it ended, None while it fires
    """

    name: str
    severity: Severity
    target: str
    state: State
    value: float
    limit: float
    since: float
    summary: str
    remedy: str
    until: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


class Evaluator:
    """Of one target.

    Parameters
    ----------
    target : its name
    rules : see `RULES`
    firing : name -> alert, from before
    """

    def __init__(self, target: str, rules: Sequence[Rule] = RULES, firing: dict[str, Alert] | None = None) -> None:
        self.target, self.rules = target, tuple(rules)
        self._firing: dict[str, Alert] = dict(firing or {})

    @property
    def firing(self) -> list[Alert]:
        """What fires, in the order of the rules."""
        return [self._firing[rule.name] for rule in self.rules if rule.name in self._firing]

    def look(self, history: History) -> list[Alert]:
        """Evaluates the rules on the last look; what began or ended by that."""
        latest = history.latest
        if latest is None:
            return []
        at, changed = latest[0], list[Alert]()
        for rule in self.rules:
            value, before = rule.breached(history), self._firing.get(rule.name)
            if value is not None and not rule.explained(history):
                since = at if before is None else before.since
                alert = Alert(rule.name, rule.severity, self.target, "firing", value, rule.limit, since, rule.summary, rule.remedy)
                self._firing[rule.name] = alert
                if before is None:
                    changed.append(alert)
            elif before is not None:
                del self._firing[rule.name]
                changed.append(Alert(**{**vars(before), "state": "resolved", "until": at}))
        return changed
