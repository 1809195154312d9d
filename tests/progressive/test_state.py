"""state.json: the seed's fields, computed from counts, and every byte of a kernel under it."""

import random
from datetime import UTC, datetime

import orjson
import pytest

from shgat.errors import CorruptError
from shgat.progressive.events import canonical
from shgat.progressive.kernel import Kernel
from shgat.progressive.state import described, read, verify
from shgat.progressive.unit import summarised

NOW = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.fixture
def kernel(filled, layout):
    found = Kernel(layout.kernel)
    for _, lines in filled.walk():
        found.join(summarised(lines))
    (layout.kernel / "state.json").write_bytes(canonical(described(found.units, {}, 1, NOW)))
    return found


def test_fields(kernel):
    state = read(kernel.folder / "state.json")
    assert {"version", "generatedAt", "batches", "totalRepos", "totalCycles", "consolidated", "statistics", "merkleRoot"} <= set(
        state
    )
    assert (state["totalRepos"], state["batches"], state["generatedAt"]) == (3, 1, "2026-01-02T00:00:00Z")
    assert set(state["statistics"]) == {"totalPatterns", "totalCorrelations", "totalForecasts", "totalADRs", "avgPatternsPerRepo",
                                        "avgCorrelationsPerPattern"}  # fmt: skip
    assert state["statistics"]["totalForecasts"] is None
    assert all(0 < p["confidence"] < 1 for p in state["consolidated"]["patterns"])
    assert state["merkleRoot"] == kernel.root
    lineage = min(kernel.units)
    named = described(kernel.units, {lineage: "a/b"}, 1, NOW)
    assert any("a/b" in p["repos"] for p in named["consolidated"]["patterns"])
    assert described({}, {}, 0, NOW)["statistics"]["avgPatternsPerRepo"] is None


def test_every_byte_that_is_flipped_is_found_and_located(kernel):
    assert verify(kernel.folder) == []
    rng = random.Random(1)
    for path in [kernel.folder / "state.json", *kernel.paths()]:
        data = path.read_bytes()
        for _ in range(40):
            flipped = bytearray(data)
            flipped[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
            path.write_bytes(flipped)
            assert path.name in " ".join(f.where for f in verify(kernel.folder))
        path.write_bytes(data)


def test_what_is_missing_old_or_not_listed_is_named(kernel):
    path = kernel.folder / "state.json"
    data = path.read_bytes()
    path.unlink()
    assert [f.where for f in verify(kernel.folder)] == ["state.json"]
    path.write_bytes(canonical(orjson.loads(data) | {"version": "1.0.0"}))
    with pytest.raises(CorruptError, match=r"version '1.0.0', expected 2.0.0"):
        read(path)
    path.write_bytes(data)
    first = kernel.paths()[0]
    kept = first.read_bytes()
    first.unlink()
    assert "state.json has it" in verify(kernel.folder)[0].what
    fewer = {k: v for k, v in kernel.units.items() if k != first.stem}
    path.write_bytes(canonical(described(fewer, {}, 1, NOW)))
    assert verify(kernel.folder) == []
    first.write_bytes(kept)
    assert [(f.where, f.what) for f in verify(kernel.folder)] == [(first.stem, "state.json does not have it")]
