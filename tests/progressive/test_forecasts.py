from dataclasses import replace

import pytest

from shgat.errors import CorruptError
from shgat.progressive.changeset import Changes
from shgat.progressive.disk import Disk
from shgat.progressive.forecasts import Book, Forecast, made, resolved
from shgat.progressive.labels import NAMES

from .histories import event

T = 1_500_000_000
DAY = 86_400


def rows(n, *later):
    """n commits to a and b, a day apart, and others behind them: (paths, label, days after the last of the first)."""
    first = [
        event(i, ["a", "b"] if i % 3 else ["a", "c"], label="feature" if i % 2 else "test", time=T + i * DAY) for i in range(n)
    ]
    more = [event(n + i, paths, label=label, time=T + (n - 1 + days) * DAY) for i, (paths, label, days) in enumerate(later)]
    return Changes.of([*first, *more])


def forecast(kind, query="", ranked=(("x", 0.5),), n=10):
    change = rows(n).rows[-1]
    return Forecast("l" * 32, kind, change.time, change.sha, query, ranked)


@pytest.mark.parametrize(
    ("made_of", "later", "outcome", "rank"),
    [
        (("label", "", (("test", 0.6), ("feature", 0.4))), [(["z"], "test", 1)], "hit", 1),
        (("label", "", (("test", 0.6), ("feature", 0.4))), [(["z"], "feature", 1)], "miss", 2),
        (("label", "", (("test", 0.6),)), [], None, 0),
        (("touched", "a", (("touched", 0.9),)), [(["z"], "x", 1), (["a"], "x", 2)], "hit", 1),
        (("touched", "a", (("touched", 0.9),)), [(["z"], "x", i) for i in range(1, 21)], "miss", 0),
        (("touched", "a", (("touched", 0.9),)), [(["z"], "x", 1)], None, 0),
        (("touched", "a", (("touched", 0.9),)), [(["z"], "x", 91)], "censored", 0),
        (("partner", "a", (("b", 0.9), ("c", 0.1))), [(["a"], "x", 1), (["a", "c"], "x", 2)], "miss", 2),
        (("partner", "a", (("b", 0.9),)), [(["a", "b", "z"], "x", 1)], "hit", 1),
        (("partner", "a", (("b", 0.9),)), [(["z"], "x", 1)] * 50, "censored", 0),
        (("partner", "a", (("b", 0.9),)), [(["z"], "x", 1)] * 49, None, 0),
    ],
)
def test_what_came_of_it(made_of, later, outcome, rank):
    said = forecast(*made_of)
    found = resolved(said, rows(10, *later), 10)
    assert (None if found is None else (found.outcome, found.rank)) == (None if outcome is None else (outcome, rank))


def test_a_rewritten_history_says_nothing():
    assert resolved(forecast("label"), rows(10), None).outcome == "censored"


def test_the_head_of_a_history_is_forecast_and_the_next_commits_resolve_it(tmp_path):
    before = rows(300)
    book = Book(tmp_path / "forecasts.jsonl")
    assert book.add(made(before, "l" * 32, NAMES)) == len(book.forecasts) > 3
    assert book.add(made(before, "l" * 32, NAMES)) == 0
    assert book.resolve("l" * 32, before) == 0
    book.save(Disk())
    again = Book(book.path)
    assert again.forecasts == book.forecasts
    assert again.to_bytes() == book.path.read_bytes()
    after = rows(300, *[(["a", "b"], "test", i) for i in range(1, 60)])
    assert again.resolve("other", after) == 0
    assert again.resolve("l" * 32, after) == len(book.forecasts)
    assert again.resolve("l" * 32, after) == 0
    outcomes = {again.forecasts[i].query + again.forecasts[i].kind: r.outcome for i, r in again.resolutions.items()}
    assert outcomes["atouched"] == "hit"
    assert outcomes["btouched"] == "hit"
    assert outcomes["ctouched"] == "miss"


def test_few_commits_are_no_ground_for_a_forecast():
    assert made(rows(10), "l", NAMES) == []
    assert made(Changes.of([]), "l", NAMES) == []


def test_a_line_that_was_altered_is_refused(tmp_path):
    book = Book(tmp_path / "f.jsonl")
    book.add([forecast("label")])
    book.save(Disk())
    book.path.write_bytes(book.path.read_bytes().replace(b"0.500000", b"0.900000"))
    with pytest.raises(CorruptError, match="line 1"):
        Book(book.path)


def test_an_id_is_of_all_that_is_said():
    one = forecast("label")
    assert one.id == forecast("label").id
    assert len({one.id, replace(one, query="q").id, replace(one, split_sha="s").id, replace(one, ranked=(("x", 0.6),)).id}) == 4
