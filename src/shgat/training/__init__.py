"""Learning from traces."""

from typing import TYPE_CHECKING

import numpy as np

from ..model import Params
from .config import TrainingConfig
from .examples import Examples
from .fit import fit
from .objective import Objective
from .replay import PrioritizedReplay
from .report import Comparison, TrainReport
from .trainer import Epoch, Trainer
from .update import partial_fit

if TYPE_CHECKING:
    from ..shgat import SHGAT
    from ..traces import Traces

__all__ = [
    "Comparison",
    "Epoch",
    "Examples",
    "PrioritizedReplay",
    "TrainReport",
    "Trainer",
    "TrainingConfig",
    "fit",
    "loss_and_gradient",
    "partial_fit",
]


def loss_and_gradient(model: "SHGAT", traces: "Traces") -> tuple[float, Params]:
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
