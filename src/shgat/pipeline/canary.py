"""The sixth step: the new version answers some sessions for a while, and its guardrails take it away where it is worse."""

from typing import Any

from ..errors import ConflictError, DamagedError, StoreError, StoreURLError
from ..metrics.splits import duration
from ..registry import Terms
from ..registry.traffic import GUARDRAILS
from ..store import Move
from .work import WHO, Outcome, Work

POLL = 2.0  # seconds between looks at the log of moves, as often as gateways look
GRACE = 10.0  # seconds after its time in which a gateway may take it away, with its figures
AWAY = 300.0  # seconds for which the store may be away


def serve_canary(work: Work) -> Outcome:
    """Lets the alias "canary" name the version, waits until it is taken away, and says why that was.

    Gateways take a canary away where a guardrail says that it is worse, and when its time is over. Where none does the pipeline itself does.
    """
    settings, number = work.settings.canary, work.run.facts("register")["version"]
    if not settings.percent:
        return Outcome(True, "no canary was asked for", {"version": number, "percent": 0.0})
    begun = work.own_move("canary", number)
    if begun is None:
        try:
            begun = _begin(work, number)
        except ConflictError as error:
            return Outcome(False, f"somebody else's canary stands: {error}", {"version": number})
    until = begun.created_at + duration(settings.duration)
    work.say(f"v{number} answers {settings.percent:g} % of the sessions for {settings.duration}")
    ended = _ended(work, begun, number, until)
    figures, own = ended.figures or {}, ended.who == WHO and ended.why.startswith(work.run.tag)
    harm = figures.get("harm", ended.why) if ended.who == GUARDRAILS else ""
    answers = work.store.answers_since(begun.created_at, work.user)
    counted = {name: found._asdict() for name, found in answers.items()}
    facts: dict[str, Any] = {
        "version": number, "percent": settings.percent, "began": begun.number, "ended": ended.number, "who": ended.who, "why": ended.why,
        "harm": harm, "answers": counted, "guardrails": {k: v for k, v in figures.items() if isinstance(v, dict)},
        "seconds": ended.created_at - begun.created_at,
    }  # fmt: skip
    ours = answers.get(f"v{number}")
    n, executed = (0, 0) if ours is None else (ours.n, ours.executed)
    if harm:
        return Outcome(False, f"v{number} is {ended.why}", facts, "rolled back")
    if ended.who != GUARDRAILS and not own:
        return Outcome(
            False, f"taken away by {ended.who} before its time was over: {ended.why or 'nobody said why'}", facts, "rolled back"
        )
    if n < settings.least or executed < settings.least_executed:
        said = f"{n} answers, {executed} of them with feedback; {settings.least} and {settings.least_executed} are needed to know anything"
        return Outcome(False, said, facts, "rolled back")
    return Outcome(True, f"{n} answers, {executed} with feedback: nothing says that it is worse than production", facts)


def _begin(work: Work, number: int) -> Move:
    settings = work.settings.canary
    until = work.store.clock() + duration(settings.duration)
    terms = Terms(percent=settings.percent, until=until, harm=settings.harm, p99_latency_ratio=settings.p99_latency_ratio)
    told = {"who": WHO, "why": work.run.tag, "terms": terms.to_dict()}
    return work.registry.move("canary", number, expected=None, **told)


def _ended(work: Work, begun: Move, number: int, until: float) -> Move:
    """The move that took it away."""
    away = 0.0
    while True:
        try:
            later = [m for m in work.registry.moves("canary") if m.number > begun.number and m.before == number]
            if later:
                return later[-1]  # the first after it
            if work.store.clock() >= until + GRACE:
                _take_away(work, number)
            away = 0.0
        except (DamagedError, StoreURLError):
            raise
        except StoreError as error:  # it comes back, or it does not
            away += POLL
            if away >= AWAY:
                raise
            work.say(f"the store is away, tried again: {error}")
        work.sleep(POLL)


def _take_away(work: Work, number: int) -> None:
    why = f"{work.run.tag}: its time is over, and no gateway took it away"
    try:
        work.registry.move("canary", None, expected=number, action="clear", who=WHO, why=why)
    except ConflictError:  # a gateway was faster
        return
