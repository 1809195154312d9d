"""Aliases: moved at once or not at all, by whoever saw what they named, and every move is in the log."""

import contextlib
import threading

import pytest

from shgat.errors import ConflictError, InputError
from shgat.store import Store
from traces.examples import D


def test_a_move_is_made_and_written_down(store):
    store.clock = lambda: 12.5
    assert store.aliases() == {}
    assert store.alias_terms("canary") is None
    first = store.move_alias("canary", 3, who="ann", why="to see", figures={"n": 1}, terms={"percent": 5})
    assert store.aliases() == {"canary": 3}
    assert store.alias_terms("canary") == (3, {"percent": 5})
    store.move_alias("production", 3, action="promote", who="bob", why="it is good", forced=True)
    cleared = store.move_alias("canary", None, action="clear", who="bob")
    assert store.aliases() == {"production": 3}
    assert store.alias_terms("canary") is None
    log = store.moves()
    assert {(m.alias, m.number, m.before, m.after, m.action, m.who, m.why, m.forced, m.created_at) for m in log} == {
        ("canary", 1, None, 3, "assign", "ann", "to see", False, 12.5),
        ("canary", 2, 3, None, "clear", "bob", "", False, 12.5),
        ("production", 1, None, 3, "promote", "bob", "it is good", True, 12.5),
    }
    assert store.moves(alias="canary") == [cleared, first]
    assert store.moves(alias="canary", limit=1) == [cleared]
    assert (store.move("canary", 1), store.move("canary", 3), first.figures) == (first, None, {"n": 1})


def test_who_saw_something_else_moves_nothing(store):
    store.move_alias("production", 1, expected=None)
    for expected in (None, 2):
        with pytest.raises(ConflictError, match=r"production is v1 and not (none|v2): it was moved meanwhile; look again"):
            store.move_alias("production", 3, expected=expected)
    store.move_alias("production", 2, expected=1)
    assert store.aliases() == {"production": 2}
    assert [m.number for m in store.moves()] == [2, 1]


def test_of_many_that_saw_the_same_one_moves_it(url):
    with Store.open(url, D, timeout=20.0) as store:
        store.move_alias("production", 0)
        won = []

        def mover(version):
            with contextlib.suppress(ConflictError):
                won.append(store.move_alias("production", version, expected=0).after)

        threads = [threading.Thread(target=mover, args=(v,)) for v in range(1, 9)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert store.aliases() == {"production": won[0]}
        assert (len(won), len(store.moves())) == (1, 2)


def test_the_way_back_is_a_path_and_not_a_circle(store):
    """After 1, 2, 3: back to 2, then to 1, and forth to 4, from which there is a way to 1."""

    def back():
        (latest,) = store.moves(limit=1)
        to = None if latest.back is None else store.move("production", latest.back)
        if to is None:
            return None
        store.move_alias("production", to.after, action="rollback", restores=to.number)
        return to.after

    for version in (1, 2, 3):
        store.move_alias("production", version)
    assert [back(), back(), back()] == [2, 1, None]
    store.move_alias("production", 4)
    assert [back(), back()] == [1, None]
    log = store.moves()[::-1]
    assert [m.number for m in log] == list(range(1, len(log) + 1))
    assert [m.before for m in log[1:]] == [m.after for m in log[:-1]]


def test_users_do_not_share(store):
    store.move_alias("staging", 1, user_id="me")
    assert (store.aliases(), store.moves(), store.move("staging", 1)) == ({}, [], None)
    assert store.aliases("me") == {"staging": 1}


def test_what_no_move_can_be_is_refused(store):
    with pytest.raises(InputError, match="alias is one of production, staging, shadow, canary, not 'best'"):
        store.move_alias("best", 1)
    with pytest.raises(InputError, match="alias is one of"):
        store.moves(alias="best")
    with pytest.raises(InputError, match="action is one of"):
        store.move_alias("staging", 1, action="hop")
    with pytest.raises(InputError, match="who is a non-empty string"):
        store.move_alias("staging", 1, who="")
    with pytest.raises(InputError, match="production is never empty"):
        store.move_alias("production", None)
    with pytest.raises(InputError, match="figures and terms of a move are JSON"):
        store.move_alias("staging", 1, figures={"x": float("nan")})
    assert (store.aliases(), store.moves()) == ({}, [])
