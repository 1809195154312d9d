"""All that was found to hurt, at random and at once, for a bounded time: answers go on, nothing durable is lost, nothing stays behind."""

import fcntl
import os
import random
import sqlite3
import time
import uuid
from contextlib import closing, suppress
from dataclasses import dataclass, field

import numpy as np
import pytest

from people import until
from processes import children, forked
from shgat import Catalog, ShgatError
from shgat.learning.receipt import Receipt
from shgat.learning.spool import MEMORY
from shgat.serving import Ranker
from worlds import SAMPLE

SECONDS = float(os.environ.get("SHGAT_CHAOS_SECONDS", "40"))
JUNK = [
    None,
    "",
    "mail",
    b"x",
    7,
    1.5,
    float("nan"),
    True,
    [],
    {},
    object(),
    uuid.UUID(int=3),
    "\ud800",
    "a\0b",
    "x" * 100_000,
    ["mail", 3],
]


@dataclass
class Chaos:
    """A ranker under attack, and what has to be true of it.

    Attributes
    ----------
    durable : ids of the decisions whose feedback was said to be durable
    """

    url: str
    folder: object
    catalog: Catalog
    people: list
    rng: random.Random
    ranker: Ranker
    durable: set = field(default_factory=set)
    answers: list = field(default_factory=list)

    def person(self):
        return self.rng.choice(self.people)

    def ask(self):
        x, text, tools = self.person()
        allowed = self.rng.choice([None, None, [*tools, "nobody"], []])
        order = self.rng.choice(["score", "stable"])
        answer = self.ranker.rank(
            x, 5, text=text, candidates=allowed, order=order, session=self.rng.choice("abc") if order == "stable" else None
        )
        assert set(answer.ids) <= set(self.catalog.tool_column if allowed is None else allowed)
        assert all(0.0 <= s <= 1.0 for s in answer.scores)
        if answer.decision_id:
            self.answers.append((answer.decision_id, tools))

    def tell(self):
        if self.answers:
            key, tools = self.answers.pop(self.rng.randrange(len(self.answers)))
            said = self.ranker.feedback(
                key, tools=tools, outcome=self.rng.choice([1.0, 1.0, 0.0, True, False, ValueError("broken")])
            )
            if said is Receipt.DURABLE:
                self.durable.add(key)

    def ask_for_nonsense(self):
        junk = [self.rng.choice(JUNK) for _ in range(5)]
        with suppress(ShgatError):
            answer = self.ranker.rank(junk[0], text=junk[1], context_tools=junk[2], candidates=junk[3], session=junk[4])
            assert all(isinstance(i, str) for i in answer.ids)

    def tell_nonsense(self):
        with suppress(ShgatError):
            self.ranker.feedback(self.rng.choice(JUNK), tools=self.rng.choice(JUNK), outcome=self.rng.choice(JUNK))

    def flood(self):
        tool = self.rng.choice(self.catalog.tools).id
        for _ in range(20):
            x, text, _ = self.person()
            key = self.ranker.rank(x, 5, text=text).decision_id
            if key and self.ranker.feedback(key, tools=[tool], outcome=1.0) is Receipt.DURABLE:
                self.durable.add(key)

    def lock(self):
        with (
            suppress(sqlite3.OperationalError),
            closing(sqlite3.connect(self.folder / "store.db", 0.1, isolation_level=None)) as other,
        ):
            other.execute("BEGIN IMMEDIATE")
            for _ in range(5):
                self.ask()
                self.tell()
            other.execute("ROLLBACK")

    def damage(self):
        with suppress(sqlite3.OperationalError), closing(sqlite3.connect(self.folder / "store.db", 0.5)) as other, other:
            other.execute("UPDATE traces SET embedding = x'000000ff' WHERE seq = (SELECT max(seq) FROM traces)")

    def train(self):
        with suppress(ShgatError):
            self.ranker.maybe_train()

    def kill_the_child(self):
        for pid in children():
            with suppress(ProcessLookupError):
                os.kill(pid, 9)

    def fork(self):
        def work():
            x, text, tools = self.people[0]
            answer = self.ranker.rank(x, 5, text=text)
            return len(answer) == 5 and self.ranker.feedback(answer.decision_id, tools=tools, outcome=1.0)

        assert forked(work)

    def open_again(self):
        self.ranker.close()
        self.ranker = Ranker.open(
            self.url, self.catalog, mode=self.rng.choice(["live", "off"]), debounce=0.05, seed=self.rng.randrange(9)
        )

    def look(self):
        stats = self.ranker.stats()
        assert stats["waiting_for_store"] >= 0
        assert isinstance(stats["trouble"], list)


def abandoned():
    """Folders of arrays on their way to a child that no process owns, other tests' processes included."""
    found = set()
    for folder in MEMORY.glob("shgat-ranker-*"):
        with suppress(OSError), (folder / ".lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            found.add(folder)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_chaos(tmp_path, people, seed):
    catalog, url, rng = Catalog.load(SAMPLE), f"sqlite:///{tmp_path / 'store.db'}", random.Random(seed)
    before = abandoned()
    chaos = Chaos(url, tmp_path, catalog, people[:200], rng, Ranker.open(url, catalog, mode="live", debounce=0.05))
    often = [chaos.ask] * 12 + [chaos.tell] * 10 + [chaos.ask_for_nonsense] * 4 + [chaos.tell_nonsense] * 3
    seldom = [chaos.flood, chaos.lock, chaos.damage, chaos.train, chaos.kill_the_child, chaos.fork, chaos.open_again, chaos.look]
    end, steps = time.monotonic() + SECONDS, 0
    while time.monotonic() < end:
        rng.choice([*often, *seldom] if steps % 5 == 0 else often)()
        steps += 1
    assert steps > 200
    until(lambda: chaos.ranker.stats()["waiting_for_store"] == 0, 120.0)
    x = people[0][0]
    assert len(chaos.ranker.rank(x, 5)) == 5
    assert np.isfinite(chaos.ranker.rank(x, 5).scores).all()
    chaos.ranker.close()
    with closing(sqlite3.connect(tmp_path / "store.db")) as read:
        stored = {key for (key,) in read.execute("SELECT decision_id FROM traces WHERE decision_id IS NOT NULL")}
    assert chaos.durable
    assert chaos.durable <= stored
    assert children() == []
    assert abandoned() <= before
