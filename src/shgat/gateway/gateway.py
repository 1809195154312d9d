"""The gateway: servers behind it, a ranking of their tools, and what clients may ask of it."""

import logging
import math
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import anyio
import anyio.lowlevel
import anyio.to_thread

from ..errors import InputError, ShgatError
from ..graph import Catalog
from ..model.intents import unit
from ..serving import Ranker
from ..store import Store
from ..traces.record import SUCCESS
from .blinding import blinding
from .calling import Feedback
from .facts import Facts
from .fleet import Fleet
from .searching import Offer, Searching
from .sessions import Session, Sessions
from .settings import Configured, Settings, configured
from .tools import Tool, Tools
from .upstream import Reply

_log = logging.getLogger("shgat")
TOGETHER = 0.05  # seconds in which lists that come in are taken as one
SETTLED_WITHIN, QUIET = 10.0, 1.0  # seconds that the first search waits for servers, and for the next one after one that is ready
TAKEN_WITHIN = 2.0  # seconds that a call of an unknown tool waits for lists that are being taken over
IDLE, AT_LEAST = 0.03, 0.5  # seconds without a call after which outcomes are learned from, and how long they wait for that
DRAIN = 5.0  # seconds that calls under way have at the end
LEARNED_FROM = 5000  # traces that are read at the start


