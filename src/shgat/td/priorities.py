"""TD errors of logged sessions, for what learns from their traces: as replay priorities, and as weights in the ranking's loss.

    td of a trace   the largest |G_t - q_t| of its steps
    advantage       the mean of G_t - mean of q(s_t, a) over what was offered
    weight          min(exp(advantage / temperature), most), of mean 1           (advantage weighting; Peng et al., 2019)

A ranker that learns with such weights learns less of what those did who were logged, and more of what turned out well.
"""

from dataclasses import dataclass, replace

import numpy as np

from .. import _check
from .._types import Float32, Float64, Int64
from ..errors import InputError
from ..model.value_network import ValueNetwork
from ..traces import Traces
from ..traces.reward import Reward
from ..traces.session_columns import Sessions
from .config import TDConfig
from .logged import episodes_of
from .policy_value import seen_by
from .trainer import value_targets

MOST = 20.0  # that one trace weighs


@dataclass(frozen=True, eq=False)
class TraceErrors:
    """By trace, in the order in which they stand in the sessions.

    Attributes
    ----------
    ids : n of them
    td, advantage : (n,) in units of the reward
    """

    ids: tuple[str, ...]
    td: Float64
    advantage: Float64

    @classmethod
    def of(
        cls, network: ValueNetwork, sessions: Sessions, embeddings: Float32, reward: Reward, config: TDConfig | None = None
    ) -> "TraceErrors":
        """Of a network that learned from states of ids alone, as `learn` has them; `config` says what targets are."""
        episodes = episodes_of(sessions, reward, len(embeddings), ids_alone=True)
        q, target = value_targets(network, episodes, embeddings, config or TDConfig(gamma=reward.gamma))
        mean = seen_by(network, episodes, embeddings, 1.0).expected
        row: dict[str, int] = {}
        of_step: Int64 = np.array([row.setdefault(step.trace.id, len(row)) for step in sessions.steps], np.int64)
        td, advantage = np.zeros(len(row)), np.zeros(len(row))
        np.maximum.at(td, of_step, np.abs(target - q))
        np.add.at(advantage, of_step, target - mean)
        return cls(tuple(row), td, advantage / np.maximum(np.bincount(of_step, minlength=len(row)), 1))

    def prioritized(self, traces: Traces) -> Traces:
        """The traces with the errors that prioritised replay begins with (`TrainingConfig.replay`); InputError as `weighted`."""
        return replace(traces, td=self._of(traces, self.td))

    def weighted(self, traces: Traces, temperature: float = 0.2, most: float = MOST) -> Traces:
        """The traces with their weight times that of their advantage; those of no session keep theirs.

        Raises
        ------
        InputError
            where none of the traces is of these sessions.
        """
        _check.number(temperature, 1e-3, 1e3, "temperature")
        _check.number(most, 1.0, 1e6, "most")
        weight = np.minimum(np.exp(np.minimum(self.advantage / temperature, np.log(most))), most)
        factors = np.nan_to_num(self._of(traces, weight / weight.mean()), nan=1.0)
        return replace(traces, weight=(traces.weight * factors).astype(np.float32))

    def _of(self, traces: Traces, values: Float64) -> Float64:
        """(N,) of each of the traces, NaN where it is of no session."""
        known = dict(zip(self.ids, values.tolist(), strict=True))
        found = np.array([known.get(key, known.get(_trace_of(key), np.nan)) for key in traces.ids.tolist()], np.float64)
        if len(found) and np.isnan(found).all():
            raise InputError("none of the traces is of these sessions: give those that the sessions were made of")
        return found


def _trace_of(key: str) -> str:
    """The id of the trace, of a step `Sessions.asked` calls id#number."""
    head, mark, tail = key.rpartition("#")
    return head if mark and tail.isdigit() else key
