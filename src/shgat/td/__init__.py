"""Values over sessions: what a choice is worth for all that follows it, learned by TD(lambda)."""

from typing import TYPE_CHECKING

from .. import _lazy

if TYPE_CHECKING:
    from .approximation import Linear, Network
    from .config import TDConfig
    from .episodes import Episodes
    from .gating import ValueVerdict, worth_it
    from .gradient_td import GradientTD
    from .learning import ValueReport
    from .online import OnlineTD
    from .policy_value import policy_value
    from .priorities import TraceErrors
    from .step_values import StepValues
    from .traces import Eligibility
    from .trainer import ValueEpoch, ValueFit, fit_values

__all__ = [
    "Eligibility",
    "Episodes",
    "GradientTD",
    "Linear",
    "Network",
    "OnlineTD",
    "StepValues",
    "TDConfig",
    "TraceErrors",
    "ValueEpoch",
    "ValueFit",
    "ValueReport",
    "ValueVerdict",
    "fit_values",
    "policy_value",
    "worth_it",
]

__getattr__, __dir__ = _lazy.names(
    __name__,
    {
        "approximation": "Linear Network",
        "config": "TDConfig",
        "episodes": "Episodes",
        "gating": "ValueVerdict worth_it",
        "gradient_td": "GradientTD",
        "learning": "ValueReport",
        "online": "OnlineTD",
        "policy_value": "policy_value",
        "priorities": "TraceErrors",
        "step_values": "StepValues",
        "traces": "Eligibility",
        "trainer": "ValueEpoch ValueFit fit_values",
    },
)
