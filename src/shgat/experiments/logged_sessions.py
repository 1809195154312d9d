"""The sessions of a ranker's store: its traces, with what their decisions offered, and the chance of what was chosen."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from ..graph import Catalog
from ..traces import Trace
from ..traces.gathering import Faults
from ..traces.session_columns import Sessions
from ..traces.sessions import End
from .counterfactual import chances_of_choice, pages, usable

if TYPE_CHECKING:
    from ..store import Store  # an extra


def from_store(store: "Store", catalog: Catalog, *, faults: Faults = "skip", unended: End = "truncated") -> Sessions:
    """The sessions of a store, as `Sessions.of`; the chance of a choice is that of `DecisionLog.from_store`.

    A trace keeps the propensity that it has itself. One that has none, and whose decision cannot be used, stays without.

    Parameters
    ----------
    unended : sessions of a gateway seldom say that they ended
    """
    known = _choices(store, catalog)
    return Sessions.of(_with_choices(store.traces(), known), catalog, faults=faults, unended=unended)


def _choices(store: "Store", catalog: Catalog) -> dict[str, tuple[tuple[str, ...], float]]:
    """Decision id -> (ids that were offered, the chance of what was chosen)."""
    ids, offered, chances, places = list[str](), list[tuple[str, ...]](), list[tuple[tuple[int, float], ...]](), list[int]()
    n_places = 0
    for page in pages(store.decisions()):
        feedback = store.feedback_to([decision.id for decision in page])
        for decision in page:
            found = usable(decision, feedback.get(decision.id), catalog)
            if isinstance(found, str):
                continue
            chosen, _ = found
            ids.append(decision.id)
            offered.append(tuple(item.id for item in decision.ranked))
            n_places = max(n_places, *(item.position for item in decision.ranked))
            places.append(chosen.position - 1)
            chances.append(chosen.places)
    if not ids:
        return {}
    return dict(zip(ids, zip(offered, chances_of_choice(places, chances, n_places).tolist(), strict=True), strict=True))


def _with_choices(traces: Iterator[Trace], known: dict[str, tuple[tuple[str, ...], float]]) -> Iterator[Trace]:
    for trace in traces:
        found = known.get(trace.decision_id or "")
        if found is None or trace.propensity is not None:
            yield trace
        else:
            yield replace(trace, offered=found[0], propensity=min(1.0, found[1]))
