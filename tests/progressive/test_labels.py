"""The rules of the baseline, with what is poor about them."""

import pytest

from shgat.progressive.labels import NAMES, labels


def names(message, *paths, status="M"):
    return [label["t"] for label in labels(message, [{"p": p, "s": status} for p in paths])]


@pytest.mark.parametrize(
    ("message", "paths", "expected"),
    [
        ("Fix the parser (fix #12)", ["a.py"], ["bugfix"]),
        ("Fix the parser", ["a.py"], ["other"]),  # 40 points are too few, as in the rules it stands for
        ("refactor all", ["a.py"], ["other"]),
        ("speed up", ["a.py"], ["performance"]),
        ("cover login", ["tests/test_a.py"], ["other"]),
        ("test login", ["tests/test_a.py"], ["test"]),
        ("x", ["tests/test_a.py", "tests/test_b.py"], ["test"]),
        ("x", ["a.md", "docs/b.py"], ["documentation"]),
        ("bump numpy", ["requirements.txt"], ["dependency"]),
        ("auth: secure cookies", ["a.py"], ["security"]),
        ("", [], ["other"]),
    ],
)
def test_rules(message, paths, expected):
    assert names(message, *paths) == expected
    assert set(expected) <= set(NAMES)


def test_only_the_subject_counts_and_labels_are_sorted():
    assert names("x\n\nspeed up", "a.py") == ["other"]
    assert names("perf: fix #3 security", "a.py") == ["bugfix", "performance", "security"]
    assert [x["p"] for x in labels("test and doc", [{"p": "tests/a.md", "s": "M"}] * 9)] == [70, 70]


def test_new_files_alone_make_no_feature():
    assert names("add x", "a", "b", "c", status="A") == ["other"]
