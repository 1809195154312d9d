import pytest

from shgat.learning.stopwatch import LATELY, Stopwatch


@pytest.fixture
def now():
    return [100.0]


@pytest.fixture
def watch(now):
    return Stopwatch(lambda: now[0])


def test_what_is_under_way_counts_and_then_the_slowest_for_a_while(watch, now):
    assert watch.seconds == 0.0
    with watch:
        now[0] += 3.0
        assert watch.seconds == 3.0
        now[0] += 1.0
    with watch:
        now[0] += 0.1
    assert watch.seconds == 4.0
    now[0] += LATELY - 0.05
    assert watch.seconds == pytest.approx(0.1)
    now[0] += 0.1
    assert watch.seconds == 0.0


def test_a_failure_is_timed_too(watch, now):
    def fails():
        with watch:
            now[0] += 2.0
            raise ValueError

    with pytest.raises(ValueError):
        fails()
    assert watch.seconds == 2.0


def test_it_holds_no_more_than_it_needs(watch, now):
    for _ in range(10_000):
        with watch:
            now[0] += 0.001
    assert len(watch._done) == 1
