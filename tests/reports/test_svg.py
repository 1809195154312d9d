"""Plots: well formed, inside their frame whatever the numbers are, and honest about what is missing."""

import itertools
import math
import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shgat.reports.svg import bar, interval, line_plot

NUMBERS = st.floats(-1e9, 1e9)
POINTS = st.lists(st.tuples(st.floats(0, 1e6), NUMBERS), min_size=1, max_size=30)


def plot(series, **options):
    return ElementTree.fromstring(line_plot(series, **{"x_label": "epoch", "y_label": "loss"} | options))


def lines(figure):
    """The points of each line, in pixels."""
    found = [line.get("points").split() for line in figure.iter("polyline")]
    return [[tuple(map(float, point.split(","))) for point in points] for points in found]


def texts(figure, kind):
    return [t.text for t in figure.iter("text") if t.get("class") == kind]


@given(st.dictionaries(st.sampled_from("abc"), POINTS, min_size=1))
def test_every_point_lies_inside_the_frame(series):
    figure = plot(series)
    _, _, width, height = map(float, figure.find("svg").get("viewBox").split())
    drawn = lines(figure)
    assert [len(points) for points in drawn] == [len(points) for points in series.values()]
    assert all(0.0 <= x <= width and 0.0 <= y <= height for points in drawn for x, y in points)


@given(POINTS)
def test_higher_values_stand_higher_and_later_ones_further_right(points):
    ((*drawn,),) = lines(plot({"a": points}))
    for (x, y), (h, v) in zip(points, drawn, strict=True):
        for (other_x, other_y), (other_h, other_v) in zip(points, drawn, strict=True):
            assert h <= other_h or x > other_x
            assert v >= other_v or y > other_y


@given(NUMBERS, NUMBERS)
def test_round_numbers_stand_at_the_axis_and_enclose_the_values(a, b):
    ticks = [float(t) for t in texts(plot({"a": [(0.0, a), (1.0, b)]}, x_ticks=[0.0, 1.0]), "tick")][:-2]
    assert 3 <= len(ticks) <= 12
    slack = 0.01 * max(abs(a), abs(b), 1e-300)  # they are written with three digits
    assert ticks[0] <= min(a, b) + slack
    assert ticks[-1] >= max(a, b) - slack


def test_named_ticks_stand_evenly_spaced():
    ((*points,),) = lines(plot({"a": [(1.0, 0.5), (3.0, 0.5), (10.0, 0.5)]}, x_ticks=[1.0, 3.0, 10.0]))
    gaps = [right[0] - left[0] for left, right in itertools.pairwise(points)]
    assert gaps[0] == pytest.approx(gaps[1], abs=0.2)


def test_what_is_not_finite_is_left_out_and_without_anything_else_there_is_no_plot():
    figure = plot({"a": [(0.0, 1.0), (1.0, math.nan), (2.0, math.inf), (3.0, 2.0)]})
    assert [len(points) for points in lines(figure)] == [2]
    for series in ({}, {"a": []}, {"a": [(0.0, math.nan)]}):
        assert line_plot(series, x_label="x", y_label="y") == '<p class="empty">No data.</p>'


def test_names_are_escaped_and_every_line_has_its_key():
    figure = plot({"<a>": [(0.0, 1.0)], "b & c": [(0.0, 2.0)]}, y_label="loss <&>")
    assert ["".join(key.itertext()) for key in figure.iter("span")] == ["<a>", "b & c"]
    assert figure.find("figcaption").text == "loss <&>"
    assert figure.find("svg").get("aria-label") == "loss <&> by epoch: <a>, b & c"


def test_the_diagonal_goes_from_corner_to_corner():
    figure = plot({"a": [(0.2, 0.1), (0.4, 0.5)]}, y_range=(0.0, 1.0), diagonal=True)
    (ideal,) = (line for line in figure.iter("line") if line.get("class") == "ideal")
    ((*points,),) = lines(plot({"a": [(0.0, 0.0), (1.0, 1.0)]}, y_range=(0.0, 1.0)))
    ends = [(float(ideal.get(f"x{i}")), float(ideal.get(f"y{i}"))) for i in (1, 2)]
    assert ends == points


def test_few_points_are_marked_and_many_are_not():
    few, many = (plot({"a": [(float(i), 0.0) for i in range(n)]}) for n in (20, 21))
    assert [len(list(figure.iter("circle"))) for figure in (few, many)] == [20, 0]


@pytest.mark.parametrize(
    ("share", "width"), [(0.0, 0.0), (0.256, 25.6), (1.0, 100.0), (-3.0, 0.0), (7.0, 100.0), (math.nan, 0.0), (math.inf, 0.0)]
)
def test_a_bar_is_as_wide_as_its_share_of_one(share, width):
    assert float(re.search(r"width:([\d.]+)%", bar(share))[1]) == width


@pytest.mark.parametrize(
    ("ends", "side"), [((0.1, 0.3), "better"), ((-0.3, -0.1), "worse"), ((-0.1, 0.1), "unsure"), ((0.0, 0.2), "unsure")]
)
def test_an_interval_says_on_which_side_of_zero_it_lies(ends, side):
    low, high = ends
    drawn = ElementTree.fromstring(interval(low, (low + high) / 2, high, 0.5))
    assert drawn.get("class") == f"interval {side}"
    span = next(line for line in drawn.iter("line") if line.get("class") == "span")
    assert [float(span.get(x)) for x in ("x1", "x2")] == pytest.approx([70.0 + 128.0 * low, 70.0 + 128.0 * high], abs=0.1)


def test_an_interval_beyond_the_axis_ends_with_it_and_none_is_nothing():
    drawn = ElementTree.fromstring(interval(-9.0, 0.0, 9.0, 1.0))
    span = next(line for line in drawn.iter("line") if line.get("class") == "span")
    assert (span.get("x1"), span.get("x2")) == ("6.0", "134.0")
    assert interval(math.nan, 0.0, 1.0, 1.0) == interval(0.0, 0.0, 0.0, 0.0) == ""
