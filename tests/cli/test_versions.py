"""How versions are shown: a row each, moves with who and why, and how far parameters have moved."""

import numpy as np
from rich.console import Console

from registry.conftest import model
from shgat.cli.versions import day, distances, moved
from shgat.registry import Version, facts_of
from shgat.store import Move


def test_a_row_has_what_is_known():
    facts = facts_of(model(0), 5.0, parent=2) | {"reason": "better"}
    row = Version(3, 10.0, 99, facts).summary({"production": 3, "canary": 2, "shadow": 3})
    assert (row["version"], row["aliases"], row["parent"], row["trained_at"], row["bytes"]) == (
        3,
        ["production", "shadow"],
        2,
        5.0,
        99,
    )
    assert (row["reason"], row["traces"]) == ("better", None)
    assert Version(1, 0.0, 1, {}).summary({})["catalog"] is None


def test_a_group_of_parameters_has_its_relative_distance():
    a, b = model(0), model(0)
    b.params["w_intent"][:] *= 1.5
    found = distances(a, b)
    assert found.pop("w_intent") == np.float32(0.5)
    assert set(found.values()) == {0.0}


def test_a_move_is_a_line():
    move = Move("canary", 2, None, 7, "assign", "ann", "to see", True, None, 0.0, 1)
    console = Console(width=200)
    with console.capture() as captured:
        console.print(moved([move]))
    line = next(line for line in captured.get().splitlines() if "canary" in line)
    assert line.replace("│", " ").split() == [
        "canary",
        "2",
        "1970-01-01",
        "00:00:00",
        "-",
        "v7",
        "assign",
        "(forced)",
        "ann",
        "to",
        "see",
    ]
    assert day(86400.0) == "1970-01-02 00:00:00"
