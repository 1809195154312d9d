"""One bar, and what it is measured on."""

from shgat.progressive.bar import Bar, Bench
from shgat.progressive.generator import Plan, make


def test_as_json_has_it():
    assert Bar("B1", "w", "f", True).to_dict() == {"name": "B1", "wanted": "w", "found": "f", "reached": True, "before": ""}


def test_the_largest_and_those_of_a_name(tmp_path):
    found = [make(tmp_path / f"r{n}.git", Plan(commits=n)).path for n in (5, 90, 30)]
    bench = Bench(found, tmp_path)
    assert bench.largest(2) == [found[1], found[2]]
    assert bench.named("R90", "none") == [found[1]]
