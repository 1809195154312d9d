"""The tools in front of a ranking: what they are called, what is read of them, and how the lists of servers become a catalogue."""

import logging
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import InputError
from ..importers.names import Names, id_of
from ..serving import Ranker
from .facts import Facts, digest_of

_log = logging.getLogger("shgat")
READ, REPEATED = 1000, 3  # characters of a description that are read, and times that a word counts
LONGEST_NAME = 64  # characters of a tool's name that every model takes
Definition = dict[str, Any]
_ODD = re.compile(r"[^A-Za-z0-9_-]")


@dataclass(frozen=True, eq=False)
class Tool:
    """One tool of one server.

    Attributes
    ----------
    id : `server/name`, what clients see
    key : what the ranking calls it: another one after its description changed
    name, definition : as its server has them
    changed : when its description changed last, None where it did not or somebody accepted it
    """

    id: str
    key: str
    server: str
    name: str
    definition: Definition
    changed: float | None = None

    @property
    def open_name(self) -> str:
        """What it is called in a list of tools: letters, digits, _ and - alone, 64 at most."""
        return _ODD.sub("_", f"{self.server}__{self.name}")[:LONGEST_NAME]


class Tools:
    """What the servers list now. Changed in one thread, read in any.

    Parameters
    ----------
    ranker : whose catalogue follows
    """

    def __init__(self, ranker: Ranker, facts: Facts) -> None:
        self.ranker, self.facts = ranker, facts
        self._of: dict[str, dict[str, Tool]] = {}  # server -> its tools by id
        self._listed: dict[str, Mapping[str, str]] = {}  # server -> digests by id
        self._known = {t.id: (t.server, t.text) for t in ranker.catalog.tools}
        self._index()

    def __iter__(self) -> Iterator[Tool]:
        return iter(self._by_id.values())

    def __len__(self) -> int:
        return len(self._by_id)

    def take(self, server: str, definitions: Iterable[Definition], configured: Iterable[str]) -> bool:
        """A server's list in place of its former one; did anything change?

        A tool that is there under another name, with the same description, keeps what was learned of it. One whose description changed
        begins anew under another key, and is flagged.

        Parameters
        ----------
        configured : names of all servers, so that tools of one that was renamed are found again
        """
        mine: dict[str, Definition] = {}
        for definition in definitions:
            mine.setdefault(id_of((server, definition["name"]), False), definition)
        digests = {tool: digest_of(definition) for tool, definition in mine.items()}
        if self._listed.get(server) == digests:
            return False
        renamed = self._renamed(server, digests, frozenset(configured))
        before = {old: _key_of(self.facts.to_dict()["tools"][old]) for old in renamed}
        self.facts.move(renamed)
        keys = self.facts.keys(digests)
        for old, new in renamed.items():
            self._rename(before[old], keys[new])
        ids = {definition["name"]: keys[tool] for tool, definition in mine.items()}
        change = self.ranker.sync({"tools": [read(d) for d in mine.values()]}, server, ids)
        for fault in change.left_out:
            _log.warning("%s", fault)
        there = self.ranker.catalog.tool_column
        self._of[server] = {
            tool: Tool(tool, keys[tool], server, d["name"], d, self.facts.changed(tool))
            for tool, d in mine.items()
            if keys[tool] in there
        }
        self._listed[server] = digests
        self._index()
        return True

    def drop(self, server: str) -> None:
        """A server is in the configuration no more. Its tools stay in the catalogue, with what was learned, should it come back."""
        self._of.pop(server, None)
        self._listed.pop(server, None)
        self._index()

    def find(self, called: str) -> tuple[Tool | None, list[str]]:
        """(the tool that a client means, or None; what it may have meant)."""
        found = self._by_id.get(called) or self._by_open_name.get(called) or self._by_key.get(called)
        if found is not None:
            return found, []
        key, n = self._names.find(called)
        if key is not None:
            return self._by_id.get(id_of(key, False)), []
        alike = [t.id for t in self._by_id.values() if t.name == called] if n else self._near(called)
        return None, alike[:5]

    def of_key(self, key: str) -> Tool | None:
        """The tool that the ranking calls so."""
        return self._by_key.get(key)

    def _near(self, called: str) -> list[str]:
        wanted = set(re.findall(r"[a-z0-9]+", called.lower()))
        shared = Counter({t: len(wanted & set(re.findall(r"[a-z0-9]+", t.lower()))) for t in self._by_id})
        return [t for t, n in shared.most_common(5) if n]

    def _renamed(self, server: str, digests: Mapping[str, str], configured: frozenset[str]) -> dict[str, str]:
        """Old id -> new id, where one tool that is gone and one that is new say the same of themselves.

        Gone are tools of this server that it does not list any more, and, where a server was renamed, those of one that is in no
        configuration, with the same name.
        """
        known = self.facts.to_dict()["tools"]
        there = self.ranker.catalog.tool_column
        old: dict[str, list[str]] = {}
        for tool, fact in known.items():
            home, _, name = tool.partition("/")
            elsewhere = home not in configured and id_of((server, name), False) in digests
            if tool not in digests and fact.get("digest") and (home == server or elsewhere) and _key_of(fact) in there:
                old.setdefault(fact["digest"] + ("/" + name if elsewhere else ""), []).append(tool)
        new: dict[str, list[str]] = {}
        for tool, digest in digests.items():
            if tool not in known:
                for form in (digest, f"{digest}/{tool.partition('/')[2]}"):
                    new.setdefault(form, []).append(tool)
        return {old[d][0]: new[d][0] for d in old if len(old[d]) == 1 and len(new.get(d, ())) == 1}

    def _rename(self, old: str, new: str) -> None:
        try:
            self.ranker.rename(old, new)
        except InputError as error:  # another gateway of the store was faster, or the catalogue does not have it
            _log.info("%s is not renamed: %s", old, error)

    def _index(self) -> None:
        found = {i: t for tools in self._of.values() for i, t in tools.items()}
        self._by_key = {t.key: t for t in found.values()}
        self._by_open_name = {t.open_name: t for t in found.values()}
        self._names = Names((t.server, t.name) for t in found.values())
        self._by_id = found


def _key_of(fact: Mapping[str, Any]) -> str:
    return str(fact["keys"].get(fact["digest"], ""))


def read(definition: Definition) -> Definition:
    """What the ranking reads of a definition: the first 1000 characters of its description, and no word more than three times.

    Whoever writes a description would otherwise decide by its length how many questions it matches.
    """
    said = definition.get("description")
    if not isinstance(said, str):
        return definition
    counts: Counter[str] = Counter()
    kept = []
    for word in said[:READ].split():
        counts[word.lower()] += 1
        if counts[word.lower()] <= REPEATED:
            kept.append(word)
    return {**definition, "description": " ".join(kept)}
