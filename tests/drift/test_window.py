"""What was repeated counts once, and what is no window is refused by name."""

import numpy as np
import pytest

from shgat.drift import Window
from shgat.errors import InputError
from shgat.traces import Trace


def trace(i, intent="", at=0.0, principal="", **more):
    return Trace(id=f"x{i}", intent=intent, timestamp=at, principal=principal, embedding=np.full(4, i + 1.0), **more)


def test_who_repeats_an_intent_500_times_counts_once_a_day():
    many = [trace(i, "the same", at=i) for i in range(500)]
    found = Window.of_traces([*many, trace(500, "another"), trace(501, "The same ", 86_400.0), trace(502, "the same", 0.0, "ada")])
    assert (len(found), found.repeated) == (4, 499)
    assert found.intents[:, 0].tolist() == [1.0, 501.0, 502.0, 503.0]
    assert len(Window.of_traces(many, burst=100.0)) == 5


def test_without_a_text_the_embedding_says_what_is_the_same():
    same = Trace(id="y", embedding=np.full(4, 1.0), timestamp=5.0)
    found = Window.of_traces([trace(0), same, trace(1), Trace(id="z", intent="no embedding")])
    assert (len(found), found.repeated) == (2, 1)
    assert len(Window.of_traces([])) == 0


def test_columns_are_those_of_the_traces():
    found = Window.of_traces([trace(0, "a", tools=("p", "q"), outcome=0.2), trace(1, "b")], scored=lambda x: x[:, 0], encoder="e")
    assert (found.tools, found.worked.tolist(), found.scores.tolist(), found.encoder) == (
        (("p", "q"), ()),
        [False, True],
        [1, 2],
        "e",
    )
    assert found.take(np.array([1])).tools == ((),)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"intents": np.full((2, 3), np.nan)}, "intents holds NaN or infinity in row 0"),
        ({"intents": np.zeros(3)}, r"are \(n, d\), not \(3,\)"),
        ({"scores": np.array([0.0, np.inf])}, "score of intent 1"),
        ({"scores": np.zeros(3)}, "has 2 scores"),
        ({"tools": ((),)}, "2 tuples of tools"),
        ({"worked": np.zeros(2)}, "2 booleans"),
    ],
)
def test_what_is_no_window_is_refused_by_name(change, named):
    sound = {"intents": np.zeros((2, 3)), "scores": None, "tools": ((), ()), "worked": np.zeros(2, np.bool_)}
    with pytest.raises(InputError, match=named):
        Window(**{**sound, **change})


def test_embeddings_of_two_dimensions_are_no_window():
    with pytest.raises(InputError, match=r"\[3, 4\]"):
        Window.of_traces([trace(0, "a"), Trace(id="b", intent="b", embedding=np.ones(3))])
