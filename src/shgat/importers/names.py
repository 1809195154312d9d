"""Ids of tools: (server, name) as one readable word, and back from the names that logs have for them."""

import re
from collections.abc import Iterable, Mapping
from hashlib import blake2b

from .findings import Key

_FORMS = ("{0}/{1}", "{0}.{1}", "{0}_{1}", "{0}__{1}", "{0}-{1}", "{0}:{1}", "mcp__{0}__{1}", "mcp_{0}_{1}")
_ODD = re.compile(r"[^\w-]", re.ASCII)


def digest(*parts: str) -> str:
    """An id of 32 hexadecimal digits that the same parts always have."""
    return blake2b("\0".join(parts).encode("utf-8", "replace"), digest_size=16).hexdigest()


def id_of(key: Key, alone: bool) -> str:
    """`name` of a tool that has no server or whose server is `alone`, else `server/name`; a name that begins with "server." stays."""
    server, name = key
    return name if alone or not server or name.startswith(f"{server}.") else f"{server}/{name}"


def free(wanted: str, taken: Iterable[str] | Mapping[str, object]) -> str:
    """The id, or the first of id~2, id~3 and so on that nobody has."""
    found, n = wanted, 1
    while found in taken:
        n += 1
        found = f"{wanted}~{n}"
    return found


class Names:
    """Finds tools by what clients call them: by name, and by server and name as clients join them.

    Parameters
    ----------
    keys : (server, name) of each tool
    """

    def __init__(self, keys: Iterable[Key] = ()) -> None:
        self._forms: dict[str, dict[Key, None]] = {}
        for key in keys:
            self.add(key)

    def add(self, key: Key) -> None:
        """One more tool."""
        server, name = key
        forms = {name, *(form.format(server, name) for form in _FORMS if server)}
        for form in {*forms, *(_ODD.sub("_", form) for form in forms)}:
            self._forms.setdefault(form, {})[key] = None

    def find(self, called: str) -> tuple[Key | None, int]:
        """(the one tool that may be called so, or None; how many may be)."""
        found = self._forms.get(called) or self._forms.get(called.rpartition("functions.")[2]) or {}
        return (next(iter(found)) if len(found) == 1 else None), len(found)
