"""Values over sessions: what a choice is worth for all that follows it, learned by TD(lambda)."""

from typing import TYPE_CHECKING

from .. import _lazy

if TYPE_CHECKING:
    from .approximation import Linear, Network
    from .calibration import ValueCalibration, value_calibration
    from .config import TDConfig
    from .episodes import Episodes
    from .gating import ValueVerdict, worth_it
    from .gradient_td import GradientTD
    from .online import OnlineTD
    from .policy_value import doubly_robust, policy_value
    from .traces import Eligibility
    from .trainer import ValueEpoch, ValueFit, fit_values

__all__ = [
    "Eligibility",
    "Episodes",
    "GradientTD",
    "Linear",
    "Network",
    "OnlineTD",
    "TDConfig",
    "ValueCalibration",
    "ValueEpoch",
    "ValueFit",
    "ValueVerdict",
    "doubly_robust",
    "fit_values",
    "policy_value",
    "value_calibration",
    "worth_it",
]

__getattr__, __dir__ = _lazy.names(
    __name__,
    {
        "approximation": "Linear Network",
        "calibration": "ValueCalibration value_calibration",
        "config": "TDConfig",
        "episodes": "Episodes",
        "gating": "ValueVerdict worth_it",
        "gradient_td": "GradientTD",
        "online": "OnlineTD",
        "policy_value": "doubly_robust policy_value",
        "traces": "Eligibility",
        "trainer": "ValueEpoch ValueFit fit_values",
    },
)
