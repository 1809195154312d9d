"""What went through a gateway, by its store: what was searched, found and missed, how often tools work, what was learned."""

import re
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..errors import InputError
from ..model.words import asked
from ..serving.searches import PERSISTENT, Search
from ..store import Decision, Store
from ..traces import Trace
from .blinding import is_blinded
from .facts import Facts
from .sessions import Session

DAYS = 30.0
BLOCKS = 12  # stretches of searches over which learning is shown
MOST = 20  # queries that are named
_SEARCHED = "none"  # the hash of what has no text
_REVISED = re.compile(r"@[0-9a-f]{8}$")


@dataclass
class _Tool:
    offered: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    milliseconds: list[float] = field(default_factory=list)


@dataclass
class _Query:
    times: int = 0
    nothing: int = 0
    tools: Counter[str] = field(default_factory=Counter)


def report(store_url: str, user: str = "local", days: float = DAYS, now: float | None = None) -> dict[str, Any]:
    """As JSON values; queries by their texts where those are stored, else by the beginning of their hash.

    Parameters
    ----------
    days : that are looked back
    now : seconds since 1970

    Raises
    ------
    StoreError
        for a store that is not there.
    """
    if days <= 0.0:
        raise InputError(f"days is a number above 0, not {days!r}")
    facts, since = Facts.beside(store_url).to_dict(), (time.time() if now is None else now) - 86400.0 * days
    with Store.open(store_url) as store:
        about = store.status()
        decisions = [d for d in store.decisions() if d.user_id == user and (d.created_at or 0.0) >= since]
        decisions.sort(key=lambda d: d.created_at or 0.0)  # they are stored as feedback needs them
        traces: dict[str, Trace] = {}
        ids = [d.id for d in decisions]
        for start in range(0, len(ids), 500):
            traces |= store.feedback_to(ids[start : start + 500])
        url = store.url
    counted = _Counted({key: tool for tool, known in facts["tools"].items() for key in known.get("keys", {}).values()})
    for decision in decisions:
        counted.add(decision, traces.get(decision.id))
    flagged = [{"tool": tool, "changed": known["changed"]} for tool, known in facts["tools"].items() if known.get("changed")]
    return {
        "store": url, "user": user, "days": days, "model_version": about["active_model"], "traces": about["rows"]["traces"],
        **counted.to_dict(), "flagged": flagged, "servers": facts["servers"],
        "repeats": {tool: known["repeats"] for tool, known in facts["tools"].items() if "repeats" in known},
        "sizes": {tool: known["sizes"] for tool, known in facts["tools"].items() if "sizes" in known},
    }  # fmt: skip


class _Counted:
    """Decisions with what came of them, in their order."""

    def __init__(self, tool_of: dict[str, str]) -> None:
        self._tool_of = tool_of
        self._tools: defaultdict[str, _Tool] = defaultdict(_Tool)
        self._queries: defaultdict[str, _Query] = defaultdict(_Query)
        self._sessions: defaultdict[str, Session] = defaultdict(Session)
        self._n: Counter[str] = Counter()
        self._places: list[int] = []  # of the tool that was called, 0 where it was not offered

    def add(self, decision: Decision, trace: Trace | None) -> None:
        """One more."""
        called = [self._name(key) for key in trace.tools] if trace is not None else []
        offered = [self._name(r.id) for r in decision.ranked if r.position]
        own = trace is not None and trace.duration_ms is not None  # else it is what answered a later search
        if trace is not None and own:
            for tool in called:
                self._tools[tool].outcomes["worked" if trace.outcome >= 0.5 else trace.error or "failed"] += 1
                self._tools[tool].milliseconds.append(trace.duration_ms or 0.0)
        if decision.intent_hash == _SEARCHED:
            self._n["suggestions" if decision.embedding is not None else "calls_without_search"] += 1
            return
        for tool in offered:
            self._tools[tool].offered += 1
        query = self._queries[f"#{decision.intent_hash[:10]}" if is_blinded(decision.intent or "0000000") else str(decision.intent)]
        query.times += 1
        query.nothing += not called
        query.tools.update(called)
        x = decision.embedding
        unit = None if x is None else np.asarray(x / max(float(np.linalg.norm(x)), 1e-12), np.float32)
        search = Search(decision.id, (), unit, frozenset(asked(decision.intent or "")), calls=int(own))
        session = self._sessions[decision.session or ""]
        row = session.searches.in_a_row(search)
        session.searches.append(search)
        self._n.update(
            {
                "searches": 1, "nothing_offered": not offered, "called": own, "answered_by_a_later_call": trace is not None and not own,
                "worked": own and trace is not None and trace.outcome >= 0.5, "repeated": row > 1, "with_directive": row >= PERSISTENT,
            }
        )  # fmt: skip
        if own:
            self._places.append(offered.index(called[0]) + 1 if called and called[0] in offered else 0)

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        names = ("searches", "nothing_offered", "called", "worked", "answered_by_a_later_call", "repeated", "with_directive")
        blocks = [b for b in np.array_split(np.array(self._places), min(BLOCKS, max(1, len(self._places)))) if len(b)]
        missed = sorted(((q, s) for q, s in self._queries.items() if s.nothing), key=lambda pair: -pair[1].nothing)
        found = sorted(((q, s) for q, s in self._queries.items() if s.tools), key=lambda pair: -pair[1].tools.total())
        return {
            "searches": {name: int(self._n[name]) for name in names},
            "suggestions": self._n["suggestions"],
            "calls_without_search": self._n["calls_without_search"],
            "learning": [{"calls": len(b), "hit_at_1": float((b == 1).mean()), "offered": float((b > 0).mean())} for b in blocks],
            "missed": [{"query": q, "searches": s.times, "without_call": s.nothing} for q, s in missed[:MOST]],
            "found": [{"query": q, "searches": s.times, "tools": dict(s.tools.most_common(3))} for q, s in found[:MOST]],
            "tools": [
                {
                    "tool": tool, "offered": t.offered, "called": t.outcomes.total(), "worked": t.outcomes["worked"],
                    "success_rate": t.outcomes["worked"] / t.outcomes.total() if t.outcomes else None,
                    "p50_ms": float(np.median(t.milliseconds)) if t.milliseconds else None,
                    "failures": {why: n for why, n in t.outcomes.items() if why != "worked"},
                }
                for tool, t in sorted(self._tools.items(), key=lambda pair: (-pair[1].outcomes.total(), -pair[1].offered))
            ],
        }  # fmt: skip

    def _name(self, key: str) -> str:
        return self._tool_of.get(key) or _REVISED.sub("", key)
