"""Values of sessions: 50 candidates of one request, and steps of training, beside the same network in NumPy and PyTorch."""

import numpy as np

from peers import cases, contender
from shgat.experiments.planted import Plant
from shgat.td import TDConfig, fit_values


class Request:
    """What every candidate contributes to the first layer is known before; one thread."""

    params = (["shgat", "numpy", "torch"],)
    param_names = ("by",)

    def setup(self, by: str) -> None:
        self.large, self.tiny = (contender(by).value(cases.values(d, 1)) for d in (384, 8))

    def time_large(self, by: str) -> None:
        self.large()

    def time_tiny(self, by: str) -> None:
        self.tiny()


class Steps:
    """20 steps of 256 rows, d = 384."""

    params = (["shgat", "torch"],)
    param_names = ("by",)
    number, repeat, warmup_time, timeout = 1, (3, 7, 60.0), 0.0, 300.0

    def setup(self, by: str) -> None:
        self.large = contender(by).learn_values(cases.values(), 20)
        self.tiny = contender(by).learn_values(cases.values(8, 4), 20)

    def time_large(self, by: str) -> None:
        self.large()

    def time_tiny(self, by: str) -> None:
        self.tiny()

    def peakmem_large(self, by: str) -> None:
        self.large()


class Sessions:
    """An epoch over 2000 sessions of three steps: targets, batches, Adam, held-out sessions."""

    number, repeat, warmup_time, timeout = 1, (3, 5, 60.0), 0.0, 300.0

    def setup(self) -> None:
        self.world = Plant.grown(np.random.default_rng(0), foresight=True, d=384)
        self.sessions = self.world.sessions(2000, np.random.default_rng(1))

    def time_epoch(self) -> None:
        fit_values(self.sessions, self.world.tools, TDConfig(epochs=1), np.random.default_rng(0))
