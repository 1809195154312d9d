"""A state is replaced and never changed."""

import dataclasses

import numpy as np
import pytest

from shgat import SHGAT, SHGATConfig
from shgat.model import ModelState, model_file
from worlds import catalog, pairs, trained, unit

X = unit(np.random.default_rng(0), 16)
CHANGES = {
    "add_tool": lambda m: m.add_tool({"id": "new", "embedding": X}),
    "add_capability": lambda m: m.add_capability({"id": "new", "embedding": X, "tools": ["t1"], "capabilities": ["c9"]}),
    "remove a tool": lambda m: m.remove("t0"),
    "remove a capability": lambda m: m.remove("c0"),
    "set_cooccurrence": lambda m: m.set_cooccurrence(pairs()[:3]),
    "take co-occurrence out": lambda m: m.set_cooccurrence([]),
    "import_params": lambda m: m.import_params(trained(seed=0, config=m.config).export_params()),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_of_the_model_leaves_the_state_before_as_it_was(change):
    model = SHGAT.from_catalog(catalog(), SHGATConfig(node_offsets=True))
    model.set_cooccurrence(pairs())
    model.index()
    before, content = model.state, model_file.to_bytes(model.state)
    change(model)
    assert model.state is not before
    assert model_file.to_bytes(before) == content
    assert model.to_bytes() != content


def test_a_state_cannot_be_written_to():
    with pytest.raises(dataclasses.FrozenInstanceError):
        trained().state.report = {}


def test_the_seed_draws_the_noise_and_nothing_else():
    one, same, other = (ModelState.untrained(catalog(), SHGATConfig(), seed) for seed in (3, 3, [3, 1]))
    assert one.params.buffer.tobytes() == same.params.buffer.tobytes()
    moved = {name for name in one.params if not np.array_equal(one.params[name], other.params[name])}
    assert {name.split(".")[-1] for name in moved} == {"w_child", "w_parent", "a_up", "a_down"}
