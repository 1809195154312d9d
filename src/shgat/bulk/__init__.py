"""Many intents at once: a file of them in, a file of ranked tools out."""

from typing import TYPE_CHECKING

from .. import _lazy

if TYPE_CHECKING:
    from .carried import Carried
    from .intents import read_intents
    from .ranked import Ranked, write_ranked
    from .ranking import rank_bulk

__all__ = ["Carried", "Ranked", "rank_bulk", "read_intents", "write_ranked"]

__getattr__, __dir__ = _lazy.names(
    __name__, {"carried": "Carried", "intents": "read_intents", "ranked": "Ranked write_ranked", "ranking": "rank_bulk"}
)
