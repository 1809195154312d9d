"""The checks of user input: what passes comes back as the kernels take it, what does not is named."""

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shgat import InputError, _check

any_float32 = st.floats(width=32) | st.sampled_from([np.nan, np.inf, -np.inf, 1e15, -1e15, 2e15, -2e15])


def usable(values):
    return bool((np.abs(np.float32(values)) <= _check.LARGEST).all())


class Shy:
    def __repr__(self):
        raise RuntimeError


HUGE = ["x" * 10**6, b"x" * 10**6, list(range(10**5)), dict.fromkeys(range(99), "y" * 999), np.ones((999, 999)), 10**5000, [[["z" * 999]] * 99],
        {"a": {"b": {"c": {}}}}, Shy(), "\ud800" * 99, datetime, object(), ValueError("w" * 10**5), [Shy()]]  # fmt: skip


class TestBrief:
    @given(
        st.one_of(
            st.integers(0, len(HUGE) - 1).map(HUGE.__getitem__),
            st.text(),
            st.integers(),
            st.floats(),
            st.lists(st.text(), max_size=9),
        )
    )
    def test_it_is_one_short_line_that_can_be_printed(self, value):
        shown = _check.brief(value)
        assert 0 < len(shown) <= 100
        assert shown.isprintable()
        assert shown.encode()

    @pytest.mark.parametrize("value", [None, True, 7, 0.1, "text", [1, "a"], {"a": 1}, b"x"])
    def test_what_is_short_is_shown_as_it_is(self, value):
        assert _check.brief(value) == repr(value)

    @pytest.mark.parametrize("i", range(7))
    def test_every_check_uses_it(self, i):
        value = HUGE[i]
        checks = [
            lambda: _check.number(value, 0, 1, "x"),
            lambda: _check.moment(value, "x"),
            lambda: _check.positive_integer(-value if isinstance(value, int) else value, "x"),
            lambda: _check.choice(value, ("a",), "x"),
            lambda: _check.text([value], "x"),
            lambda: _check.texts(7 if isinstance(value, (list, dict)) else value, "x"),
            lambda: _check.texts([[value]], "x"),
            lambda: _check.writable("\ud800" * 10**5, "x"),
        ]
        for check in checks:
            with pytest.raises(InputError) as caught:
                check()
            assert len(str(caught.value)) < 200


