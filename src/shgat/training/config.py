"""How a model is trained: frozen, checked at construction."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal

from .. import _check
from ..errors import InputError

FEW_TRACES = 200  # below: fewer epochs, which are enough to learn by heart
MANY_TRACES = 3000  # from here on: larger batches, higher learning rate
BY_OCCASION = ("epochs", "batch_size", "lr", "rho")


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainingConfig:
    """Settings of a training run, chosen on validation over several real catalogues.

    The recipe stands here and nowhere else. What depends on the occasion is None until `for_fit` or `for_update` fills it in, so that
    what a caller sets changes that alone.

    Attributes
    ----------
    epochs, batch_size : passes over the traces, traces a step; None: by the occasion
    lr : peak learning rate of matrices and offsets, None: by the occasion; scalars (scale, gates, V->V) learn `scalar_lr_factor` times
        as fast
    warmup : share of all steps over which the learning rate rises
    weight_decay, offset_decay : decoupled, per unit of learning rate
    clip : bound of the gradient's global norm
    intent_noise : of each coordinate of an intent, in units of 1 / sqrt(d), before it is normalised again
    offset_dropout : probability with which a node's offset is left out of a step
    rho, gate_up_bias, gate_down_bias : where gates start when they are closed and message passing is trained; rho None: by the occasion
    train_intent_map : also train W_intent, which W_q makes redundant
    temperature : of the softmax over cosines. None: 1 / kappa, learned. (first, last), such as (0.10, 0.06): annealed linearly from step to
        step, and kappa stays as it is. With dot products it divides z.
    unseen_damping : factor on the weight of tools without any training trace among the negatives
    leave_batch_out : hide from each step the capabilities for which only its own traces vouch
    positives : the tools of a trace are set "apart", each against what did not run, or share one softmax "together"
    negatives : all candidates, or for each intent `n_negatives` of them at "random", from the 25th to the 75th percentile of their scores
        ("semi-hard"), or harder as accuracy grows ("curriculum")
    all_candidates_up_to : beyond this many tools (or capabilities) a step sees a pool of `pool_size` of them
    replay : "shuffle", or "prioritized" by td error (Schaul et al., 2016)
    alpha, beta, priority_eps : of prioritised replay; beta rises to 1
    patience : epochs without a better validation after which a run stops
    degradation : fall of Hit@1 below the best at which a run stops at once
    """

    epochs: int | None = None
    batch_size: int | None = None
    lr: float | None = None
    scalar_lr_factor: float = 10.0
    warmup: float = 0.05
    weight_decay: float = 0.01
    offset_decay: float = 0.01
    clip: float = 1.0
    intent_noise: float = 0.5
    offset_dropout: float = 0.5
    rho: float | None = None
    gate_up_bias: float = -1.0
    gate_down_bias: float = -2.2
    train_intent_map: bool = False
    temperature: tuple[float, float] | None = None
    unseen_damping: float = 0.1
    leave_batch_out: bool = True
    positives: Literal["apart", "together"] = "apart"
    negatives: Literal["all", "random", "semi-hard", "curriculum"] = "all"
    n_negatives: int = 64
    all_candidates_up_to: int = 20_000
    pool_size: int = 4096
    replay: Literal["shuffle", "prioritized"] = "shuffle"
    alpha: float = 0.6
    beta: float = 0.4
    priority_eps: float = 0.01
    patience: int = 5
    degradation: float = 0.10

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "n_negatives", "all_candidates_up_to", "pool_size", "patience"):
            if getattr(self, name) is not None or name not in BY_OCCASION:
                _check.positive_integer(getattr(self, name), f"TrainingConfig.{name}")
        for name, (low, high) in _RANGES.items():
            if getattr(self, name) is not None or name not in BY_OCCASION:
                _check.number(getattr(self, name), low, high, f"TrainingConfig.{name}")
        for name in ("train_intent_map", "leave_batch_out"):
            if not isinstance(getattr(self, name), bool):
                raise InputError(f"TrainingConfig.{name} is true or false, not {_check.brief(getattr(self, name))}")
        _check.choice(self.negatives, ("all", "random", "semi-hard", "curriculum"), "TrainingConfig.negatives")
        _check.choice(self.positives, ("apart", "together"), "TrainingConfig.positives")
        _check.choice(self.replay, ("shuffle", "prioritized"), "TrainingConfig.replay")
        if self.temperature is not None:
            if not isinstance(self.temperature, Sequence) or len(self.temperature) != 2:
                raise InputError(f"TrainingConfig.temperature is (first, last) or None, not {_check.brief(self.temperature)}")
            object.__setattr__(self, "temperature", tuple(self.temperature))
            for value in self.temperature:
                _check.number(value, 1e-3, 1e3, "TrainingConfig.temperature")

    @classmethod
    def for_fit(cls, n_traces: int, given: "TrainingConfig | None" = None) -> "TrainingConfig":
        """The settings of a training from scratch on n_traces traces; what is not None in `given` stays as it is."""
        many = n_traces >= MANY_TRACES
        epochs = 10 if many else 12 if n_traces >= FEW_TRACES else 8
        return cls._filled(given, epochs=epochs, batch_size=512 if many else 128, lr=4e-3 if many else 1e-3, rho=1.0)

    @classmethod
    def for_update(cls, given: "TrainingConfig | None" = None) -> "TrainingConfig":
        """The settings of a few steps from where a model is; what is not None in `given` stays as it is."""
        return cls._filled(given, epochs=1, batch_size=32, lr=3e-4, rho=0.0)

    @classmethod
    def _filled(cls, given: "TrainingConfig | None", **values: float) -> "TrainingConfig":
        config = given or cls()
        missing: dict[str, Any] = {name: value for name, value in values.items() if getattr(config, name) is None}
        return replace(config, **missing)

    def settled(self) -> tuple[int, int, float, float]:
        """(epochs, batch_size, lr, rho); InputError where the occasion has not been settled."""
        values = self.epochs, self.batch_size, self.lr, self.rho
        if any(value is None for value in values):
            raise InputError("TrainingConfig: epochs, batch_size, lr or rho is None; take TrainingConfig.for_fit or .for_update")
        return values  # type: ignore[return-value]

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON values."""
        return {**asdict(self), "temperature": None if self.temperature is None else list(self.temperature)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "TrainingConfig":
        """From JSON values; an unknown field is an error that names it."""
        unknown = sorted(set(values) - {f.name for f in fields(cls)})
        if unknown:
            raise InputError(f"TrainingConfig has no field {_check.brief(unknown[0])}")
        return cls(**values)


_RANGES = {
    "lr": (1e-8, 1.0),
    "scalar_lr_factor": (0.0, 1e3),
    "warmup": (0.0, 1.0),
    "weight_decay": (0.0, 10.0),
    "offset_decay": (0.0, 10.0),
    "clip": (1e-6, 1e6),
    "intent_noise": (0.0, 10.0),
    "offset_dropout": (0.0, 0.99),
    "rho": (0.0, 1.0),
    "gate_up_bias": (-10.0, 10.0),
    "gate_down_bias": (-10.0, 10.0),
    "unseen_damping": (1e-6, 1.0),
    "alpha": (0.0, 1.0),
    "beta": (0.0, 1.0),
    "priority_eps": (1e-9, 1.0),
    "degradation": (0.0, 1.0),
}
