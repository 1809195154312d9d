"""The second step: a candidate, trained in a child process."""

from pathlib import Path
from typing import Any

from .._files import write_atomically
from ..learning.spool import Spool
from ..shgat import SHGAT
from ..traces import Trace, write_traces
from ..worker import Child, Result
from .work import CANDIDATE, Outcome, Work

NICENESS = 10  # who answers requests comes first


def train(work: Work) -> Outcome:
    """Trains on the earlier traces of the run, from scratch or going on from production; refused where training itself says no."""
    settings = work.settings.training
    traces = work.snapshot.learned_from(work.store)
    parent, start = work.production() if settings.start == "production" else (None, None)
    base = SHGAT.from_catalog(work.catalog, seed=settings.seed) if start is None else start
    work.say(f"{len(traces)} traces, " + ("from scratch" if start is None else f"going on from v{parent}"))
    spool = Spool()
    try:
        result, data = spool.tried(lambda folder: _trained(work, base, traces, folder))
    finally:
        spool.remove()
    facts: dict[str, Any] = {
        "traces": len(traces), "parent": None if start is None else parent, "accepted": result.accepted, "changed": result.changed,
        "loss": result.final_loss, "hit@1": result.final_accuracy, "health": result.health, "seconds": result.seconds,
    }  # fmt: skip
    if not result.accepted or not result.changed:
        return Outcome(False, result.reason, facts)
    write_atomically(work.folder / CANDIDATE, data)
    return Outcome(True, result.reason, {**facts, "bytes": len(data), "trained_at": work.store.clock()})


def _trained(work: Work, base: SHGAT, traces: list[Trace], folder: Path) -> tuple[Result, bytes]:
    """The child's result, and the model file that it wrote."""
    settings = work.settings.training
    given, examples, trained = folder / "base.safetensors", folder / "traces.jsonl", folder / "trained.safetensors"
    base.save(given)
    write_traces(examples, traces, work.store.dimension)
    options = {"epochs": settings.epochs, "batchSize": settings.batch_size, "learningRate": settings.learning_rate}
    config = {name: value for name, value in options.items() if value is not None}
    with Child(timeout=settings.timeout, memory_limit=settings.memory_limit, niceness=NICENESS) as child:
        result = child.train({
            "modelPath": str(given), "examplesPath": str(examples), "paramsPath": str(trained),
            "config": {**config, "seed": settings.seed, "fromScratch": settings.start == "scratch"},
        })  # fmt: skip
    return result, trained.read_bytes()
