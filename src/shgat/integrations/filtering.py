"""A list of tools cut to those that fit a conversation: for whoever calls a model with `tools=`."""

import logging
import threading
from collections import OrderedDict
from collections.abc import Collection, Sequence
from typing import TypeVar

from .. import _check, _fork
from .conversation import Messages, conversation_of, done_in, query_of
from .offered import name_of
from .searching import ToolSearch

_log = logging.getLogger("shgat")
_T = TypeVar("_T")
_SEEN = 20_000  # answered calls that are remembered, so that each is learned from once


def filter_tools(
    tools: Sequence[_T],
    messages: Messages,
    k: int = 10,
    *,
    by: ToolSearch,
    session: str | None = None,
    always: Collection[str] = (),
) -> list[_T]:
    """The tools that fit what the user wants; see `ToolFilter`, which also learns from the messages."""
    return ToolFilter(by, k, always=always, learn=False)(tools, messages, session)


class ToolFilter:
    """Keeps of a list of tools those that fit: the same objects, in their order. Where ranking fails, all of them.

    What has no definition of its own (a vendor's tools) stays, what the conversation has called already too, and what it was offered before.

    Parameters
    ----------
    search : of the tools
    k : tools that fit
    always : names that stay
    stable : what a conversation was offered before stays, so that its list only grows
    learn : tell the ranking what became of calls, as later messages of the conversation show it
    """

    def __init__(
        self, search: ToolSearch, k: int = 10, *, always: Collection[str] = (), stable: bool = True, learn: bool = True
    ) -> None:
        self.search, self.k = search, _check.positive_integer(k, "k")
        self._always, self._stable, self._learn = frozenset(always), stable, learn
        self._seen: OrderedDict[tuple[str, str], None] = OrderedDict()
        self.after_fork()
        _fork.renew(self)

    def after_fork(self) -> None:
        """A thread of the parent may have held the lock."""
        self._lock = threading.Lock()

    def __call__(
        self, tools: Sequence[_T], messages: Messages, session: str | None = None, *, always: Collection[str] = ()
    ) -> list[_T]:
        """The tools that fit.

        Parameters
        ----------
        tools : definitions, as the model is given them
        messages : of the conversation; the latest text of the user is what is wanted
        session : its id; None: a hash of what the user said first
        always : names that stay this time
        """
        try:
            messages = messages if isinstance(messages, str) else list(messages)
            session = conversation_of(messages) if session is None else session
            done = done_in(messages)
            if self._learn:
                self.observe(messages, session)
            named = {name for t in tools if (name := name_of(t))}
            query = query_of(messages)
            if len(named) <= self.k or not query:
                return list(tools)
            used = list(dict.fromkeys(d.name for d in done if d.worked))
            found = self.search.search(query, tools, k=self.k, session=session, context=used, explicit=False, stable=self._stable)
            if found.unranked or not found.names:
                return list(tools)
            kept = {*found.names, *self._always, *always, *(d.name for d in done)}
            return [t for t in tools if not (name := name_of(t)) or name in kept]
        except Exception as error:  # whatever it is: the agent needs its tools
            _log.warning("tools are not filtered: %s: %s", type(error).__name__, error)
            return list(tools)

    def observe(self, messages: Messages, session: str | None = None) -> int:
        """Tells the ranking what became of the calls that the messages show, each once; of how many something was learned."""
        messages = messages if isinstance(messages, str) else list(messages)
        session = conversation_of(messages) if session is None else session
        learned = 0
        for name, call_id, worked in done_in(messages):
            with self._lock:
                if (session, call_id) in self._seen:
                    continue
                self._seen[session, call_id] = None
                while len(self._seen) > _SEEN:
                    self._seen.popitem(last=False)
            learned += self.search.called(name, worked, session=session)
        return learned
