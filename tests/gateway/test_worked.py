"""What worked after which query, and after which tool."""

import numpy as np

from shgat.gateway.worked import LATEST, MOST, Worked

X, Y = np.eye(2, dtype=np.float32)
NEAR = np.array([0.96, 0.28], np.float32)


def test_what_worked_when_the_same_was_asked_is_proven():
    worked = Worked()
    assert worked.proven(X) == ""
    worked.add(X, "", "a")
    assert worked.proven(X) == "a"
    assert worked.proven(NEAR) == "a"
    assert worked.proven(Y) == ""
    assert worked.answers(X)
    assert not worked.answers(Y)


def test_what_failed_as_often_is_not():
    worked = Worked()
    worked.add(X, "", "a")
    worked.add(X, "", "a", False)
    assert worked.proven(X) == ""
    worked.add(Y, "", "b", False)
    assert not worked.answers(Y)


def test_the_latest_count_so_that_a_habit_may_change():
    worked = Worked()
    for _ in range(20):
        worked.add(X, "", "old")
    for _ in range(LATEST // 2 + 1):
        worked.add(X, "", "new")
    assert worked.proven(X) == "new"


def test_what_came_next_the_most_frequent_first():
    worked = Worked()
    for key in ("b", "c", "c"):
        worked.add(None, "a", key)
    worked.add(None, "a", "d", False)
    assert worked.after("a", 5) == ["c", "b"]
    assert worked.after("a", 1) == ["c"]
    assert worked.after("x", 5) == []
    assert [worked.times(key) for key in "bcdx"] == [1, 2, 0, 0]


def test_the_oldest_are_forgotten():
    worked = Worked()
    worked.add(X, "", "first")
    for _ in range(MOST):
        worked.add(Y, "", "other")
    assert worked.proven(X) == ""
    assert worked.proven(Y) == "other"


def test_vectors_of_another_encoder_begin_anew():
    worked = Worked()
    worked.add(X, "", "a")
    worked.add(np.eye(3, dtype=np.float32)[0], "", "b")
    assert worked.proven(X) == ""
    assert worked.proven(np.eye(3, dtype=np.float32)[0]) == "b"
