"""Each kind of drift is found by its test, what did not drift by none, and too little says so."""

from dataclasses import replace

import numpy as np
import pytest

from drift.planted import D, window
from shgat.drift import DriftConfig, Reference, Window, compared
from shgat.errors import InputError


@pytest.fixture(scope="module")
def reference():
    rng = np.random.default_rng(0)
    return Reference.of(window(1200, rng), rng, probes=np.eye(8, D))


def found(reference, drifted, **options):
    report = compared(reference, drifted, np.random.default_rng(5), **options)
    return report, {t.name: t for t in report.tests}


def test_what_did_not_drift_is_ok(reference):
    report, by = found(reference, window(300, np.random.default_rng(9)))
    assert not report.drifted
    assert {t.status for t in by.values()} == {"ok"}


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({"shift": 2.0}, {"directions", "embedding"}),
        ({"scores": -1.0}, {"scores"}),
        ({"moved": 0.4}, {"mix"}),
        ({"failing": (3,)}, {"tools"}),
        ({"encoder": "e 2"}, {"encoder"}),
    ],
)
def test_each_drift_is_found_by_its_test_alone(reference, change, names):
    report, by = found(reference, window(300, np.random.default_rng(9), **change))
    assert report.drifted
    assert {name for name, t in by.items() if t.status == "drift"} == names


def test_what_moved_is_named(reference):
    by = found(reference, window(300, np.random.default_rng(9), shift=2.0, moved=0.4, failing=(3,)))[1]
    assert by["directions"].items[0] == "direction 1"
    assert by["mix"].items[0].startswith("t0 +")
    assert by["tools"].items[0].startswith("t3 -")
    assert by["mix"].value > by["mix"].limit > 0.0


def test_a_better_tool_is_no_drift():
    rng = np.random.default_rng(0)
    poor = Reference.of(window(600, rng, worked=0.2), rng)
    assert found(poor, window(300, rng, worked=0.9))[1]["tools"].status == "ok"


def test_probes_tell_of_an_encoder_that_kept_its_name(reference):
    same, turned = np.eye(8, D), np.roll(np.eye(8, D), 1, axis=0)
    now = window(100, np.random.default_rng(9))
    assert found(reference, now, probes=same)[1]["encoder"].status == "ok"
    assert found(reference, now, probes=turned)[1]["encoder"].status == "drift"


def test_a_tiny_window_is_not_enough(reference):
    report, by = found(reference, window(29, np.random.default_rng(9), shift=50.0))
    assert not report.drifted
    assert by["embedding"].message == "29 executions, at least 30 are needed"
    empty = Window.of_traces([])
    assert not found(reference, empty)[0].drifted


def test_another_dimension_is_another_encoder_or_a_mistake(reference):
    other = Window(np.ones((50, 3)), None, ((),) * 50, np.ones(50, np.bool_), "e 2")
    assert found(reference, other)[1]["encoder"].status == "drift"
    with pytest.raises(InputError, match="3 dimensions, those of the reference 24"):
        found(reference, Window(other.intents, None, other.tools, other.worked, "e 1"))


def test_without_scores_and_tools_the_rest_is_tested(reference):
    now = window(200, np.random.default_rng(9), shift=3.0)
    by = found(reference, replace(now, scores=None, tools=((),) * 200))[1]
    assert [by[n].status for n in ("scores", "mix", "tools", "embedding")] == ["not enough"] * 3 + ["drift"]


def test_it_is_reproducible_and_json(reference):
    now = window(200, np.random.default_rng(9))
    a, b = (found(reference, now)[0].to_dict() for _ in range(2))
    assert a == b
    assert a["tests"][0]["name"] == "directions"


def test_a_configuration_that_can_tell_nothing_is_refused():
    with pytest.raises(InputError, match="199 permutations"):
        DriftConfig(n_resamples=199)
    with pytest.raises(InputError, match="alpha"):
        DriftConfig(alpha=0.0)


def test_alarms_of_undrifted_windows_are_not_more_than_said():
    """Of 150 references with a window each: 5 % are 7.5, more than 17 come once in a thousand times."""
    rng, config = np.random.default_rng(3), DriftConfig(alpha=0.05, n_resamples=199)
    alarms = 0
    for _ in range(150):
        alarms += compared(Reference.of(window(200, rng), rng), window(80, rng), rng, config).drifted
    assert alarms <= 17
