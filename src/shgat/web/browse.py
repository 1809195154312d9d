"""Looking at a catalogue, a page at a time: its tools, its capabilities, and what is next to one of them."""

from collections.abc import Sequence
from typing import Any

from ..graph import Capability, Catalog, Tool
from .problems import Problem

MOST = 500  # items of a page, and neighbours on each side


def tools(catalog: Catalog, offset: int, limit: int, query: str = "", server: str = "") -> dict[str, Any]:
    """A page of tools whose id or text has the query in it, of one server where that is given."""
    found = [t for t in catalog.tools if (not server or t.server == server) and _has(t, query)]
    return _page([_tool(t) for t in found[offset : offset + limit]], len(found), offset)


def capabilities(catalog: Catalog, offset: int, limit: int, query: str = "") -> dict[str, Any]:
    """A page of capabilities whose id or text has the query in it."""
    found = [(i, c) for i, c in enumerate(catalog.capabilities) if _has(c, query)]
    levels = catalog.hierarchy.level_of
    items = [
        {
            "id": c.id, "text": c.text, "level": int(levels[i]), "tools": list(c.tools), "capabilities": list(c.capabilities),
            "success_rate": c.success_rate, "uses": c.uses,
        }
        for i, c in found[offset : offset + limit]
    ]  # fmt: skip
    return _page(items, len(found), offset)


def neighbours(catalog: Catalog, focus: str = "") -> dict[str, Any]:
    """What contains an item and what it contains; without one, the capabilities that nothing contains.

    Raises
    ------
    Problem
        not-found, where the catalogue has no such item.
    """
    hierarchy = catalog.hierarchy
    parents_of = hierarchy.capabilities_of.transpose(hierarchy.n_capabilities)
    column, place = catalog.tool_column.get(focus), catalog.capability_column.get(focus)
    if not focus:
        roots = [i for i in range(hierarchy.n_capabilities) if not len(parents_of.row(i))]
        roots.sort(key=lambda i: -int(hierarchy.level_of[i]))
        return {"focus": None, "parents": [], "members": [_node(catalog.capabilities[i], hierarchy.level_of[i]) for i in roots[:MOST]],
                "more": max(0, len(roots) - MOST)}  # fmt: skip
    if place is not None:
        me, above = catalog.capabilities[place], parents_of.row(place).tolist()
        inside = [(catalog.capabilities[i], hierarchy.level_of[i]) for i in hierarchy.capabilities_of.row(place).tolist()]
        members = [_node(c, level) for c, level in inside] + [
            _node(catalog.tools[i]) for i in hierarchy.tools_of.row(place).tolist()
        ]
        said = _node(me, hierarchy.level_of[place])
    elif column is not None:
        said, members, above = _node(catalog.tools[column]), [], hierarchy.containing.row(column).tolist()
    else:
        raise Problem("not-found", f"the catalogue has nothing called {focus!r:.100}")
    parents = [_node(catalog.capabilities[i], hierarchy.level_of[i]) for i in above]
    more = max(0, len(parents) - MOST) + max(0, len(members) - MOST)
    return {"focus": said, "parents": parents[:MOST], "members": members[:MOST], "more": more}


def _has(node: Tool | Capability, query: str) -> bool:
    return not query or query.lower() in node.id.lower() or query.lower() in node.text.lower()


def _tool(tool: Tool) -> dict[str, Any]:
    return {"id": tool.id, "text": tool.text, "server": tool.server}


def _node(node: Tool | Capability, level: Any = 0) -> dict[str, Any]:
    if isinstance(node, Tool):
        return {"kind": "tool", **_tool(node)}
    return {
        "kind": "capability", "id": node.id, "text": node.text, "level": int(level), "success_rate": node.success_rate, "uses": node.uses,
        "size": len(node.tools) + len(node.capabilities),
    }  # fmt: skip


def _page(items: Sequence[dict[str, Any]], total: int, offset: int) -> dict[str, Any]:
    end = offset + len(items)
    return {"items": list(items), "total": total, "next_offset": end if end < total else None}
