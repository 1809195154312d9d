"""Sessions as arrays: what is refused and by which name, and that parts are parts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shgat.errors import InputError
from shgat.graph import Incidence
from td.sessions import embeddings, episodes


@given(st.permutations(range(4)), st.integers(1, 4), st.booleans())
def test_a_part_is_what_its_sessions_are(order, n, offered):
    whole = episodes(offer=offered)
    part, chosen = whole.take(order[:n]), order[:n]
    for i, session in enumerate(chosen):
        a, b = slice(*part.indptr[[i, i + 1]]), slice(*whole.indptr[[session, session + 1]])
        for name in ("intent", "actions", "rewards", "outcomes", "seconds", "propensity"):
            np.testing.assert_array_equal(getattr(part, name)[a], getattr(whole, name)[b])
        assert part.terminal[i] == whole.terminal[session]
        np.testing.assert_allclose(part.states(embeddings())[a], whole.states(embeddings())[b], rtol=1e-5, atol=1e-6)
        if offered:
            rows = [x.offered.take(np.arange(s.start, s.stop)).indices for x, s in ((part, a), (whole, b))]
            np.testing.assert_array_equal(*rows)


@pytest.mark.parametrize(
    ("column", "bad", "message"),
    [
        ("propensity", 0.0, "session 3, step 1 has a propensity outside"),
        ("propensity", 1.5, "session 3, step 1 has a propensity outside"),
        ("rewards", np.nan, "session 3, step 1 has a reward beyond"),
        ("rewards", 1e9, "session 3, step 1 has a reward beyond"),
        ("outcomes", -0.1, "session 3, step 1 has an outcome outside"),
        ("seconds", -1.0, "session 3, step 1 took a time below 0"),
        ("actions", -1, "session 3, step 1 has no tool"),
        ("intent", 3, "session 3, step 1 has an intent that is not there"),
    ],
)
def test_a_bad_step_is_named(column, bad, message):
    values = getattr(episodes(), column).copy()
    values[5] = bad
    with pytest.raises(InputError, match=message):
        episodes(**{column: values})


def test_what_was_not_offered_cannot_be_used():
    good = episodes()
    rows = [[int(a)] for a in good.actions]
    rows[0] = [(rows[0][0] + 1) % 7]
    with pytest.raises(InputError, match="session 0, step 0 used a tool that it was not offered"):
        episodes(offered=Incidence.from_rows(rows))


@pytest.mark.parametrize(
    "wrong",
    [
        {"indptr": np.array([0, 3, 2, 4, 8])},
        {"indptr": np.array([0, 3, 4, 4, 9])},
        {"terminal": np.ones(2, np.bool_)},
        {"rewards": np.zeros(3)},
        {"offered": Incidence.from_rows([[0]])},
    ],
)
def test_columns_that_do_not_fit_are_refused(wrong):
    with pytest.raises(InputError):
        episodes(**wrong)
