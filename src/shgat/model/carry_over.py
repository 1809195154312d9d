"""What a model learned, moved to a catalogue that has changed."""

from collections.abc import Container, Sequence
from dataclasses import replace

import numpy as np

from ..config import SHGATConfig
from ..errors import CatalogError
from ..graph import Catalog, Tool
from ..graph.faults import unusable
from .params import Layout, Params, initialize_level
from .state import ModelState


def carried_over(params: Params, before: Catalog, after: Catalog, config: SHGATConfig) -> Params:
    """The parameters for a changed catalogue: offsets follow their ids, levels that are new start closed."""
    old = params.layout
    n_levels = len(after.hierarchy.levels) if config.message_passing else 0
    sizes = (len(after.tools), len(after.capabilities)) if config.node_offsets else (0, 0)
    layout = Layout(old.d, old.n_heads, old.d_head, old.n_message_heads, max(n_levels, old.n_levels), old.attention, *sizes)
    if layout == old and not config.node_offsets:  # with offsets, rows may have changed places even where their number has not
        return params
    moved, rng = Params(layout), np.random.default_rng(old.n_levels)
    for name, view in params.items():
        if not name.endswith("_offsets"):
            moved[name][:] = view
    for k in range(old.n_levels, layout.n_levels):
        initialize_level(moved, k, rng)
    for name, was, now in (
        ("tool_offsets", before.tool_column, after.tool_column),
        ("capability_offsets", before.capability_column, after.capability_column),
    ):
        for key, row in was.items():
            if name in moved and name in params and key in now and row < len(params[name]):
                moved[name][now[key]] = params[name][row]
    return moved


def over(state: ModelState, catalog: Catalog) -> ModelState:
    """The model over another catalogue: what was learned, and co-occurrence, follow the ids that are there.

    Raises
    ------
    CatalogError
        for a catalogue of another dimension or another encoder.
    """
    before, d = state.catalog, state.catalog.dimension
    if before is catalog:
        return state
    catalog.check_encoder(before.encoder, "the model")
    if catalog.dimension != d:
        raise CatalogError(f"the catalogue's embeddings have {catalog.dimension} dimensions, the model's {d}")
    edges = state.cooccurrence
    if edges is not None and before.tool_column != catalog.tool_column:
        edges = edges.over([catalog.tool_column.get(t.id, -1) for t in before.tools], len(catalog.tools))
    params, learned = carried_over(state.params, before, catalog, state.config), state.learned
    if learned is not None and catalog.aliases:
        learned = learned.renamed(catalog.aliases)
    return replace(state, catalog=catalog, params=params, cooccurrence=edges, learned=learned)


def with_tools(state: ModelState, tools: Sequence[Tool]) -> ModelState:
    """The model with more tools, in no capability; only what changes is computed. `check_new` found nothing wrong with them."""
    catalog, params, edges = state.catalog.with_isolated_tools(tools), state.params, state.cooccurrence
    if state.config.node_offsets:
        params = carried_over(params, state.catalog, catalog, state.config)
    return replace(state, catalog=catalog, params=params, cooccurrence=None if edges is None else edges.resized(len(catalog.tools)))


def check_new(state: ModelState, tools: Sequence[Tool], known: Container[str] = ()) -> None:
    """CatalogError that names every tool that cannot be added: its id is taken, or it has no embedding that fits the others.

    Parameters
    ----------
    known : ids that are taken besides those of the catalogue
    """
    d, fitting = state.catalog.dimension, list[Tool]()
    faults = _taken(state.catalog, [t.id for t in tools], known)
    for tool in tools:
        if tool.embedding is None:
            faults.append(f"tool {tool.id!r} has no embedding")
        elif tool.embedding.shape != (d,):
            faults.append(f"the embedding of tool {tool.id!r} has shape {tool.embedding.shape}, expected ({d},)")
        else:
            fitting.append(tool)
    rows = np.array([t.embedding for t in fitting], np.float32).reshape(len(fitting), d)
    faults += [f"the embedding of tool {fitting[i].id!r} {trouble}" for i, trouble in unusable(rows)]
    if faults:
        raise CatalogError(faults)


def check_free(state: ModelState, ids: Sequence[str], known: Container[str] = ()) -> None:
    """CatalogError that names every id that is taken, by the catalogue or among `known`, or stands here twice."""
    if faults := _taken(state.catalog, ids, known):
        raise CatalogError(faults)


def _taken(catalog: Catalog, ids: Sequence[str], known: Container[str]) -> list[str]:
    faults, seen = list[str](), set[str]()
    for item in ids:
        if item in catalog.tool_column or item in catalog.capability_column or item in known or item in seen:
            faults.append(f"the id {item!r} is taken")
        seen.add(item)
    return faults
