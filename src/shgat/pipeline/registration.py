"""The fifth step: the candidate becomes a version, once."""

from typing import Any

from ..registry import Version, facts_of
from .work import CANDIDATE, Outcome, Work


def register(work: Work) -> Outcome:
    """Registers the candidate with what is known of it; where an interrupted try has done so already, that version is it."""
    compared = work.run.facts("compare")
    found = registered(work)
    if found is None:
        trained = work.run.facts("train")
        facts = {
            **facts_of(work.candidate(), trained["trained_at"], trained["parent"]), "reason": compared["reason"],
            "pipeline": {"run": work.run.id, "data": work.snapshot.fingerprint, "held_out": len(work.snapshot.held_out)},
        }  # fmt: skip
        found = work.registry.add((work.folder / CANDIDATE).read_bytes(), facts)
    return Outcome(True, f"it is {found.name}", {"version": found.number, "bytes": found.size})


def registered(work: Work) -> Version | None:
    """The version that this run registered; None where it has not."""
    return next((v for v in work.registry.versions()[::-1] if _run(v.facts) == work.run.id), None)


def _run(facts: dict[str, Any]) -> object:
    """Id of the run that made a version, None where none did."""
    made = facts.get("pipeline")
    return made.get("run") if isinstance(made, dict) else None
