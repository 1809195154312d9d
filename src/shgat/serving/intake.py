"""Telling a ranker what was executed and how it went."""

import re
import uuid
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import replace
from typing import Any, Literal

from .. import _ids
from .._files import sha256
from ..errors import InputError
from ..learning.entry import Entry
from ..learning.journal import Journal
from ..learning.principals import Principals
from ..learning.receipt import Receipt
from ..model.evidence import Execution
from ..registry import Slots, Traffic
from ..traces import Trace
from .answering import Answering
from .feedback import Feedback, OfStep, Unlearnable
from .request import named

ACKNOWLEDGED = 1.0  # seconds that feedback waits for the disk
_DECISION_ID = re.compile("[0-9a-f]{32}")


class Intake:
    """The part of a ranker that takes feedback."""

    blind: Callable[[str], str] | None

    _journal: Journal
    _clock: Callable[[], float]
    _user: str
    _answering: Answering
    _unlearnable: Unlearnable
    _traffic: Traffic
    principals: Principals
    slots: Slots

    def _awake(self) -> None:
        raise NotImplementedError

    def _tools_of(self, capability: str) -> tuple[str, ...]:
        raise NotImplementedError

    def once_more(self, decision_id: str) -> str:
        """Another decision like one of this process, for what was executed after it besides: a decision has one feedback. Gives its id.

        Raises
        ------
        InputError
            for a decision that is not known any more.
        """
        self._awake()
        before = self._journal.decision(decision_id)
        if before is None:
            raise InputError(f"{decision_id!r:.100} is no decision that was made here lately")
        again = replace(before, id=_ids.new(), created_at=self._clock(), seq=0)
        self._journal.decided(again)
        return again.id

    def _said(self, text: str | None) -> dict[str, Any]:
        """What a decision holds of its intent's text."""
        if text and self.blind is not None:
            return {"intent": self.blind(text) or None, "intent_hash": sha256(text.encode())}
        return {"intent": text or None, "intent_hash": "" if text else "none"}

    def feedback(
        self,
        decision_id: str | uuid.UUID,
        capability_id: str | None = None,
        tools: Iterable[str] | None = None,
        *,
        outcome: float | BaseException,
        duration_ms: float | None = None,
        error: str | BaseException | None = None,
        principal: str | int | uuid.UUID | None = None,
        session: str | int | uuid.UUID | None = None,
        step: int | None = None,
        end: Literal["terminal", "truncated"] | None = None,
        rating: float | None = None,
    ) -> Receipt:
        """What was executed after a decision and how it went. The store is not waited for; the disk is, for at most a second.

        Any process on the same store may give it, before or after the decision is in the store; of several, the first that is stored
        counts.

        Parameters
        ----------
        capability_id, tools : what was executed; without `tools`, all tools of the capability. Tools that the catalogue does not know are
            kept, and `stats()["trouble"]` names them: nothing can be learned from them
        outcome : 0 (failed) to 1 (worked), a boolean, or the exception that the execution ended with
        error : message or exception
        principal : whose it is, where the decision does not say it
        session : that it is a step of, where the decision does not say it
        step : its number in the session, from 0; None: the next one, when it is stored
        end : "terminal" where the session came to its end with it, "truncated" where it was broken off; None: it goes on
        rating : what people said of it, 1 (bad) to 5 (good)

        Returns
        -------
        what survives a killed process: "durable" does, "waiting" does not yet; "known", which is false: the decision has its feedback

        Raises
        ------
        InputError
            for what is no decision id, a capability of which no tools are known, or the decision of another principal or session.
        StoreError
            20 000 traces wait for the store already.
        """
        of_step: OfStep = {"session": session, "step": step, "end": end, "rating": rating}
        told = Feedback.of(decision_id, capability_id, tools, outcome, error, of_step)
        taken = self._executed(told, duration_ms, named(principal, "principal") or "")
        try:
            return taken.result(ACKNOWLEDGED)
        except TimeoutError:
            return Receipt.WAITING

    async def afeedback(
        self,
        decision_id: str | uuid.UUID,
        capability_id: str | None = None,
        tools: Iterable[str] | None = None,
        *,
        outcome: float | BaseException,
        duration_ms: float | None = None,
        error: str | BaseException | None = None,
        principal: str | int | uuid.UUID | None = None,
        session: str | int | uuid.UUID | None = None,
        step: int | None = None,
        end: Literal["terminal", "truncated"] | None = None,
        rating: float | None = None,
    ) -> Receipt:
        """`feedback` without holding up the event loop, or any thread."""
        import asyncio

        of_step: OfStep = {"session": session, "step": step, "end": end, "rating": rating}
        told = Feedback.of(decision_id, capability_id, tools, outcome, error, of_step)
        taken = self._executed(told, duration_ms, named(principal, "principal") or "")
        done, _ = await asyncio.wait([asyncio.wrap_future(taken)], timeout=ACKNOWLEDGED)
        return done.pop().result() if done else Receipt.WAITING

    def _executed(self, told: Feedback, duration_ms: float | None, whose: str) -> "Future[Receipt]":
        self._awake()
        if not _DECISION_ID.fullmatch(told.decision_id):
            raise InputError(
                f"feedback: {told.decision_id!r:.100} is no decision id, which has 32 hexadecimal digits; see Answer.decision_id"
            )
        ran = told.tools
        if ran is None:
            if told.capability is None or told.capability not in self.slots.production.model.catalog.capability_column:
                raise InputError(
                    f"feedback to {told.decision_id!r}: say which tools were run; {told.capability!r:.100} is no known capability"
                )
            ran = self._tools_of(told.capability)
        entry = Entry(self._user, Trace(
            id=told.decision_id, decision_id=told.decision_id, tools=ran, capability=told.capability, outcome=told.outcome,
            duration_ms=duration_ms, error=told.error, timestamp=self._clock(), principal=whose, **told.of_step,
        ), None)  # fmt: skip
        decision = self._journal.decision(told.decision_id)
        if decision is not None and whose and decision.principal not in ("", whose):
            raise InputError(f"feedback to {told.decision_id!r}: the decision is that of another principal than {whose!r:.60}")
        session = told.of_step.get("session")
        if decision is not None and session is not None and decision.session not in (None, session):
            raise InputError(f"feedback to {told.decision_id!r}: the decision is of another session than {session!r:.60}")
        entry = entry if decision is None else entry.joined(decision)
        taken = self._journal.executed(entry)
        if not (taken.done() and taken.result() is Receipt.KNOWN):
            self._answering.observed.executed(told.outcome, None if duration_ms is None else duration_ms / 1000.0)
            self._unlearnable.look(ran, self.slots.production.model.catalog.tool_column.keys(), self._clock())
            self._remember(entry)
        return taken

    def _remember(self, entry: Entry) -> None:
        """Lets the next answer know what came of this one, long before a training does."""
        decision, trace = entry.decision, entry.trace
        if decision is not None and trace is not None and decision.user_id == self._user:
            session, now = decision.session or "", trace.timestamp or self._clock()
            done = Execution(entry.key, decision.embedding, decision.intent or "", trace.tools, trace.outcome, session, now)
            self.principals.executed(trace.principal, done, trace.context_tools, self.slots.production.model.index())
            self._traffic.executed(decision.model_version, trace.outcome)
