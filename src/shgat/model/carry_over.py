"""What a model learned, moved to a catalogue that has changed."""

from dataclasses import replace

import numpy as np

from ..config import SHGATConfig
from ..errors import InputError
from ..graph import Catalog, Tool
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
            if name in moved and key in now and row < len(params[name]):
                moved[name][now[key]] = params[name][row]
    return moved


def over(state: ModelState, catalog: Catalog) -> ModelState:
    """The model over another catalogue: what was learned, and co-occurrence, follow the ids that are there.

    Raises
    ------
    InputError
        for a catalogue of another dimension.
    """
    before, d = state.catalog, state.params.layout.d
    if before is catalog:
        return state
    if catalog.dimension != d:
        raise InputError(f"the catalogue's embeddings have {catalog.dimension} dimensions, the model's {d}")
    edges = state.cooccurrence
    if edges is not None and before.tool_column != catalog.tool_column:
        edges = edges.over([catalog.tool_column.get(t.id, -1) for t in before.tools], len(catalog.tools))
    return replace(state, catalog=catalog, params=carried_over(state.params, before, catalog, state.config), cooccurrence=edges)


def with_tool(state: ModelState, tool: Tool) -> ModelState:
    """The model with one more tool, in no capability; only what changes is computed.

    Raises
    ------
    InputError
        for a tool without an embedding that fits the others.
    """
    if tool.embedding is None:
        raise InputError(f"tool {tool.id!r} has no embedding")
    Catalog.from_records([tool], [])  # finite, not zero
    d = state.params.layout.d
    if tool.embedding.shape != (d,):
        raise InputError(f"the embedding of tool {tool.id!r} has shape {tool.embedding.shape}, expected ({d},)")
    catalog, params, edges = state.catalog.with_isolated_tool(tool), state.params, state.cooccurrence
    if state.config.node_offsets:
        params = carried_over(params, state.catalog, catalog, state.config)
    return replace(state, catalog=catalog, params=params, cooccurrence=None if edges is None else edges.resized(len(catalog.tools)))
