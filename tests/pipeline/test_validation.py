"""Data that is not fit ends a run before anything is learned."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline import town
from shgat.store import Store


def test_traces_that_are_fit_are_chosen(make, lived):
    run = make().step("validate-data")
    facts = run.facts("validate-data")
    assert (run.status, facts["traces"], facts["passed"]) == ("open", 200, True)
    assert facts["snapshot"] == {"train": 160, "held_out": 40, "fingerprint": facts["snapshot"]["fingerprint"]}
    assert {c["name"] for c in facts["checks"]} >= {"schema", "dimension", "collapse", "staleness", "unknown tools"}


@pytest.mark.parametrize(
    ("spoil", "check"),
    [
        (lambda t: t[:10], "enough"),
        (lambda t: [replace(x, embedding=t[0].embedding) for x in t], "collapse"),
        (lambda t: [replace(x, embedding=None if i % 3 else x.embedding) for i, x in enumerate(t)], "missing"),
        (lambda t: [replace(x, tools=("gone",) if i % 3 == 0 else x.tools) for i, x in enumerate(t)], "unknown tools"),
        (lambda t: [replace(x, timestamp=x.timestamp - 4 * 86400.0) for x in t], "staleness"),
    ],
    ids=["few", "collapse", "missing", "unknown", "stale"],
)
def test_a_fault_is_refused_by_its_name(make, rng, sqlite_url, spoil, check):
    town.fill(sqlite_url, spoil(town.lived(rng, 100)))
    run = make().run()
    assert (run.status, list(run.steps)) == ("refused", ["validate-data"])
    assert run.reason.startswith(f"{check}: ")
    assert "wish" not in str(run.to_dict())  # no text of an intent
    assert not (make().runs.place(run) / "traces.json").exists()


def test_drift_is_worth_a_look_and_refuses_nothing(trained, make, rng, sqlite_url, clock):
    assert trained().run().status == "promoted"
    clock.ahead += 3600.0
    moved = np.full(town.D, 3.0)
    later = [replace(t, embedding=t.embedding + moved, timestamp=clock() - 60.0) for t in town.lived(rng, 60, name="later")]
    with Store.open(sqlite_url) as store:
        store.add_traces(later)
    run = make().step("validate-data")
    drift = {c["name"]: c["status"] for c in run.facts("validate-data")["checks"] if c["name"].startswith("drift")}
    assert drift["drift: embedding"] == "warn"
    assert "worth a look: " in run.steps["validate-data"].reason


def test_nothing_new_ends_a_run_at_once(trained, make, sqlite_url, rng):
    first = trained().run()
    again = make().run()
    assert (again.status, list(again.steps)) == ("unchanged", ["validate-data"])
    assert first.id in again.reason
    assert make(gate={"least": 21}).run().status == "promoted"  # another gate is something new
    with Store.open(sqlite_url) as store:
        store.add_traces(town.lived(rng, 5, begin=-0.1, name="b"))
    assert make(gate={"least": 21}).step("validate-data").status == "open"
