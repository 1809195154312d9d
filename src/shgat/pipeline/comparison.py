"""The fourth step: the one gate. Is the candidate better than cosine, and no worse than what serves, on traces new to both?"""

from typing import Any

from ..experiments.measurement import measure
from ..registry import judge
from .work import Outcome, Work


def compare(work: Work) -> Outcome:
    """Asks `shgat.registry.judge`, and looks at the floors of the settings."""
    gate, candidate = work.settings.gate, work.candidate()
    number, production = work.production()
    held = work.snapshot.compared_on(work.store, work.catalog)
    work.say(f"{len(held)} held-out traces, beside cosine" + ("" if production is None else f" and v{number}"))
    judgement = judge(candidate, production, held, work.settings.training.seed)
    verdict = judgement.verdict
    facts: dict[str, Any] = {"production": number, **judgement.figures()}
    if judgement.intents < gate.least:
        said = f"{judgement.intents} held-out intents that neither has learned from, at least {gate.least} are needed"
        return Outcome(False, said, {**facts, "passed": False})
    if not verdict.passed:
        return Outcome(False, verdict.reason, facts)
    found = measure(candidate, held)
    rows = found.parts["all"]
    facts["metrics"] = {name: float(values[rows].mean()) for name, values in found.metrics.items()}
    low = [f"{name} is {facts['metrics'][name]:.3f}, at least {floor:g} is asked for" for name, floor in gate.floors.items()
           if facts["metrics"][name] < floor]  # fmt: skip
    return Outcome(not low, "; ".join(low) or verdict.reason, {**facts, "passed": not low})
