"""Configuration of the model: frozen, checked at construction."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from ._check import brief, choice, number
from .errors import InputError

_CHOICES = {
    "attention": ("gatv2", "gat"),
    "similarity": ("cosine", "dot"),
    "fusion": ("mean", "sigmoid"),
    "reliability": ("smooth", "steps", "none"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class SHGATConfig:
    """What the model is; how it is trained is `TrainingConfig`.

    Attributes
    ----------
    n_heads : H, heads of the readout. None: `adaptive_heads`, reduced to a divisor of d.
    d_head : d_h, dimension of one readout head. None: d / H, so that D = H d_h = d and an untrained model ranks as cosine does.
    n_message_heads : heads of message passing; has to divide d. None: the largest divisor of d that `adaptive_heads` allows.
    attention : "gatv2" (a . leaky(S + T)) or "gat" (a . leaky([S || T]), in which the target cancels).
    similarity : "cosine" (kappa cos(q, k)) or "dot" (q_h . k_h / sqrt(d_h)).
    fusion : ranks by the "mean" of the heads' logits or by the mean of their "sigmoid"s.
    reliability : factor from success rates on the probability scale: "smooth" (Beta posterior), "steps" (0.5 / 1 / 1.2), "none".
    message_passing : whether the graph may speak; `fit` opens its gates where held-out traces say that it should.
    node_offsets : whether tools and capabilities have trainable offsets to their frozen embeddings; `fit` may choose them.
    words : whether intents, tools and capabilities are seen by their words beside their embeddings, see `model.wide`; `fit` may choose them.
    slope : negative slope of LeakyReLU in attention.
    log_scale : ln kappa of an untrained model.
    """

    n_heads: int | None = None
    d_head: int | None = None
    n_message_heads: int | None = None
    attention: Literal["gatv2", "gat"] = "gatv2"
    similarity: Literal["cosine", "dot"] = "cosine"
    fusion: Literal["mean", "sigmoid"] = "mean"
    reliability: Literal["smooth", "steps", "none"] = "smooth"
    message_passing: bool = True
    node_offsets: bool = False
    words: bool = False
    slope: float = 0.2
    log_scale: float = 2.995732273553991  # ln 20

    def __post_init__(self) -> None:
        for name, choices in _CHOICES.items():
            choice(getattr(self, name), choices, f"SHGATConfig.{name}")
        for name in ("n_heads", "d_head", "n_message_heads"):
            value = getattr(self, name)
            if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
                raise InputError(f"SHGATConfig.{name} is a positive whole number or None, not {brief(value)}")
        for name in ("message_passing", "node_offsets", "words"):
            if not isinstance(getattr(self, name), bool):
                raise InputError(f"SHGATConfig.{name} is true or false, not {brief(getattr(self, name))}")
        number(self.slope, 0.0, 0.99, "SHGATConfig.slope")
        number(self.log_scale, -10.0, 10.0, "SHGATConfig.log_scale")

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "SHGATConfig":
        """From JSON values; an unknown field is an error that names it."""
        unknown = sorted(set(values) - {f.name for f in fields(cls)})
        if unknown:
            raise InputError(f"SHGATConfig has no field {brief(unknown[0])}")
        try:
            return cls(**values)
        except TypeError as error:
            raise InputError(f"SHGATConfig: {error}") from None


def adaptive_heads(n_tools: int, n_capabilities: int, max_level: int = 0) -> tuple[int, int]:
    """Heads and head dimension for a graph of this size.

    N = n_tools + n_capabilities: < 50 -> 4, < 200 -> 6, < 500 -> 8, < 1000 -> 12, else 16; +1 where the highest level is 2,
    +2 where it is 3 or more, at most 16. Head dimension 16 for N < 200, else 32.

    Returns
    -------
    (n_heads, d_head)
    """
    for name, value in (("n_tools", n_tools), ("n_capabilities", n_capabilities), ("max_level", max_level)):
        if value < 0:
            raise InputError(f"adaptive_heads: {name} is at least 0, not {value}")
    n = n_tools + n_capabilities
    heads = 4 if n < 50 else 6 if n < 200 else 8 if n < 500 else 12 if n < 1000 else 16
    heads += 2 if max_level >= 3 else 1 if max_level == 2 else 0
    return min(16, heads), 16 if n < 200 else 32


def largest_divisor(d: int, at_most: int) -> int:
    """The largest divisor of d that is <= at_most."""
    return next(h for h in range(min(d, at_most), 0, -1) if d % h == 0)
