"""The way into production: through the gate, on traces that neither version has learned from."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from .. import _check
from .._json import none_for_not_finite
from ..errors import InputError, ModelFileError, RefusedError, StoreError
from ..experiments.measurement import Measurement, measure, measure_cosine, unseen_tools
from ..graph import Catalog
from ..metrics.gate import Comparison, Verdict, compare, decide, kept
from ..shgat import SHGAT
from ..store import Move
from ..traces import Traces
from .contract import Registry, Version
from .versions import Versions

LEAST = 20  # held-out intents, below which nothing can be told
MOST = 5000  # of the store's traces, the latest


@dataclass(frozen=True)
class Judgement:
    """What the gate says of a version.

    Attributes
    ----------
    verdict : does it pass, and why
    comparisons : with frozen cosine, and with what is in production where there is something intact
    intents : held-out ones that it was measured on
    """

    verdict: Verdict
    comparisons: tuple[Comparison, ...]
    intents: int

    def figures(self) -> dict[str, Any]:
        """As JSON values, for the log."""
        compared = [none_for_not_finite(asdict(c)) for c in self.comparisons]
        return {**asdict(self.verdict), "intents": self.intents, "comparisons": compared}


def judge(candidate: SHGAT, production: SHGAT | None, traces: Traces, seed: int = 0) -> Judgement:
    """Is a model better than frozen cosine, and worse than neither cosine nor production on all intents, on those with known tools, on those
    with new ones?

    "Better" and "worse" mean that the whole 98 % interval of the mean difference says so; see `shgat.metrics.gate`. A model that has learned
    nothing ranks as cosine does, and need not be better: what was learned from noise may be as good as cosine on what is held out.

    Parameters
    ----------
    traces : of the catalogue of both; what either has learned from is left out
    seed : of resampling
    """
    rows = np.array([i for i in _unlearned(traces, candidate, production) if traces.relevant.degrees[i]], np.int64)
    if len(rows) < LEAST:
        return Judgement(Verdict(False, f"{len(rows)} held-out intents, at least {LEAST} are needed"), (), len(rows))
    held = traces.take(rows)
    ours, unseen = measure(candidate, held), unseen_tools(candidate)
    rivals = {"cosine": measure_cosine(candidate.catalog, held, unseen=unseen)}
    if production is not None:
        rivals["production"] = measure(production, held, unseen=unseen)
    rng = np.random.default_rng(seed)
    found = tuple(c for name, theirs in rivals.items() for c in _compared(name, ours, theirs, rng))
    cosine, present = ([c for c in found if c.against == name] for name in ("cosine", "production"))
    verdict = kept(cosine, one_of_many=False) if candidate.learned is None else decide(cosine, ("cosine",))
    if verdict.passed and present:
        verdict = kept(present, one_of_many=False)
    return Judgement(verdict, found, len(rows))


def promote(
    registry: Registry,
    number: int,
    catalog: Catalog,
    traces: Traces | None = None,
    *,
    who: str,
    why: str = "",
    force: bool = False,
    seed: int = 0,
) -> Move:
    """Puts a version into production, if it is better than frozen cosine and not worse than what is there; see `judge`.

    Parameters
    ----------
    catalog : that it is to serve
    traces : held-out ones of that catalogue; None: the user's traces in the store that are younger than both versions
    force : pass over a gate that says no; `why` has to say why
    seed : of resampling

    Raises
    ------
    RefusedError
        the gate says no; the message has its figures.
    ConflictError
        something else came into production while this was compared with what was there.
    StoreError, ModelFileError
        there is no such version, it is damaged, or it does not fit the catalogue.
    """
    if _check.flag(force, "force") and not why:
        raise InputError("a promotion past the gate says why")
    versions = Versions(catalog, registry.user_id)
    present = registry.aliases().get("production")
    candidate = versions.open(registry.data(number), f"model version {number}")
    production = None
    if present is not None:
        try:
            production = versions.open(registry.data(present), f"model version {present}")
        except (StoreError, ModelFileError):  # what cannot serve is no rival
            production = None
    if traces is None:
        about = [registry.version(number), *([] if production is None or present is None else [registry.version(present)])]
        traces = held_out(registry, catalog, about)
    judgement = judge(candidate, production, traces, seed)
    verdict = judgement.verdict
    if not verdict.passed and not force:
        raise RefusedError(f"v{number} is not promoted: {verdict.reason}")
    forced = force and not verdict.passed
    return registry.move(
        "production", number, expected=present, action="promote", who=who, why=why or verdict.reason, forced=forced,
        figures=judgement.figures(),
    )  # fmt: skip


def held_out(registry: Registry, catalog: Catalog, versions: Sequence[Version]) -> Traces:
    """The user's latest traces in the store that came after all of the versions were trained, and that the catalogue can use."""
    since = max((v.facts.get("trained_at") or v.created_at for v in versions), default=0.0)
    return Traces.from_records(registry.store.traces_since(since, MOST, registry.user_id), catalog, unknown="skip")


def _unlearned(traces: Traces, *models: SHGAT | None) -> list[int]:
    """Rows of the traces that none of the models remembers."""
    learned = {key for m in models if m is not None and m.learned is not None for key in m.learned.memory.ids}
    return [i for i, key in enumerate(traces.ids.tolist()) if key not in learned]


def _compared(name: str, ours: Measurement, theirs: Measurement, rng: np.random.Generator) -> list[Comparison]:
    both = ours.criterion, theirs.criterion
    compared = (compare(name, part, both[0][rows], both[1][rows], rng) for part, rows in ours.parts.items())
    return [c for c in compared if c is not None]
