"""state.json: a kernel as people and other programs read it, and the pointer to it that stays of each batch."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from ..errors import CorruptError
from .events import CONFIG, canonical, digest
from .kernel import Kernel, Standing, Units, patterns, root
from .ledger import Fault

FORMAT = "2.0.0"
_NAMED = 10  # repositories of a pattern that are named


def described(units: Units, names: Mapping[str, str], batches: int, now: datetime) -> dict[str, Any]:
    """The content of state.json. `names` are those of lineages; null is what is not measured yet."""
    found = patterns(units)
    n, occurrences = len(units), sum(p["frequency"] for p in found)
    pairs = sum(s.pairs for s in units.values())
    consolidated = [
        {
            "type": p["type"],
            "confidence": p["confidence"],
            "frequency": p["frequency"],
            "repos": sorted(names.get(lineage, lineage) for lineage in p["lineages"])[:_NAMED],
        }
        for p in found
    ]
    state = {
        "version": FORMAT,
        "generatedAt": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "batches": batches,
        "totalRepos": n,
        "totalCycles": n,
        "totalCommits": sum(s.rank[0] for s in units.values()),
        "configHash": CONFIG,
        "consolidated": {"patterns": consolidated, "metaADRs": None},
        "statistics": {
            "totalPatterns": occurrences,
            "totalCorrelations": pairs,
            "totalForecasts": None,
            "totalADRs": None,
            "avgPatternsPerRepo": occurrences / n if n else None,
            "avgCorrelationsPerPattern": pairs / occurrences if occurrences else None,
        },
        "units": {lineage: [units[lineage].unit, units[lineage].leaf] for lineage in sorted(units)},
        "merkleRoot": root(units),
    }
    return state | {"digest": digest(canonical(state))}


def read(path: Path) -> dict[str, Any]:
    """A state.json.

    Raises
    ------
    CorruptError
        where it is not what was written, or another version wrote it.
    """
    try:
        state = orjson.loads(path.read_bytes())
        written = state.pop("digest")
        if state["version"] != FORMAT:
            raise CorruptError(
                f"{path.name}: version {state['version']!r:.20}, expected {FORMAT}; `shgat kernel compact` writes it anew"
            )
        if digest(canonical(state)) != written:
            raise ValueError
    except (ValueError, KeyError, TypeError, AttributeError):
        raise CorruptError(f"{path.name}: it is not what was written; `shgat kernel compact` writes it anew") from None
    found: dict[str, Any] = state
    return found


def verify(kernel_folder: Path, name: str = "state.json") -> list[Fault]:
    """Compares every file of a kernel with its state.json."""
    faults, units = [], {}
    kernel = Kernel(kernel_folder)
    for path in kernel.paths():
        try:
            (summary,) = kernel.summaries([path])
            units[summary["lineage"]] = Standing.of(summary)
        except CorruptError as error:
            faults.append(Fault(path.name, str(error)))
    try:
        state = read(kernel_folder / name)
        for lineage, (unit, leaf) in state["units"].items():
            there = units.get(lineage)
            if there is None:
                faults.append(Fault(f"{lineage}", f"{name} has it, and no sound file does"))
            elif (there.unit, there.leaf) != (unit, leaf):
                faults.append(Fault(f"{lineage}", f"its file is not the one that {name} has"))
        faults += [Fault(lineage, f"{name} does not have it") for lineage in sorted(set(units) - set(state["units"]))]
        if not faults and state["merkleRoot"] != root(units):
            faults.append(Fault(name, "its root is not that of the units"))
    except FileNotFoundError:
        if units:
            faults.append(Fault(name, "it is missing; `shgat kernel compact` writes it"))
    except CorruptError as error:
        faults.append(Fault(name, str(error)))
    return faults
