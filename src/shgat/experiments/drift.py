"""How often the tests of drift are wrong where nothing drifted, and right where something did, on the intents of a data set."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from .._types import Bool, Float32
from ..drift import DriftConfig, Reference, Report, Window, compared
from ..drift.kept import best_cosine
from ..errors import InputError
from .dataset import Dataset

_SHARE = 0.6  # of the executions that the reference is made of
_SUCCESS = 0.9
_TOPIC = 0.2  # of the intents are of the new topic
_LEAST = 120  # executions of a data set

Change = Callable[[Window, float, Window, np.random.Generator], Window]


@dataclass(frozen=True, eq=False)
class Pool:
    """Executions that references and windows are drawn from.

    Attributes
    ----------
    window : all of them; each worked with a probability of 0.9
    """

    window: Window

    @classmethod
    def of(cls, dataset: Dataset) -> "Pool":
        """All traces of a data set; InputError for fewer than 120."""
        n = len(dataset.train) + len(dataset.test)
        if n < _LEAST:
            raise InputError(f"{dataset.name} has {n} traces, at least {_LEAST} are needed")
        ids = [tool.id for tool in dataset.catalog.tools]
        parts = [(t.vectors(np.arange(len(t))), t.tools) for t in (dataset.train, dataset.test)]
        intents: Float32 = np.concatenate([x for x, _ in parts])
        chosen = tuple(
            tuple(ids[i] for i in rows.indices[a:b])
            for _, rows in parts
            for a, b in zip(rows.indptr, rows.indptr[1:], strict=False)
        )
        worked = np.random.default_rng(0).random(n) < _SUCCESS
        return cls(Window(intents, best_cosine(intents, dataset.catalog), chosen, worked))

    def split(self, rng: np.random.Generator) -> tuple[Window, Window]:
        """(for a reference, a window): another random split each time, so that nothing drifted."""
        order = rng.permutation(len(self.window))
        cut = int(_SHARE * len(order))
        return self.window.take(order[:cut]), self.window.take(order[cut:])

    def parted(self, rng: np.random.Generator) -> tuple[Window, Window, Window]:
        """(for a reference, a window, executions of a topic that neither has): the fifth that is nearest to one intent."""
        x = self.window.intents - self.window.intents.mean(axis=0)
        x /= np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12)
        order = np.argsort(-(x @ x[rng.integers(len(x))]), kind="stable")
        cut = int(_TOPIC * len(order))
        topic, rest = self.window.take(order[:cut]), Pool(self.window.take(order[cut:]))
        return (*rest.split(rng), topic)


def undrifted(pool: Pool, n: int, config: DriftConfig, rng: np.random.Generator) -> Iterator[Report]:
    """Reports on n windows that did not drift."""
    for _ in range(n):
        then, now = pool.split(rng)
        yield compared(Reference.of(then, rng), now, rng, config)


def powers(
    pool: Pool, kind: str, n: int, config: DriftConfig, rng: np.random.Generator
) -> Iterator[tuple[float, Mapping[str, float]]]:
    """(size of the drift, test -> share of n windows in which it says drift, "any" first), for each size of a kind of `KINDS`."""
    sizes, change = KINDS[kind]
    for size in sizes:
        counts: dict[str, int] = {"any": 0}
        for _ in range(n):
            then, now, topic = pool.parted(rng)
            report = compared(Reference.of(then, rng), change(now, size, topic, rng), rng, config)
            counts["any"] += report.drifted
            for test in report.tests:
                if test.p is not None:
                    counts[test.name] = counts.get(test.name, 0) + (test.status == "drift")
        yield size, {name: count / n for name, count in counts.items()}


def _spread(x: Float32) -> float:
    """Root mean square distance from the mean."""
    return float(np.sqrt(((x - x.mean(axis=0)) ** 2).sum(axis=1).mean()))


def _shifted(window: Window, size: float, topic: Window, rng: np.random.Generator) -> Window:
    """By `size` times the spread, in a direction of the intents themselves."""
    x = window.intents
    to = x[rng.integers(len(x))] - x.mean(axis=0)
    return replace(window, intents=x + np.float32(size * _spread(x) / max(float(np.linalg.norm(to)), 1e-12)) * to)


def _rotated(window: Window, size: float, topic: Window, rng: np.random.Generator) -> Window:
    """By `size` degrees in each of d / 2 planes that are random."""
    x = window.intents
    d = x.shape[1] // 2 * 2
    basis = np.linalg.qr(rng.standard_normal((x.shape[1], x.shape[1])))[0]
    y = x @ basis
    c, s = np.cos(np.radians(size)), np.sin(np.radians(size))
    a, b = y[:, 0:d:2].copy(), y[:, 1:d:2].copy()
    y[:, 0:d:2], y[:, 1:d:2] = c * a - s * b, s * a + c * b
    return replace(window, intents=(y @ basis.T).astype(np.float32))


def _mixed(window: Window, size: float, topic: Window, rng: np.random.Generator) -> Window:
    """`size` per cent are executions of the topic."""
    new = np.flatnonzero(_drawn(len(window), size / 100.0, rng))
    other = topic.take(rng.integers(0, len(topic), new.size))
    intents, worked, tools = window.intents.copy(), window.worked.copy(), list(window.tools)
    intents[new], worked[new] = other.intents, other.worked
    scores = None if window.scores is None else window.scores.copy()
    if scores is not None and other.scores is not None:
        scores[new] = other.scores
    for i, several in zip(new.tolist(), other.tools, strict=True):
        tools[i] = several
    return replace(window, intents=intents, worked=worked, scores=scores, tools=tuple(tools))


def _lower(window: Window, size: float, topic: Window, rng: np.random.Generator) -> Window:
    """Scores by `size` standard deviations."""
    scores = window.scores
    return window if scores is None else replace(window, scores=scores - size * float(scores.std()))


def _failing(window: Window, size: float, topic: Window, rng: np.random.Generator) -> Window:
    """The tool that is used most works `size` per cent less often."""
    used = [tool for tools in window.tools for tool in set(tools)]
    worst = max(sorted(set(used)), key=used.count)
    hit = np.array([worst in tools for tools in window.tools]) & _drawn(len(window), size / 100.0, rng)
    return replace(window, worked=window.worked & ~hit)


def _drawn(n: int, share: float, rng: np.random.Generator) -> Bool:
    return np.asarray(rng.random(n) < share)


KINDS: dict[str, tuple[tuple[float, ...], Change]] = {
    "shift of the mean, spreads": ((0.0, 0.1, 0.2, 0.3, 0.5), _shifted),
    "rotation, degrees": ((0.0, 5.0, 10.0, 20.0, 40.0), _rotated),
    "new topic, %": ((0.0, 5.0, 10.0, 20.0, 35.0, 50.0), _mixed),
    "scores lower, sd": ((0.0, 0.25, 0.5, 0.75, 1.0), _lower),
    "a tool fails, % of its calls": ((0.0, 25.0, 50.0, 75.0, 100.0), _failing),
}
