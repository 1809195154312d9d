"""A folder of data: a catalogue, traces to learn from (`train`) and traces to be judged by (`test`)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from .._types import Bool, Float32, Float64
from ..errors import InputError
from ..graph import Catalog, Incidence
from ..metrics.ranking import per_query
from ..traces import Traces, load_traces
from ..training.validation import unseen_tools
from .confidence import STRANGERS, Intents

FILES = ("tools.jsonl", "capabilities.jsonl", "train.jsonl", "test.jsonl")


@dataclass(frozen=True, eq=False)
class Dataset:
    """A catalogue with its two parts of traces.

    Attributes
    ----------
    name : of its folder
    catalog : with embeddings
    train, test : traces
    outside : name of another set -> intents that no tool of this one is meant for
    """

    name: str
    catalog: Catalog
    train: Traces
    test: Traces
    outside: Mapping[str, Intents] = field(default_factory=dict)

    @classmethod
    def load(cls, folder: str | Path) -> "Dataset":
        """Reads tools.jsonl, capabilities.jsonl, train.jsonl and test.jsonl with the .npy beside each."""
        folder = Path(folder)
        catalog = Catalog.load(folder)
        _ = catalog.dimension  # raises where there are no embeddings
        train, test = (load_traces(folder / name, catalog) for name in FILES[2:])
        return cls(folder.name, catalog, train, test)

    def with_traces(self, n: int) -> "Dataset":
        """The same with n training traces, drawn at random; the draw of a smaller number is part of that of a larger one."""
        drawn = np.random.default_rng(0).permutation(len(self.train))[:n]
        return replace(self, train=self.train.take(np.sort(drawn)))

    def among(self, others: Mapping[str, Intents]) -> "Dataset":
        """The same, with intents of other sets, see `strangers`; those of another dimension are left out."""
        found = {name: i for name, i in others.items() if name != self.name and i.x.shape[1] == self.catalog.dimension}
        return replace(self, outside=found)

    @cached_property
    def wanted(self) -> Incidence:
        return self.test.relevant

    @cached_property
    def cold(self) -> Bool:
        """(B,) test intents that need a tool without any training trace."""
        unseen = unseen_tools(self.train.tools, np.arange(len(self.train)), len(self.catalog.tools))
        return self.wanted.touching(unseen)

    @cached_property
    def intents(self) -> Float32:
        """(B, d) unit."""
        return _unit(self.test.vectors(np.arange(len(self.test))))

    @cached_property
    def texts(self) -> list[str]:
        return [str(text) for text in self.test.texts]

    @cached_property
    def tools(self) -> Float32:
        """(n_tools, d) unit."""
        rows = self.catalog.tool_embeddings
        assert rows is not None
        return _unit(rows)

    @cached_property
    def past(self) -> tuple[Float32, Incidence]:
        """Unit intents (N, d) of the training traces that succeeded, and what they ran."""
        good = np.flatnonzero(self.train.succeeded & (self.train.tools.degrees > 0))
        return _unit(self.train.vectors(good)), self.train.tools.take(good)

    def metrics(self, scores: Float32) -> dict[str, Float64]:
        """Of each test intent from scores (B, n_tools)."""
        return per_query(scores, self.wanted)


def strangers(places: Sequence[Path]) -> dict[str, Intents]:
    """Name of each set -> test intents of it, at most 500 evenly spaced ones."""
    found = {}
    for other in map(Dataset.load, places):
        rows = np.arange(len(other.test))[:: max(1, -(-len(other.test) // STRANGERS))]
        found[other.name] = Intents(other.intents[rows], [other.texts[i] for i in rows.tolist()])
    return found


def folders(data: Path, names: list[str] | None = None) -> list[Path]:
    """The sets in a folder: itself if it is one, else the subfolders that are; InputError where a named one is not there."""
    found = [data] if _is_set(data) else sorted(f for f in data.glob("*") if _is_set(f))
    if names:
        missing = sorted(set(names) - {f.name for f in found})
        if missing:
            raise InputError(f"{data} has no set {missing[0]!r}; there are: {', '.join(f.name for f in found) or 'none'}")
        found = [f for f in found if f.name in names]
    if not found:
        raise InputError(f"{data} has no folder with {', '.join(FILES)}")
    return found


def _is_set(folder: Path) -> bool:
    return all((folder / name).is_file() for name in FILES)


def _unit(rows: npt.NDArray[np.floating]) -> Float32:
    rows = np.asarray(rows, np.float32)
    return np.ascontiguousarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12), np.float32)
