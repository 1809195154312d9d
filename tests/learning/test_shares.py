"""Nobody's flood is what everybody learns, and where there is nobody else, nobody is held back."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shgat.learning.shares import ALWAYS, Shares
from shgat.store import Portion
from shgat.traces import Trace


def shares(share=0.25, **sizes):
    return Shares.of({name.strip("_"): Portion(0, n) for name, n in sizes.items()}, share)


def test_one_alone_is_not_held_back_nor_are_those_whom_nobody_named():
    assert shares(a=9000).room == {"a": math.inf}
    assert shares(_=9000).room == {"": math.inf}
    assert Shares.of({}).over([Trace(principal="a")]) == {}
    assert shares(_=10, a=9000).room[""] == math.inf
    assert shares(1.0, a=9000, b=10).room == {"a": math.inf, "b": math.inf}


@pytest.mark.parametrize(
    ("sizes", "room"),
    [
        ({"a": 9000, "b": 100}, {"a": 100, "b": 100}),  # two: half each, however small the share
        ({"a": 9000, "_": 100}, {"a": 100}),
        ({"a": 9000, "b": 9000, "c": 100}, {"c": 100}),  # two floods make no room for each other
        ({"a": 9000, "b": 100, "c": 100, "d": 100, "e": 100}, {"a": 400 / 3}),
        ({"a": 9000, "b": 3}, {"a": ALWAYS}),  # a few are heard in any case
    ],
)
def test_room_is_a_share_of_what_the_others_have(sizes, room):
    found = shares(**sizes).room
    for name, n in room.items():
        assert min(found[name], sizes[name]) == pytest.approx(n, abs=2)


@given(sizes=st.dictionaries(st.sampled_from("abcdefgh"), st.integers(1, 10_000), min_size=2), share=st.floats(0.0, 0.9))
def test_nobody_has_more_than_its_share_of_what_is_learned(sizes, share):
    found = Shares.of({name: Portion(0, n) for name, n in sizes.items()}, share)
    heard = {name: min(n, found.room[name]) for name, n in sizes.items()}
    for name, n in heard.items():
        assert n <= max(ALWAYS, max(share, 1.0 / len(sizes)) * sum(heard.values()) + 2.0)
        assert n >= min(ALWAYS, sizes[name])


def test_what_is_over_is_the_oldest_of_what_was_not_learned_and_comes_back_when_there_is_room():
    portions = {"a": Portion(40, 100), "b": Portion(0, 100)}
    found = Shares.of(portions)
    newest_first = [Trace(id=f"new{i}", principal="a") for i in range(100)]
    over = found.over([*newest_first, Trace(id="old", principal="a", priority=1.0), Trace(id="b", principal="b"), Trace(id="n")])
    assert list(over) == [f"new{i}" for i in range(60, 100)]
    assert over["new60"].needs == "principal a"
    assert "share" in over["new60"].text
    assert not found.free("a")
    held = Portion(100, 0, 900)
    assert not Shares.of({"a": held, "b": Portion(0, 105)}).free("a")  # a tenth of its room has to be free
    assert Shares.of({"a": held, "b": Portion(0, 120)}).free("a")
    assert Shares.of({"a": Portion(100, 0, 20), "b": Portion(100, 0, 20)}).free(
        "a"
    )  # two that hold each other back do not for ever
    assert found.free("a stranger")


def test_what_was_learned_before_others_came_does_not_fill_a_training():
    found = Shares.of({"a": Portion(1000, 0), "b": Portion(0, 80)})
    batch = [Trace(id=str(i), principal="a", priority=1.0) for i in range(1000)] + [
        Trace(id=f"b{i}", principal="b") for i in range(80)
    ]
    kept = found.within(batch)
    assert [t.id for t in kept] == [*map(str, range(80)), *(f"b{i}" for i in range(80))]
