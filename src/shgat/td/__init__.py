"""Values over sessions: what a choice is worth for all that follows it, learned by TD(lambda)."""

from typing import TYPE_CHECKING

from .. import _lazy

if TYPE_CHECKING:
    from .approximation import Linear, Network
    from .config import TDConfig
    from .gradient_td import GradientTD
    from .online import OnlineTD
    from .traces import Eligibility

__all__ = ["Eligibility", "GradientTD", "Linear", "Network", "OnlineTD", "TDConfig"]

__getattr__, __dir__ = _lazy.names(
    __name__,
    {
        "approximation": "Linear Network",
        "config": "TDConfig",
        "gradient_td": "GradientTD",
        "online": "OnlineTD",
        "traces": "Eligibility",
    },
)
