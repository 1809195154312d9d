"""Learning from traces."""

import numpy as np

from ..model import ModelState, Params
from ..traces import Traces
from .config import TrainingConfig
from .examples import Examples
from .fit import Fitted, fit
from .objective import Objective
from .replay import PrioritizedReplay
from .report import TrainReport
from .trainer import Epoch, Trainer
from .update import partial_fit

__all__ = [
    "Epoch",
    "Examples",
    "Fitted",
    "PrioritizedReplay",
    "TrainReport",
    "Trainer",
    "TrainingConfig",
    "fit",
    "loss_and_gradient",
    "partial_fit",
]


def loss_and_gradient(state: ModelState, traces: Traces) -> tuple[float, Params]:
    """The loss of all traces as one batch and its exact gradient, for anyone who wants to check it.

    Deterministic: no noise, no dropping, every candidate, temperature 1. Perturb `state.params.buffer` and call again for a difference
    quotient (`invalidate()` of the model afterwards, if it is to rank with what was written).

    Parameters
    ----------
    state : of a model, `SHGAT.state`

    Returns
    -------
    loss : float
    gradient : Params, of the layout of `state.params`
    """
    examples = Examples.build(state.catalog, traces)
    gradient = state.params.gradient()
    objective = Objective(state.catalog, state.cooccurrence, state.config)
    step = objective(state.params, examples.batch(np.arange(len(traces))), gradient)
    return step.loss, gradient
