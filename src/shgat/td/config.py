"""How values are learned: frozen, checked at construction."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from .. import _check
from ..errors import InputError

Rule = Literal["sarsa", "expected"]
Correction = Literal["none", "clipped", "retrace", "v-trace"]
RULES = ("sarsa", "expected")
CORRECTIONS = ("none", "clipped", "retrace", "v-trace")


@dataclass(frozen=True, kw_only=True, slots=True)
class TDConfig:
    """Settings of TD(lambda).

    Attributes
    ----------
    gamma : discount of the next step
    lam : lambda, decay of what later steps say
    rule : "sarsa": the value of what was done next; "expected": the mean value under the target policy of what was offered next
    correction : of "expected", where those who were logged did not choose as the target policy would: "none"; "clipped", the ratio of
        probabilities cut at `ratio_clip`; "retrace" (Munos et al., 2016), cut at 1; "v-trace" (Espeholt et al., 2018), which weighs the
        errors by the ratio cut at `ratio_clip` too
    ratio_clip : bound of pi / propensity
    epsilon : of the target policy, which takes the best of what is offered, and with this probability any of it
    refresh : epochs after which targets are computed anew with a copy of the network; 0: in each step with the network itself
    epochs : most passes over the sessions
    batch_size : steps of whole sessions that one update sees, about
    lr, warmup, weight_decay, clip : of Adam, as in `TrainingConfig`
    held_out : share of the sessions that decides which epoch is kept
    patience : epochs without a better one after which a run stops
    """

    gamma: float = 0.99
    lam: float = 0.95
    rule: Rule = "sarsa"
    correction: Correction = "none"
    ratio_clip: float = 1.0
    epsilon: float = 0.05
    refresh: int = 1
    epochs: int = 12
    batch_size: int = 256
    lr: float = 1e-3
    warmup: float = 0.05
    weight_decay: float = 0.01
    clip: float = 1.0
    held_out: float = 0.1
    patience: int = 3

    def __post_init__(self) -> None:
        for name, (low, high) in _RANGES.items():
            _check.number(getattr(self, name), low, high, f"TDConfig.{name}")
        for name in ("epochs", "batch_size", "patience"):
            _check.positive_integer(getattr(self, name), f"TDConfig.{name}")
        if isinstance(self.refresh, bool) or not isinstance(self.refresh, int) or self.refresh < 0:
            raise InputError(f"TDConfig.refresh is a whole number of at least 0, not {_check.brief(self.refresh)}")
        _check.choice(self.rule, RULES, "TDConfig.rule")
        _check.choice(self.correction, CORRECTIONS, "TDConfig.correction")
        if self.rule == "sarsa" and self.correction != "none":
            raise InputError(f"TDConfig.correction {self.correction} needs the rule expected: sarsa learns what was done")

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "TDConfig":
        """From JSON values; an unknown field is an error that names it."""
        unknown = sorted(set(values) - {f.name for f in fields(cls)})
        if unknown:
            raise InputError(f"TDConfig has no field {_check.brief(unknown[0])}")
        return cls(**values)


_RANGES = {
    "gamma": (0.0, 1.0),
    "lam": (0.0, 1.0),
    "ratio_clip": (1e-3, 1e6),
    "epsilon": (0.0, 1.0),
    "lr": (1e-8, 1.0),
    "warmup": (0.0, 1.0),
    "weight_decay": (0.0, 10.0),
    "clip": (1e-6, 1e6),
    "held_out": (0.0, 0.9),
}
