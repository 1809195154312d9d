"""Values at logged steps are those of their states."""

import numpy as np
import pytest

from shgat import Catalog, Trace
from shgat.errors import InputError
from shgat.model.session_state import N_FACTS
from shgat.model.value_network import ValueLayout, ValueNetwork
from shgat.td.logged import episodes_of
from shgat.td.step_values import StepValues
from shgat.td.trainer import values
from shgat.traces import Reward, Sessions

EYE = np.eye(8, dtype=np.float32)
CATALOG = Catalog.from_records([{"id": f"t{i}", "embedding": EYE[i]} for i in range(6)], [])
NETWORK = ValueNetwork.initial(ValueLayout(24 + N_FACTS, 8, (16, 8, 4)), np.random.default_rng(0))


@pytest.mark.parametrize("ids_alone", [True, False])
def test_they_are_those_of_the_states(ids_alone):
    traces = [
        Trace(id="a", embedding=EYE[7], tools=["t4", "t3"], context_tools=["t5", "t1"], outcome=0.2, session="s", step=0),
        Trace(id="b", embedding=EYE[6], tools=["t0"], outcome=1.0, session="s", step=1),
    ]
    found = Sessions.of(traces, CATALOG)
    of = StepValues.over(NETWORK, CATALOG, ids_alone=ids_alone)
    expected = values(NETWORK, episodes_of(found, Reward(), 6, ids_alone=ids_alone), EYE[:6])
    mine = [of.values(step)[found.chosen[t]] for t, step in enumerate(found.steps)]
    np.testing.assert_allclose(mine, expected, rtol=1e-4, atol=1e-6)


def test_without_embeddings_there_are_none():
    with pytest.raises(InputError, match="none of tools"):
        StepValues.over(NETWORK, Catalog.from_records([{"id": "t"}], []))
    (step,) = Sessions.of([Trace(id="a", embedding=EYE[7], tools=["t4"], session="s", step=0)], CATALOG).steps
    object.__setattr__(step.trace, "embedding", None)
    with pytest.raises(InputError, match="'a' has no embedding"):
        StepValues.over(NETWORK, CATALOG).values(step)
