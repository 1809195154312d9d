"""The reference of the version that serves, and the window since: out of a store."""

from dataclasses import dataclass

import numpy as np

from .._types import Float32, Float64
from ..errors import InputError
from ..graph import Catalog
from ..store import Store
from ..traces import Trace
from .reference import Reference
from .window import Window

LATEST = 5000  # traces that a reference is made of, and that a window holds, at most


@dataclass(frozen=True, eq=False)
class Kept:
    """Attributes
    ----------
    version : number of the version that serves, 0 where the store has none
    made_at : of the version, seconds since 1970; 0.0 where the store has none
    reference : its reference
    made : is it new? It was kept with the version then
    """

    version: int
    made_at: float
    reference: Reference
    made: bool


def serving(store: Store, catalog: Catalog, *, user_id: str = "local", anew: bool = False) -> Kept:
    """The reference that is kept with the version that serves; where there is none it is made of the latest traces before it, and kept.

    Parameters
    ----------
    catalog : whose tools the scores are of, see `best_cosine`
    anew : make it of the latest traces of all, in place of the one that is kept

    Raises
    ------
    InputError
        for too few traces of that time, or where no version serves.
    """
    active = next((v for v in store.model_versions(user_id) if v.active), None)
    if active is None:
        raise InputError(f"{store.url}: no model serves {user_id!r} yet: there is nothing that it could have drifted from")
    version, made_at = active.version, active.created_at
    data = None if anew else store.drift_reference(version)
    if data is not None:
        return Kept(version, made_at, Reference.from_bytes(data, f"the drift reference of version {version}"), False)
    until = store.clock() if anew else made_at
    return Kept(version, made_at if not anew else until, keep(store, catalog, version, until, user_id=user_id), True)


def keep(store: Store, catalog: Catalog, version: int, until: float, *, user_id: str = "local") -> Reference:
    """Makes the reference of a version of the latest traces up to a moment, seconds since 1970, and keeps it with the version.

    Raises
    ------
    InputError
        for too few of them.
    """
    traces = store.traces_since(-1e11, LATEST, user_id, until=until)
    about = {"version": version, "until": until}
    reference = Reference.of(windowed(traces, catalog), np.random.default_rng(0), about=about)
    store.put_drift_reference(version, reference.to_bytes())
    return reference


def since(store: Store, catalog: Catalog, moment: float, *, user_id: str = "local") -> Window:
    """The latest traces with a later time than `moment`, seconds since 1970."""
    return windowed(store.traces_since(moment, LATEST, user_id), catalog)


def windowed(traces: list[Trace], catalog: Catalog) -> Window:
    """A window whose scores are `best_cosine`."""
    return Window.of_traces(traces, scored=lambda x: best_cosine(x, catalog), encoder=catalog.encoder)


def best_cosine(intents: Float32, catalog: Catalog) -> Float64:
    """(n,) cosine of each intent with the nearest tool.

    A trained model scores the intents that it has learned from higher than any others, so that its scores differ before and after its training
    though nothing drifted. This score has learned nothing.

    Raises
    ------
    InputError
        for a catalogue without embeddings.
    """
    tools = catalog.tool_embeddings
    if tools is None or not len(tools):
        raise InputError("the catalogue has no embeddings of tools to compare intents with: shgat embed --catalog DIR")
    lengths = np.linalg.norm(intents, axis=1, keepdims=True), np.linalg.norm(tools, axis=1, keepdims=True)
    a, b = (np.divide(x, n, out=np.zeros_like(x), where=n > 0) for x, n in zip((intents, tools), lengths, strict=True))
    return np.asarray((a @ b.T).max(axis=1), np.float64)