class TestVectors:
    @pytest.mark.parametrize("value", [[1, 2], (1.0, 2.0), np.float64([1, 2]), np.int8([1, 2]), np.float32([[1, 3], [2, 4]])[:, 0]])
    def test_numbers_become_float32_in_one_piece(self, value):
        found = _check.vector(value, 2, "x")
        assert (found.dtype, found.flags.c_contiguous, found.tolist()) == (np.float32, True, [1.0, 2.0])

    def test_strided_rows_are_laid_out_anew(self):
        found = _check.matrix(np.arange(12, dtype=np.float32).reshape(6, 2)[::2], 2, "x")
        assert found.flags.c_contiguous
        assert found.tolist() == [[0, 1], [4, 5], [8, 9]]

    def test_a_vector_is_a_matrix_of_one_row(self):
        assert _check.matrix([1, 2], 2, "x").shape == (1, 2)
        assert _check.matrix(np.zeros((0, 2)), 2, "x").shape == (0, 2)

    @given(st.lists(any_float32, min_size=1, max_size=40))
    def test_a_vector_passes_if_every_entry_can_be_used(self, values):
        if usable(values):
            np.testing.assert_array_equal(_check.vector(values, len(values), "x"), np.float32(values))
        else:
            position = next(i for i, value in enumerate(values) if not usable([value]))
            with pytest.raises(InputError, match=f"^x .* at position {position}(, at most 1e.15 can be used)?$"):
                _check.vector(values, len(values), "x")

    @given(st.lists(st.tuples(any_float32, any_float32), min_size=1, max_size=20))
    def test_a_matrix_passes_if_every_entry_can_be_used(self, rows):
        if usable(rows):
            np.testing.assert_array_equal(_check.matrix(rows, 2, "x"), np.float32(rows))
        else:
            row = next(i for i, row in enumerate(rows) if not usable(row))
            with pytest.raises(InputError, match=f"^x .* in row {row}(, at most 1e.15 can be used)?$"):
                _check.matrix(rows, 2, "x")

    @pytest.mark.parametrize(
        ("values", "fault"),
        [
            ([0, 1, np.nan], "x holds NaN or infinity at position 2"),
            ([0, -np.inf], "x holds NaN or infinity at position 1"),
            ([0, 1e300], "x holds NaN or infinity at position 1"),
            ([0, -3e38], "x has an entry of size 3e+38 at position 1, at most 1e+15 can be used"),
            ([0, 2e15, 5e15], "x has an entry of size 2e+15 at position 1, at most 1e+15 can be used"),
            ([2e15, np.nan], "x has an entry of size 2e+15 at position 0, at most 1e+15 can be used"),
        ],
    )
    def test_the_first_entry_that_cannot_be_used_is_named_with_its_place(self, values, fault):
        with pytest.raises(InputError) as caught:
            _check.vector(values, len(values), "x")
        assert str(caught.value) == fault

    @pytest.mark.parametrize(
        ("row", "fault"),
        [
            ([0, np.nan], "x holds NaN or infinity in row 1"),
            ([0, 2e15], "x has an entry of size 2e+15 in row 1, at most 1e+15 can be used"),
        ],
    )
    def test_the_first_row_that_cannot_be_used_is_named(self, row, fault):
        with pytest.raises(InputError) as caught:
            _check.matrix([[1, 2], row, [np.inf, 5e15]], 2, "x")
        assert str(caught.value) == fault

    @pytest.mark.parametrize("value", [None, "text", ["x", "y"], [None, 1.0], [[1], [1, 2]], [True, False], [1j, 2], {}, object()])
    def test_what_is_no_array_of_numbers_is_refused(self, value):
        for check in (_check.vector, _check.matrix):
            with pytest.raises(InputError, match="x is not an array of numbers"):
                check(value, 2, "x")

    def test_another_shape_is_refused(self):
        with pytest.raises(InputError, match=r"x has shape \(3,\), expected \(2,\)"):
            _check.vector([1, 2, 3], 2, "x")
        for value in ([1, 2, 3], [[1, 2, 3]], [[[1, 2]]]):
            with pytest.raises(InputError, match=r"x has shape .*, expected \(B, 2\)"):
                _check.matrix(value, 2, "x")


class TestNumbers:
    @pytest.mark.parametrize("value", [0, 1, 0.5, np.float32(0.5), np.int64(1)])
    def test_a_number_in_range_is_a_float(self, value):
        assert type(_check.number(value, 0, 1, "x")) is float
        assert _check.number(value, 0, 1, "x") == value

    @pytest.mark.parametrize("value", [-1e-9, np.nextafter(1, 2), float("nan"), float("inf"), 10**400])
    def test_another_number_is_refused_with_the_range(self, value):
        with pytest.raises(InputError, match=r"x lies in \[0, 1\], not "):
            _check.number(value, 0, 1, "x")

    @pytest.mark.parametrize("value", [None, True, False, "1", [1], 1j, np.bool_(True)])
    def test_what_is_no_number_is_refused(self, value):
        with pytest.raises(InputError, match="x is a number, not"):
            _check.number(value, 0, 1, "x")

    @pytest.mark.parametrize("value", [1, 7, np.int32(3)])
    def test_a_positive_integer_is_an_int(self, value):
        assert type(_check.positive_integer(value, "x")) is int
        assert _check.positive_integer(value, "x") == value

    @pytest.mark.parametrize("value", [0, -1, True, 1.0, "1", None])
    def test_what_is_no_positive_integer_is_refused(self, value):
        with pytest.raises(InputError, match="x is a whole number of at least 1, not"):
            _check.positive_integer(value, "x")


