"""Learning from traces."""

import numpy as np

from ..model import SHGAT, Params
from .batches import Examples
from .config import TrainingConfig
from .examples import Traces, load_traces
from .fit import fit
from .objective import Objective
from .partial import partial_fit
from .replay import PrioritizedReplay
from .report import Comparison, TrainReport
from .trainer import Epoch, Trainer

__all__ = [
    "Comparison",
    "Epoch",
    "Examples",
    "PrioritizedReplay",
    "Traces",
    "TrainReport",
    "Trainer",
    "TrainingConfig",
    "fit",
    "load_traces",
    "loss_and_gradient",
    "partial_fit",
]


def loss_and_gradient(model: SHGAT, traces: Traces) -> tuple[float, Params]:
    """The loss of all traces as one batch and its exact gradient, for anyone who wants to check it.

    Deterministic: no noise, no dropping, every candidate, temperature 1. Perturb `model.params.buffer` and call again for a difference
    quotient (`model.invalidate()` afterwards, if the model is to rank with what was written).

    Returns
    -------
    loss : float
    gradient : Params, of the layout of `model.params`
    """
    examples = Examples.build(model.catalog, traces)
    gradient = model.params.gradient()
    objective = Objective(model.catalog, model.cooccurrence, model.config)
    step = objective(model.params, examples.batch(np.arange(len(traces))), gradient)
    return step.loss, gradient
