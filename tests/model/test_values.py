"""What is computed once a version gives the same values as the network over whole states."""

import numpy as np
import pytest

from shgat.errors import InputError
from shgat.model.session_state import SessionState, facts, states
from shgat.model.value_network import ValueLayout, ValueNetwork
from shgat.model.values import Values

D, N = 6, 9
RNG = np.random.default_rng(0)
EMBEDDINGS = RNG.standard_normal((N, D), dtype=np.float32)
NETWORK = ValueNetwork.initial(ValueLayout(state=3 * D + 5, action=D, hidden=(16, 8, 4)), RNG)


@pytest.mark.parametrize("used", [(), (2,), (2, 2, 7)])
def test_values_are_those_of_the_whole_state(used):
    intent = RNG.standard_normal(D, dtype=np.float32)
    outcomes, seconds = np.array([0.2, 1.0, 0.0][: len(used)]), np.full(len(used), 30.0)
    begin, until = np.array([0]), np.array([len(used)])
    state = states(intent[None], EMBEDDINGS[list(used)], facts(outcomes, seconds, begin, until)[:1], begin, until)
    expected = NETWORK.forward(np.repeat(state, N, axis=0), EMBEDDINGS).q
    now = SessionState(used, tuple(outcomes), float(seconds.sum()))
    values = Values.build(NETWORK, EMBEDDINGS)
    np.testing.assert_allclose(values.of(intent, now), expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(values.of(intent, now, [4, 1]), expected[[4, 1]], rtol=1e-4, atol=1e-6)


def test_another_dimension_and_unknown_rows_are_refused():
    with pytest.raises(InputError, match="states of"):
        Values.build(NETWORK, np.zeros((N, D + 1), np.float32))
    values = Values.build(NETWORK, EMBEDDINGS)
    with pytest.raises(InputError, match="rows of tools"):
        values.of(EMBEDDINGS[0], SessionState(), [N])
    with pytest.raises(InputError, match="rows of tools"):
        values.of(EMBEDDINGS[0], SessionState((-1,)))
