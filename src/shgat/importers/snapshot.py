"""A `tools/list` snapshot beside a catalogue that is there: ids that are known stay, what the snapshot does not have any more goes."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from .. import _check
from ..errors import InputError
from ..graph import Capability, Catalog, Tool
from .definitions import plain
from .findings import Findings, Key, Note
from .joining import Joining
from .kinds import READERS
from .known import Known, Source
from .texts import clean

_SOURCE = "the snapshot"
_OF_SERVERS = ("server:", "tag:", "category:")  # capabilities that are made of what definitions say


class Snapshot(NamedTuple):
    """Records of the catalogue as it is to be, without embeddings, and remarks on what was changed or left out."""

    tools: Sequence[Tool]
    capabilities: Sequence[Capability]
    notes: Sequence[Note]


def beside(catalog: Catalog, listing: Any, server: str = "", ids: Mapping[str, str] = MappingProxyType({})) -> Snapshot:
    """The catalogue with a snapshot in place of what it had of it.

    Parameters
    ----------
    listing : a `tools/list` result, pages of it, a list of definitions, or what SDKs return; as `read` takes them
    server : whose tools it lists; "": those of the whole catalogue
    ids : of the server's tools, by name, where they should not be made of server and name

    Raises
    ------
    InputError
        where it holds no tool that can be read: whoever cannot list tools has none to take away.
    """
    if server:
        _check.storable_text(server, "server")
    found = Findings(_SOURCE, "mcp", clean(server))
    READERS["mcp"](plain(listing), found)
    if not found.tools:
        why = f": {found.notes[0]}" if found.notes else ""
        raise InputError(f"the snapshot holds no tool, so nothing is changed{why}; take tools away by `remove`")
    names = {key: name for name, key in ids.items()}
    mine = {t.id: _key(t, names, ids, found.server) for t in catalog.tools}
    if server:
        mine = {key: (home, name) for key, (home, name) in mine.items() if home == found.server}
    groups = tuple(c.id for c in catalog.capabilities if c.id.startswith(_OF_SERVERS) and mine.keys() >= set(c.tools))
    known = Known(catalog.tools, catalog.capabilities, (), {_SOURCE: Source("mcp", mine, groups)})
    joining = Joining(known, wanted={(found.server, name): key for name, key in ids.items()})
    joining.add(found)
    joined = joining.finish()
    return Snapshot(joined.tools, joined.capabilities, [*found.notes, *joined.notes])


def _key(tool: Tool, names: Mapping[str, str], ids: Mapping[str, str], server: str) -> Key:
    """(server, name) of a tool; one whose name has another id by now is called by its id, which no definition has."""
    if tool.id in names:
        return server or tool.server, names[tool.id]
    name = tool.id.removeprefix(f"{tool.server}/") if tool.server else tool.id
    return tool.server, f"{tool.id}~" if name in ids and tool.server == server else name
