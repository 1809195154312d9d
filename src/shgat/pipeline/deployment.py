"""The last step, and the way back: what proved itself serves, or what served before does again."""

import contextlib

from ..drift import kept
from ..errors import InputError, RefusedError
from ..registry import promote as through_the_gate
from ..store import Move
from .registration import registered
from .work import WHO, Outcome, Work


def promote(work: Work) -> Outcome:
    """Puts the version into production through `shgat.registry.promote`, which compares it once more with what serves by now; once."""
    number = work.run.facts("register")["version"]
    work.run.facts("canary")
    move = work.own_move("production", number)
    if move is None:
        why = f"{work.run.tag}: {work.run.steps['canary'].reason}"
        held = work.snapshot.compared_on(work.store, work.catalog)
        try:
            move = through_the_gate(work.registry, number, work.catalog, held, who=WHO, why=why, seed=work.settings.training.seed)
        except RefusedError as error:
            return Outcome(False, str(error), {"version": number})
    with contextlib.suppress(InputError):  # too few executions for a reference of drift yet
        kept.serving(work.store, work.catalog, user_id=work.user)
    before = "nothing" if move.before is None else f"v{move.before}"
    return Outcome(
        True, f"v{number} serves in place of {before}", {"version": number, "before": move.before, "move": move.number}, "promoted"
    )


def take_canary(work: Work, who: str, why: str) -> list[Move]:
    """Takes the run's canary away, where it stands."""
    found = registered(work)
    if found is None or work.registry.aliases().get("canary") != found.number:
        return []
    return [work.registry.move("canary", None, expected=found.number, action="clear", who=who, why=_said(work, why))]


def take_back(work: Work, who: str, why: str) -> list[Move]:
    """What the run put in place is taken away: its canary, and its version where that is in production. The moves, none where nothing of it
    stands.

    Raises
    ------
    StoreError
        where nothing served before it.
    """
    moves, found = take_canary(work, who, why), registered(work)
    if found is not None and work.registry.aliases().get("production") == found.number:
        moves.append(work.registry.rollback("production", who=who, why=_said(work, why)))
    return moves


def _said(work: Work, why: str) -> str:
    return f"{work.run.tag}: {why or 'taken back'}"
