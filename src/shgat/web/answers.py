"""The paths that have to be fast: to rank, to say why not, and to take feedback."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import orjson

from .._check import brief, choice
from .._json import none_for_not_finite
from ..errors import InputError
from ..serving import Answer, Ranker
from . import asked
from .call import Call
from .learned import Curve
from .problems import Problem

_INLINE = 4_000_000  # numbers of a catalogue up to which to rank costs less than to hand it to a thread
_KEPT = 10_000  # answers to requests with an idempotency key
_PLAIN = orjson.OPT_SERIALIZE_NUMPY


class Answers:
    """Asks a ranker.

    What takes a fraction of a millisecond is done on the event loop; what encodes, explains, or ranks a large catalogue in a thread.

    Parameters
    ----------
    curve : is told of what was shown and what worked
    """

    def __init__(self, ranker: Ranker, curve: Curve) -> None:
        self._ranker, self._curve = ranker, curve
        self._given: OrderedDict[tuple[str, str], tuple[bytes, bytes]] = OrderedDict()  # (caller, key) -> body and answer

    async def rank(self, call: Call) -> bytes:
        """`POST /v1/rank`."""
        given = asked.fields(call.json(), asked.RANK)
        catalog = self._ranker.catalog
        intent = asked.vector(given, catalog.dimension)
        options, k = asked.options(given), asked.top_k(given)
        kind = choice("tools" if given.get("kind") is None else given["kind"], asked.KINDS, "kind")
        if intent is None and not isinstance(options.get("text"), str):
            raise InputError("give embedding, embedding_base64 or text")
        rank: Callable[[], Answer]
        if kind == "sets":
            rank = lambda: self._ranker.rank_sets(intent, k, **options)  # noqa: E731
        else:
            rank = lambda: self._ranker.rank(intent, k, kind, **options)  # noqa: E731
        quick = intent is not None and "explain" not in options and len(catalog.tools) * catalog.dimension <= _INLINE
        answer = rank() if quick else await asyncio.to_thread(rank)
        self._curve.shown(answer)
        call.told.update(decision=answer.decision_id, ranked_by=answer.ranked_by, version=answer.model_version)
        return orjson.dumps(answer.to_dict(), option=_PLAIN)

    async def why_not(self, call: Call) -> bytes:
        """`POST /v1/why-not`."""
        given = asked.fields(call.json(), asked.WHY_NOT, ("tool",))
        intent: Any = asked.vector(given, self._ranker.catalog.dimension)
        text, tool = given.get("text"), given["tool"]
        if text is not None and not isinstance(text, str):
            raise InputError(f"text is a string, not {brief(text)}")
        if intent is None and not text:
            raise InputError("give embedding, embedding_base64 or text")
        if not isinstance(tool, str) or tool not in self._ranker.catalog.tool_column:
            raise Problem("not-found", f"the catalogue has no tool {tool!r:.100}")
        options = asked.options(given)
        said = await asyncio.to_thread(
            self._ranker.why_not,
            text if intent is None else intent,
            tool,
            text=None if intent is None else text,
            context_tools=options.get("context_tools", ()),
            principal=options.get("principal"),
        )
        return orjson.dumps(none_for_not_finite(said.to_dict()), option=_PLAIN)

    async def feedback(self, call: Call) -> bytes:
        """`POST /v1/feedback`: counts once, by its decision, and where it has an idempotency key is answered again as it was."""
        idempotency = call.headers.get("idempotency-key", "")
        if len(idempotency) > 255:
            raise Problem("invalid", "an Idempotency-Key has at most 255 characters")
        key = call.caller, idempotency
        if idempotency and key in self._given:
            body, answer = self._given[key]
            if body != call.body:
                raise Problem(
                    "reused-key", "this Idempotency-Key came with another body before; every feedback has a key of its own"
                )
            return answer
        given = asked.fields(call.json(), asked.FEEDBACK, ("decision_id", "outcome"))
        tools = None if given.get("tools") is None else asked.strings(given["tools"], "tools")
        duration = given.get("duration_ms")
        if duration is not None and (
            isinstance(duration, bool) or not isinstance(duration, (int, float)) or not 0 <= duration <= 1e15
        ):
            raise InputError(f"duration_ms is a number from 0, not {brief(duration)}")
        error = given.get("error")
        if error is not None and not isinstance(error, str):
            raise InputError(f"error is a string, not {brief(error)}")
        receipt = await self._ranker.afeedback(
            given["decision_id"], given.get("capability_id"), tools, outcome=given["outcome"], duration_ms=duration, error=error,
            principal=asked.options({"principal": given.get("principal")}).get("principal"), **asked.of_step(given),
        )  # fmt: skip
        if receipt:
            self._curve.executed(given["decision_id"], tools or (), float(given["outcome"]))
        call.told.update(decision=given["decision_id"], receipt=str(receipt))
        answer = orjson.dumps({"decision_id": given["decision_id"], "receipt": str(receipt), "counted": bool(receipt)})
        if idempotency:
            self._given[key] = call.body, answer
            if len(self._given) > _KEPT:
                self._given.popitem(last=False)
        return answer
