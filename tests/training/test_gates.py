"""Gates of message passing: opened where they were never trained, and held in [0, 1]."""

import numpy as np
import pytest

from shgat import InputError, TrainingConfig
from shgat.training.gates import clamp_gates, opened
from training import planted


def test_gates_are_projected_and_opened():
    model, _, _ = planted.planted_model()
    params = opened(model.params, planted.settled(rho=0.6, gate_up_bias=-1.0, gate_down_bias=-2.0))
    np.testing.assert_allclose(params["level0.gate_up"], [0.6, 0.0, -1.0])
    np.testing.assert_allclose(params["level0.gate_down"], [0.6, 0.0, -2.0])
    assert not model.params["level0.gate_up"].any()
    params["level0.gate_up"][0], params["level0.gate_down"][0] = 1.5, -0.1
    clamp_gates(params)
    assert (params["level0.gate_up"][0], params["level0.gate_down"][0]) == (1.0, 0.0)
    again = opened(params, planted.settled(rho=0.3))
    assert again["level0.gate_up"][0] == 1.0  # what was trained goes on from where it was


def test_only_a_settled_rho_opens():
    model, _, _ = planted.planted_model()
    with pytest.raises(InputError, match="rho is None"):
        opened(model.params, TrainingConfig())
    assert not opened(model.params, TrainingConfig.for_update())["level0.gate_up"][0]