class TestMoments:
    @pytest.mark.parametrize("hours", [-6, 0, 5.75])
    def test_a_moment_is_the_same_in_every_zone_and_form(self, hours):
        moment = datetime(2026, 3, 2, 10, tzinfo=UTC).astimezone(timezone(timedelta(hours=hours)))
        assert _check.moment(moment, "x") == _check.moment(moment.isoformat(), "x") == 1772445600.0
        assert _check.moment(1772445600, "x") == 1772445600.0

    def test_a_moment_without_a_zone_is_utc(self):
        assert _check.moment("2026-03-02T10:00:00", "x") == _check.moment(datetime(2026, 3, 2, 10), "x") == 1772445600.0
        assert _check.moment("2026-03-02", "x") == 1772409600.0

    @pytest.mark.parametrize("value", ["0001-01-01", "0001-01-01T00:00:00+23:59", "5138-11-16T09:46:39"])
    def test_the_first_and_the_last_days_are_moments(self, value):
        seconds = _check.moment(value, "x")
        assert abs(seconds) < 1e11
        assert _check.moment(seconds, "x") == seconds

    @given(st.floats(1.1e8, 9.9e10), st.sampled_from([1, 10**3, 10**6, 10**9]), st.sampled_from([1, -1]))
    def test_milli_micro_and_nanoseconds_are_the_same_moment(self, seconds, unit, sign):
        assert _check.moment(sign * seconds * unit, "x") == pytest.approx(sign * seconds)
        assert _check.moment(int(sign * seconds * unit), "x") == pytest.approx(sign * seconds, abs=1)

    @given(st.integers(-(10**22), 10**22) | st.floats() | st.datetimes() | st.datetimes().map(str))
    def test_what_is_taken_lies_within_reach_and_stays_as_it_is(self, value):
        try:
            seconds = _check.moment(value, "x")
        except InputError:
            return
        assert abs(seconds) <= 1e11
        assert _check.moment(seconds, "x") == seconds

    @pytest.mark.parametrize("value", ["9999-12-31", datetime(6000, 1, 1), 1e21, -1e21])
    def test_the_far_future_is_refused(self, value):
        with pytest.raises(InputError, match=r"x lies in \["):
            _check.moment(value, "x")

    @pytest.mark.parametrize(
        ("value", "fault"),
        [("yesterday", "is not ISO 8601"), (None, "is a number"), ([1], "is a number"), (True, "is a number"), (1e300, "lies in")],
    )
    def test_what_is_no_moment_is_refused(self, value, fault):
        with pytest.raises(InputError, match=f"x.* {fault}"):
            _check.moment(value, "x")


class TestTexts:
    @given(st.text())
    def test_a_text_passes_if_it_can_be_written(self, value):
        try:
            value.encode()
        except UnicodeEncodeError:
            with pytest.raises(InputError, match="x holds a lone surrogate"):
                _check.text(value, "x")
        else:
            if value:
                assert _check.text(value, "x") == value

    @pytest.mark.parametrize("value", ["", None, 7, b"bytes", ["a"]])
    def test_what_is_no_text_is_refused(self, value):
        for check in (_check.text, _check.storable_text):
            with pytest.raises(InputError, match="x is a non-empty string, not"):
                check(value, "x")

    @pytest.mark.parametrize("value", ["\ud800", "a\udfff", "\ud800b\0"])
    def test_half_a_surrogate_pair_is_refused_and_can_be_printed(self, value):
        for check in (_check.text, _check.writable, _check.storable_text):
            with pytest.raises(InputError, match="x holds a lone surrogate") as caught:
                check(value, "x")
            assert str(caught.value).encode()

    def test_only_a_database_minds_u_0000(self):
        assert _check.text("a\0b", "x") == "a\0b"
        with pytest.raises(InputError, match=r"x holds U\+0000 at position 1"):
            _check.storable_text("a\0b", "x")
        with pytest.raises(InputError, match=r"x holds U\+0000 at position 0"):
            _check.storable_texts(["a", "\0"], "x")

    @pytest.mark.parametrize("value", [["a", "b"], ("a", "b"), {"a": 1, "b": 2}, iter("ab")])
    def test_texts_are_a_list(self, value):
        assert _check.texts(value, "x") == ["a", "b"]

    def test_storable_texts_are_a_tuple(self):
        assert _check.storable_texts(["é", "b"], "x") == ("é", "b")
        assert _check.storable_texts([], "x") == ()

    @pytest.mark.parametrize("value", ["ab", b"ab", None, 7])
    def test_what_is_no_list_is_refused(self, value):
        for check in (_check.texts, _check.storable_texts):
            with pytest.raises(InputError, match="x is a list of strings, not"):
                check(value, "x")

    def test_the_item_that_is_no_text_is_named(self):
        with pytest.raises(InputError, match=r"x\[1\] is a non-empty string, not 7"):
            _check.texts(["a", 7], "x")


def test_a_choice_is_one_of_its_words():
    assert _check.choice("a", ("a", "b"), "x") == "a"
    for value in ("c", "", None, 7):
        with pytest.raises(InputError, match="x is one of a, b, not"):
            _check.choice(value, ("a", "b"), "x")
