from shgat.monitoring.history import History
from shgat.monitoring.measures import key

A, B = key("n_total", of="a"), key("n_total", of="b")
LABELS_A, LABELS_B = A[1], B[1]


def test_a_counter_rises_by_what_came_in_within_the_window():
    history = History(60.0)
    for at, n in ((0.0, 100.0), (30.0, 110.0), (60.0, 130.0), (90.0, 160.0)):
        history.add(at, {A: n})
    assert history.increases("n_total", {}) == {LABELS_A: 50.0}  # from 30 on


def test_the_first_look_counts_from_the_start_of_the_process():
    history = History(60.0)
    history.add(5.0, {A: 7.0, B: 1.0})
    assert history.increases("n_total", {}) == {LABELS_A: 7.0, LABELS_B: 1.0}
    assert history.increases("n_total", {"of": ("b",)}) == {LABELS_B: 1.0}


def test_a_fall_is_a_restart_and_a_look_in_vain_is_none():
    history = History(100.0)
    for at, samples in ((0.0, {A: 10.0}), (10.0, {A: 15.0}), (20.0, {}), (30.0, {A: 4.0}), (40.0, {A: 9.0, B: 2.0})):
        history.add(at, samples)
    assert history.increases("n_total", {}) == {LABELS_A: 5.0 + 4.0 + 5.0, LABELS_B: 2.0}


def test_gauges_are_those_of_now_and_of_lately():
    history = History(60.0)
    history.add(0.0, {key("g"): 3.0})
    history.add(10.0, {key("g"): float("nan")})
    assert history.values("g", {}) == []
    assert history.lately("g", {}) == [3.0]
    history.add(100.0, {key("g"): 5.0})
    history.add(200.0, {key("g"): 6.0})
    assert history.values("g", {}) == [6.0]
    assert history.lately("g", {}) == [5.0, 6.0]  # one before the window, so that there is something to rise from


def test_a_look_at_the_same_moment_is_passed_over():
    history = History(60.0)
    history.add(1.0, {A: 1.0})
    history.add(1.0, {A: 9.0})
    assert history.latest == (1.0, {A: 1.0})


def test_it_goes_through_json():
    history = History(60.0)
    for at in (0.0, 10.0):
        history.add(at, {A: at, key("g"): 1.5})
    again = History.of(60.0, history.to_list())
    assert again.latest == history.latest
    assert again.increases("n_total", {}) == history.increases("n_total", {})
