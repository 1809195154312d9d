"""What a journal holds until the store has it: feedback, the decision that it belongs to where that is known, and decisions alone."""

import base64
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import orjson

from ..errors import InputError, ShgatError
from ..store import Decision
from ..traces import Trace
from ..traces.record import COLUMNS, said

_OF_DECISION = ("intent", "context_tools")  # of a trace, taken from its decision, as its embedding is
_DECISION = tuple(field.name for field in fields(Decision) if field.name not in ("embedding", "seq"))


@dataclass(frozen=True, eq=False)
class Entry:
    """One line of a journal. Its key is the id of the feedback, which is that of its decision; a decision alone has another.

    Attributes
    ----------
    user_id : whose model is to learn from it
    trace : the feedback, or None: only the decision is to be written
    decision : None where this process does not know it
    """

    user_id: str
    trace: Trace | None
    decision: Decision | None

    @property
    def key(self) -> str:
        if self.trace is not None:
            return self.trace.id
        assert self.decision is not None
        return f"decision {self.decision.id}"

    @classmethod
    def alone(cls, decision: Decision) -> "Entry":
        """A decision without feedback."""
        return cls(decision.user_id, None, decision)

    def joined(self, decision: Decision) -> "Entry":
        """The same with its decision, whose intent, embedding, context tools, principal and session the trace takes over.

        It is learned for its user.
        """
        if self.trace is None:
            return self
        known: dict[str, Any] = {
            "intent": decision.intent or "",
            "embedding": decision.embedding,
            "context_tools": decision.context_tools,
            "principal": decision.principal or self.trace.principal,
            "session": decision.session or self.trace.session,
        }
        return Entry(decision.user_id, replace(self.trace, **known), decision)

    def to_line(self) -> bytes:
        """As JSON, with its end. What the trace has from its decision is written once."""
        line: dict[str, Any] = {"user_id": self.user_id}
        if self.decision is not None:
            line["decision"] = {name: getattr(self.decision, name) for name in _DECISION} | _encoded(self.decision.embedding)
            line["decision"]["ranked"] = [item.to_list() for item in self.decision.ranked]
        if self.trace is not None:
            left_out = _OF_DECISION if self.decision is not None else ()
            line["trace"] = {name: getattr(self.trace, name) for name in (*COLUMNS, "principal") if name not in left_out}
            line["trace"] |= said(self.trace)
            if self.decision is None:
                line["trace"] |= _encoded(self.trace.embedding)
        return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)

    @classmethod
    def from_line(cls, line: bytes) -> "Entry":
        """InputError where the line is torn, or altered so that it is no entry."""
        try:
            record = orjson.loads(line)
            found = cls(record["user_id"], None, None)
            if "decision" in record:
                found = replace(found, decision=Decision(**_decoded(record["decision"])))
            if "trace" in record:
                found = replace(found, trace=Trace(**_decoded(record["trace"])))
                found = found if found.decision is None else found.joined(found.decision)
        except (ValueError, TypeError, KeyError, AttributeError, ShgatError) as error:
            raise InputError(f"no entry of a journal: {' '.join(str(error).split()):.200}") from None
        if found.trace is None and found.decision is None:
            raise InputError("no entry of a journal: it holds neither feedback nor a decision")
        return found


def _encoded(embedding: Any) -> dict[str, str]:
    if embedding is None:
        return {}
    return {"embedding": base64.b64encode(np.ascontiguousarray(embedding, "<f4").tobytes()).decode()}


def _decoded(record: dict[str, Any]) -> dict[str, Any]:
    if "embedding" in record:
        record["embedding"] = np.frombuffer(base64.b64decode(record["embedding"], validate=True), "<f4").astype(np.float32)
    return record
