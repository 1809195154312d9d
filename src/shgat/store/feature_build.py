"""Features made of what a store holds, checked, and put beside it: where something changed, and where they are too old."""

import hashlib
from dataclasses import asdict, dataclass, replace

import orjson
from sqlalchemy import func, select

from ..errors import InputError
from ..features.capability import CapabilityFeatures, capability_features
from ..features.hybrid import Choice, chosen
from ..features.member_graph import MemberGraph
from ..features.node2vec import Node2VecConfig
from ..features.usage import DAY, WINDOWS
from ..features.validation import Limits, Report, near_duplicates, validate
from ..graph import Catalog
from ..traces import Traces
from .features import N2V_DIMENSION, FeatureState
from .schema import traces
from .store import Store

_CHOOSERS = 5000  # newest traces that choose the weight of the text
INTENTS = 30 * DAY  # seconds that the features of an intent stay


@dataclass(frozen=True)
class Built:
    """What a build did.

    Attributes
    ----------
    reason : why it was due, None where it was not
    written : are the new features those that are read now? Not where a check failed: the former ones stay
    state : of the features that are read now, None where there are none
    report : of the checks, None where nothing was due
    intents, forgotten : intents taken in from decisions, and removed by age
    """

    reason: str | None
    written: bool
    state: FeatureState | None
    report: Report | None
    intents: int = 0
    forgotten: int = 0


def build_features(
    store: Store,
    *,
    force: bool = False,
    max_age: float = DAY,
    config: Node2VecConfig | None = None,
    text_weight: float | None = None,
    limits: Limits | None = None,
    threads: int = 1,
) -> Built:
    """Builds what is due: features of every capability, and intents that were asked since.

    Parameters
    ----------
    force : whether they are due or not
    max_age : seconds after which they are due though nothing changed
    text_weight : of the hybrid; None: held-out traces choose it

    Raises
    ------
    InputError
        for vectors of the graph that the store has no room for.
    CatalogError
        for a catalogue that does not hold together.
    """
    config = config or Node2VecConfig()
    if config.dimensions != N2V_DIMENSION:
        raise InputError(f"the store keeps vectors of the graph of {N2V_DIMENSION} dimensions, not {config.dimensions}")
    now, catalog, state = store.clock(), stored_catalog(store), store.feature_state()
    recipe = hashlib.sha256(orjson.dumps([asdict(config), text_weight])).hexdigest()
    why = due(state, catalog, now, recipe, max_age) or ("asked for" if force else None)
    taken, gone = store.take_in_intents(now - INTENTS), store.remove_intents(now - INTENTS)
    if why is None:
        return Built(None, False, state, None, taken, gone)
    weight = _weight(store, catalog, config, threads) if text_weight is None else Choice(text_weight)
    version = 1 if state is None else state.version + 1
    rows = capability_features(
        catalog, store.executions(now - WINDOWS[-1] * DAY, now), as_of=now, text_weight=weight.text, version=version, config=config,
        threads=threads,
    )  # fmt: skip
    report = checked(rows, catalog, store.dimension, now, limits)
    if not report.ok:
        return Built(why, False, state, report, taken, gone)
    new = FeatureState(version, now, catalog.checksum, recipe, weight.text, weight.n)
    store.put_features(rows, new)
    return Built(why, True, new, report, taken, gone)


def check_features(store: Store, limits: Limits | None = None) -> Report:
    """Checks the features that are kept beside the catalogue that is kept."""
    catalog = stored_catalog(store)
    return checked(list(store.features().values()), catalog, store.dimension, store.clock(), limits)


def checked(rows: list[CapabilityFeatures], catalog: Catalog, dimension: int, now: float, limits: Limits | None) -> Report:
    """Checks features, and the embeddings of the catalogue's tools for near duplicates."""
    graph = MemberGraph.of(catalog)
    alone = {
        key for (kind, key), degree in zip(graph.nodes, graph.degrees.tolist(), strict=True) if kind == "capability" and not degree
    }
    found = validate(
        rows, [c.id for c in catalog.capabilities], dimension=dimension, n2v_dimension=N2V_DIMENSION, now=now, limits=limits, alone=alone
    )  # fmt: skip
    if catalog.tool_embeddings is None:
        return found
    tools = near_duplicates([t.id for t in catalog.tools], catalog.tool_embeddings, limits)
    return replace(found, findings=(*found.findings, tools))


def due(state: FeatureState | None, catalog: Catalog, now: float, recipe: str | None = None, max_age: float = DAY) -> str | None:
    """Why features have to be built, None where they need not be; `max_age` in seconds."""
    if state is None:
        return "there are none"
    if state.catalog != catalog.checksum:
        return "the catalogue changed"
    if recipe is not None and state.recipe != recipe:
        return "the settings changed"
    return f"they are {max_age / 3600.0:g} hours old" if now - state.computed_at >= max_age else None


def stored_catalog(store: Store) -> Catalog:
    """The catalogue that a store holds."""
    return Catalog.from_records(*store.catalog(), encoder=store.encoder())


def _weight(store: Store, catalog: Catalog, config: Node2VecConfig, threads: int) -> Choice:
    if not catalog.has_embeddings:
        return Choice()
    with store.database.read() as connection:
        last = connection.scalar(select(func.max(traces.c.seq))) or 0
    newest = Traces.from_records(store.traces(after=max(0, last - _CHOOSERS)), catalog, unknown="skip")
    return chosen(catalog, newest, config, threads) if len(newest) else Choice()
