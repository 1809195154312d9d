"""Gates of message passing while it is trained: opened at the start, kept within [0, 1]."""

from ..model.params import Params
from .config import TrainingConfig


def opened(params: Params, config: TrainingConfig) -> Params:
    """A copy in which gates that were never trained are opened as the configuration says."""
    params, (_, _, _, rho) = params.copy(), config.settled()
    for k in range(params.layout.n_levels):
        for way, bias in (("up", config.gate_up_bias), ("down", config.gate_down_bias)):
            gate = params[f"level{k}.gate_{way}"]
            if not gate.any():
                gate[:] = (rho, 0.0, bias)
    return params


def clamp_gates(params: Params) -> None:
    """Projects every rho into [0, 1]."""
    for k in range(params.layout.n_levels):
        for way in ("up", "down"):
            gate = params[f"level{k}.gate_{way}"]
            gate[0] = min(1.0, max(0.0, float(gate[0])))