class Gateway:
    """Opened by `Gateway.open`, run by `run`.

    Attributes
    ----------
    settings : what it was told
    fleet : its servers
    tools : theirs
    list_changed : is told when the list of tools that clients see may have changed
    """

    def __init__(self, settings: Settings, servers: Configured, ranker: Ranker, facts: Facts) -> None:
        self.settings, self.ranker, self.facts = settings, ranker, facts
        self.tools, self.sessions = Tools(ranker, facts), Sessions()
        self.searching = Searching(self.tools, settings.limit if settings.mode == "search" else 5)
        self._feedback = Feedback(ranker, self.searching.worked, facts, settings.keep_sizes)
        self.fleet = Fleet(settings, servers, self._heard)
        self.list_changed: Callable[[], Any] = lambda: None
        self._waiting, self._changed = set[str](), anyio.Event()
        self._taking = False
        self._settled, self._under_way = anyio.Event(), 0
        self._group: Any = None
        self._outcomes: list[tuple[Any, ...]] = []  # of calls, that nothing was learned from yet
        self._called, self._latest, self._news = anyio.Event(), 0.0, math.inf  # no news yet

    @classmethod
    def open(cls, settings: Settings) -> "Gateway":
        """Reads the configuration and opens the ranking; no server is started yet.

        Raises
        ------
        InputError
            for a configuration that cannot be read, or none of whose servers can be started.
        """
        servers = configured(settings.config, settings.starts_within)
        for name, why in servers.refused.items():
            _log.warning("server %s: %s", name, why)
        if not servers.servers:
            name, why = next(iter(servers.refused.items()))
            raise InputError(f"no server of {settings.config} can be started; {name}: {why}")
        catalog, seen = _last(settings)
        ranker = Ranker.open(settings.store, catalog, user_id=settings.user, encoder=settings.encoder)
        facts = Facts.beside(settings.store)
        ranker.blind = None if settings.keep_texts else blinding(facts.secret())
        gateway = cls(settings, servers, ranker, facts)
        for outcome in seen:
            gateway.searching.worked.add(*outcome)
        return gateway

    async def run(self, *, task_status: Any = anyio.TASK_STATUS_IGNORED) -> None:
        """Starts all servers at once and keeps them running until it is cancelled; then ends them, each with its children."""
        async with anyio.create_task_group() as group:
            self._group = group
            group.start_soon(self.fleet.run)
            group.start_soon(self._follow)
            group.start_soon(self._learn_when_idle)
            task_status.started()

    async def drain(self) -> None:
        """Waits for calls that are under way, five seconds at most."""
        with anyio.move_on_after(DRAIN):
            while self._under_way:
                await anyio.sleep(0.02)
        await self.learn()

    def close(self) -> None:
        """Writes what waits for the store, and how servers were."""
        self.facts.keep_servers(self.fleet.states())
        self.ranker.close()

    # ---------------------------------------------------------------- what clients ask
    async def search(self, session: Session, query: str, context: Sequence[str] = (), limit: int = 0) -> Offer:
        """The tools for a query."""
        await self.settled()
        await self.learn()
        used = [*(tool.key for name in context if (tool := self.tools.find(name)[0]) is not None), *session.used]
        offer = await anyio.to_thread.run_sync(self.searching.search, query, used, self.fleet.ready, session, limit)
        return offer.noted(session, self.fleet.starting)

    async def suggest(self, session: Session, limit: int = 0) -> Offer:
        """What to use next."""
        await self.settled()
        await self.learn()
        offer = await anyio.to_thread.run_sync(self.searching.suggest, list(session.used), self.fleet.ready, session, limit)
        if offer.search.decision:
            session.searches.append(offer.search)
        return offer

    async def call(self, session: Session, tool: Tool, arguments: dict[str, Any] | None, search_id: str = "") -> Reply:
        """Calls a tool, and learns from what came of it once the answer is out."""
        self._under_way += 1
        try:
            search = session.searches.following(tool.key, search_id)
            if search is None and search_id and (found := self.sessions.find(search_id)) is not None:
                search = found[1]
            upstream = self.fleet.upstreams.get(tool.server)
            if upstream is None:
                return Reply(None, "gone", f"the server {tool.server} is in the configuration no more", 0.0)
            reply = await upstream.call(tool.name, arguments)
            self._outcomes.append((session, search, tool, reply, arguments))
            self._latest = anyio.current_time()
            self._called.set()
            return reply
        finally:
            self._under_way -= 1

    async def settled(self) -> None:
        """The first time: waits until every server has listed its tools or failed to.

        Where some have and for a second no other one has, it waits no longer, and never longer than ten seconds.
        """
        if not self._settled.is_set():
            with anyio.move_on_after(SETTLED_WITHIN):
                while not self._settled.is_set():
                    with anyio.move_on_after(0.05):
                        await self._settled.wait()
                    if not self._taking and len(self.tools) and anyio.current_time() - self._news > QUIET:
                        break
            self._settled.set()

    async def find(self, called: str) -> tuple[Tool | None, list[str]]:
        """(the tool that a client means, or None; what it may have meant), once what servers have said was taken over."""
        found = self.tools.find(called)
        if found[0] is None:
            await self.settled()
            with anyio.move_on_after(TAKEN_WITHIN):
                while self._waiting or self._taking:
                    await anyio.sleep(TOGETHER)
            found = self.tools.find(called)
        return found

    def pinned(self) -> list[Tool]:
        """The tools in the open, as far as they are there, in the order in which they were named."""
        found = [self.tools.find(pin)[0] for pin in self.settings.pins]
        return [t for t in dict.fromkeys(found) if t is not None]

    def ranked(self, session: Session, intent: str = "") -> list[Tool]:
        """In the mode "filter": the tools that a session sees. What it saw stays where it stood; what is new follows."""
        ready, limit = frozenset(self.fleet.ready), self.settings.limit
        if intent:
            answer = self.ranker.rank(
                None, limit, text=intent, servers=ready, session=session.id, order="stable", principal=session.principal
            )
            wanted = [t.id for key in answer.ids if (t := self.tools.of_key(key)) is not None]
        else:
            wanted = [t.id for t in self._by_use(session.principal) if t.server in ready][:limit]
        there = {t.id: t for t in self.tools if t.server in ready}
        kept = [i for i in session.listed if i in there]
        session.listed = list(dict.fromkeys((*kept, *wanted) if intent else (*kept, *wanted[: max(0, limit - len(kept))])))
        return [there[i] for i in session.listed if i in there]

    def _by_use(self, principal: str) -> list[Tool]:
        """All tools, those first that worked most often, else as the servers list them."""
        return sorted(self.tools, key=lambda t: -self.searching.worked.times(t.key, principal))

    # ---------------------------------------------------------------- what servers say
    def _heard(self, name: str) -> None:
        upstream = self.fleet.upstreams.get(name)
        if upstream is not None and upstream.error and upstream.state != "starting":
            _log.log(logging.ERROR if upstream.state == "without tools" else logging.WARNING, "server %s: %s", name, upstream.error)
        self._waiting.add(name)
        self._changed.set()

    async def _follow(self) -> None:
        """Takes over what servers list, one list at a time."""
        shown = self._shown()
        while True:
            await self._changed.wait()
            await anyio.sleep(TOGETHER)
            self._changed = anyio.Event()
            names, self._waiting = self._waiting, set()
            self._taking = True
            for name in sorted(names):
                await self._take(name)
            self._taking = False
            await anyio.to_thread.run_sync(self.facts.keep_servers, self.fleet.states())
            self._news = anyio.current_time()
            before, shown = shown, self._shown()
            if shown != before:
                self.list_changed()
            if not self.fleet.starting and not self._waiting:
                self._settled.set()

    async def _take(self, name: str) -> None:
        upstream = self.fleet.upstreams.get(name)
        if upstream is None:
            self.tools.drop(name)
        elif upstream.state == "ready":
            try:
                await anyio.to_thread.run_sync(self.tools.take, name, list(upstream.tools), self.fleet.names)
            except ShgatError as error:
                _log.warning("server %s: its list is not taken: %s", name, error)

    def _shown(self) -> Counter[tuple[str, str]]:
        """What clients see of the list, as far as it may change."""
        shown = self.pinned() if self.settings.mode == "search" else [t for t in self.tools if t.server in self.fleet.ready]
        return Counter((t.id, t.key) for t in shown)

    async def _learn_when_idle(self) -> None:
        """After calls, not between them: a call does not wait for what the one before it teaches."""
        while True:
            await self._called.wait()
            self._called = anyio.Event()
            first = anyio.current_time()
            while (now := anyio.current_time()) < min(self._latest + IDLE, first + AT_LEAST):
                await anyio.sleep(min(self._latest + IDLE, first + AT_LEAST) - now)
            await self.learn()

    async def learn(self) -> None:
        """From the outcomes that wait; the next answer knows them, the disk is not waited for."""
        outcomes, self._outcomes = self._outcomes, []
        for outcome in outcomes:
            self._group.start_soon(self._told, *outcome)
        if outcomes:
            await anyio.lowlevel.checkpoint()

    async def _told(self, *outcome: Any) -> None:
        with anyio.CancelScope(shield=True):
            await self._feedback.tell(*outcome)


def _last(settings: Settings) -> tuple[Catalog, list[tuple[Any, str, str, bool, str]]]:
    """The catalogue that the store had last, and (query, tool before, tool, did it work, whose) of what was run, oldest first."""
    try:
        with Store.open(settings.store) as store:
            tools, capabilities = store.catalog()
            encoder = store.encoder()
            traces = [t for t in store.traces_since(0.0, LEARNED_FROM, settings.user) if t.tools]
    except ShgatError:
        return Catalog.from_records([], []), []
    catalog = Catalog.from_records(tools, capabilities, encoder=encoder, strict=False)
    seen = [
        (unit(t.embedding), t.context_tools[-1] if t.context_tools else "", t.tools[-1], t.outcome >= SUCCESS, t.principal)
        for t in traces
    ]
    return catalog, seen
