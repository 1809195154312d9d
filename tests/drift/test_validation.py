"""Each fault of the data fails its check and no other, with a remedy."""

import numpy as np
import pytest

from drift.planted import D, window
from shgat.drift import Reference, compared
from shgat.drift.validation import DataLimits, validate
from shgat.errors import InputError
from shgat.features import validation as features_of

NOW = 1e9


def records(n=60):
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((n, D))
    return [{"id": f"x{i}", "intent": f"i{i}", "tools": ["a"], "embedding": rows[i], "timestamp": NOW - i} for i in range(n)]


def checked(given, **options):
    report = validate(given, dimension=D, now=NOW, **options)
    return report, {c.name: c for c in report.checks}


def test_what_is_sound_passes():
    report, _ = checked(records())
    assert report.passed
    assert {c.status for c in report.checks} == {"ok"}
    assert report.to_dict()["passed"]


@pytest.mark.parametrize(
    ("spoil", "name", "status"),
    [
        (lambda r: r[0].update(embedding=np.full(D, np.nan)), "schema", "fail"),
        (lambda r: r[0].update(outcome=3.0), "schema", "fail"),
        (lambda r: r[0].pop("id"), "schema", "fail"),
        (lambda r: r[0].update(embedding=np.ones(D + 1)), "dimension", "fail"),
        (lambda r: [x.pop("embedding") for x in r[:20]], "missing", "fail"),
        (lambda r: [x.update(timestamp=x["timestamp"] - 3e5) for x in r], "staleness", "fail"),
        (lambda r: [x.pop("timestamp") for x in r], "staleness", "warn"),
        (lambda r: [x.update(embedding=np.ones(D) + 1e-4 * i) for i, x in enumerate(r)], "collapse", "fail"),
        (lambda r: [x.update(intent="same") for x in r[:40]], "repeated", "warn"),
        (lambda r: r.__delitem__(slice(20, None)), "enough", "fail"),
    ],
)
def test_each_fault_fails_its_check(spoil, name, status):
    given = records()
    spoil(given)
    report, by = checked(given)
    assert {n for n, c in by.items() if c.status != "ok"} == {name}
    assert by[name].status == status
    assert by[name].remedy
    assert report.passed == (status == "warn")


def test_nothing_at_all_is_not_enough():
    report, by = checked([])
    assert not report.passed
    assert by["enough"].value == 0.0


def test_features_and_drift_stand_in_the_same_report():
    rng = np.random.default_rng(0)
    reference = Reference.of(window(300, rng), rng)
    stale = features_of.Report((features_of.Finding("age in hours", "features", 50.0, 24.0, False, items=("c1",)),))
    moved = compared(reference, window(200, rng, shift=5.0), rng)
    report, by = checked(records(), features=stale, drift=moved)
    assert by["features: age in hours of features"].status == "fail"
    assert by["drift: embedding"].status == "warn"
    assert not report.passed
    other = compared(reference, window(200, rng, encoder="e 2"), rng)
    assert not checked(records(), drift=other)[0].passed


def test_limits_are_checked():
    with pytest.raises(InputError, match="max_missing"):
        DataLimits(max_missing=-1.0)
