"""May a model that was trained anew take the place of the one before? What it has to keep."""

import numpy as np

from ..metrics.gate import compare, kept
from ..metrics.ranking import criterion, per_query
from ..model import ModelState
from ..model.index import build
from ..traces import Traces
from .home import homes, staying
from .reference import Part, Reference, descriptions, earlier, held_out, loses_descriptions
from .selection import Candidate

FORGIVEN = 0.01  # of the criterion
FEWEST_NEW = 8  # held-out traces below which a model is not compared with the one before


def behind(before: ModelState, chosen: Candidate, asked: Traces, rng: np.random.Generator) -> str:
    """Why held-out predictions for `asked` speak for the model before, "" where they do not.

    Only intents count that it has not learned from: on its own ones it is better than any model can be on what it has not seen. A point is
    forgiven: who made these predictions had fewer traces than the model that comes of it.
    """
    known = () if before.learned is None else set(before.learned.memory.ids)
    rows = np.flatnonzero(np.array([key not in known for key in asked.ids.tolist()], bool) & (asked.relevant.degrees > 0))
    if not known or len(rows) < FEWEST_NEW:
        return ""
    held = chosen.held.take(rows)
    ours = criterion(per_query(chosen.fusion.combine(held.scores, held.unseen), held.wanted, (5,)))
    theirs = held_out(asked.take(rows)).judge(build(before, 1)).criterion
    verdict = kept([test] if (test := compare("before", "new", ours + FORGIVEN, theirs, rng)) else [], one_of_many=False)
    return "" if verdict.passed else verdict.reason


def keeping(before: ModelState, after: ModelState, traces: Traces, rng: np.random.Generator) -> tuple[ModelState, str]:
    """The new model so that it takes nothing away, and what it takes away all the same: tools that no trace mentions, or what the model
    before had learned from other traces than these.

    Where tools are no longer found by their own descriptions, intents away from all traffic are left to cosine; see `Fusion.home`. For tools
    without traces this is done whatever it costs. Where they are the most, it is done for the others too, as long as their descriptions lie
    apart from the traffic: else half of the traffic would be left to cosine with them.
    """
    idle = descriptions(before, traces.tools, rng)
    if 2 * idle.of >= len(before.catalog.tools):
        after, _ = _at_home(after, descriptions(before, None, rng), apart=True)
    after, lost = _at_home(after, idle)
    if not lost and before.learned is not None:
        channels, _ = before.learned.over(before.catalog)
        others = earlier(channels.memory, rng, set(traces.ids.tolist()))
        verdict, _ = Reference.of(before, [others]).verdict(after, rng, one_of_many=False)
        lost = "" if verdict.passed else verdict.reason
    return after, lost


def _at_home(state: ModelState, asked: Part, apart: bool = False) -> tuple[ModelState, str]:
    """The model with the first home that lets it find what is asked for, or as it is; and what it still loses."""
    lost = loses_descriptions(state, asked)
    for home in homes(state, asked.x, apart=apart) if lost else ():
        at_home = staying(state, home)
        if not loses_descriptions(at_home, asked):
            return at_home, ""
    return state, lost
