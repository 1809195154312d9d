"""Looks at sources, evaluates the rules on each, and tells receivers; remembers it from one look to the next, also in a file."""

import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import orjson

from .._files import open_regular, write_atomically
from ..errors import InputError, ShgatError
from .evaluator import Alert, Evaluator
from .history import History
from .receivers import Receiver
from .rules import RULES, Rule
from .sources import Source

_REMEMBERED = 50  # alerts that have ended, or that nobody could be told of
_VERSION = 1


class Watch:
    """Of one or more sources.

    Parameters
    ----------
    sources : are looked at
    receivers : are told of what begins and ends, again at the next look where they could not be
    window : seconds over which shares and quantiles are taken
    state : file that remembers, so that a look of another process goes on from this one; None: none does
    rules : see `RULES`
    clock : seconds since the epoch

    Attributes
    ----------
    trouble : what could not be looked at, or told
    """

    def __init__(
        self,
        sources: Sequence[Source],
        receivers: Sequence[Receiver] = (),
        window: float = 300.0,
        *,
        state: Path | None = None,
        rules: Sequence[Rule] = RULES,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.sources, self._receivers, self._state, self._clock = tuple(sources), tuple(receivers), state, clock
        self._histories = [History(window) for _ in self.sources]
        self._evaluators = [Evaluator(s.target, rules) for s in self.sources]
        self._ended: deque[Alert] = deque(maxlen=_REMEMBERED)
        self._untold: deque[Alert] = deque(maxlen=_REMEMBERED)
        self.trouble: tuple[str, ...] = ()
        self.rules = tuple(rules)
        if state is not None and state.exists():
            self._remember(state, window)

    def look(self) -> list[Alert]:
        """Looks once at each source; what began or ended by that."""
        changed: list[Alert] = []
        for source, history, evaluator in zip(self.sources, self._histories, self._evaluators, strict=True):
            samples = source.look()
            history.add(self._clock(), samples)
            changed += evaluator.look(history)
        self._ended.extend(a for a in changed if a.state == "resolved")
        self.trouble = (*(s.trouble for s in self.sources if s.trouble), *self._tell(changed))
        if self._state is not None:
            self._write(self._state)
        return changed

    @property
    def firing(self) -> list[Alert]:
        """What fires, by source and in the order of the rules."""
        return [alert for evaluator in self._evaluators for alert in evaluator.firing]

    @property
    def ended(self) -> list[Alert]:
        """What has ended lately, the latest first."""
        return list(self._ended)[::-1]

    def values(self) -> dict[str, dict[str, float | None]]:
        """Target -> rule -> what is compared with its limit now, None where there is nothing to say."""
        return {
            s.target: {rule.name: rule.quantity.value(history) for rule in self.rules}
            for s, history in zip(self.sources, self._histories, strict=True)
        }

    def close(self) -> None:
        """Closes the sources."""
        for source in self.sources:
            source.close()

    def _tell(self, changed: Sequence[Alert]) -> tuple[str, ...]:
        """Tells receivers; what went wrong."""
        if not self._receivers:
            return ()
        self._untold.extend(changed)
        told = list(self._untold)
        if not told:
            return ()
        try:
            for receiver in self._receivers:
                receiver.tell(told)
        except ShgatError as error:
            return (str(error),)
        self._untold.clear()
        return ()

    def _write(self, path: Path) -> None:
        targets: dict[str, Any] = {
            s.target: {"history": history.to_list(), "firing": [a.to_dict() for a in evaluator.firing]}
            for s, history, evaluator in zip(self.sources, self._histories, self._evaluators, strict=True)
        }
        untold = [a.to_dict() for a in self._untold]
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(path, orjson.dumps({"version": _VERSION, "targets": targets, "untold": untold}))

    def _remember(self, path: Path, window: float) -> None:
        try:
            with open_regular(path) as file:
                known = orjson.loads(file.read())
            for i, source in enumerate(self.sources):
                found = known["targets"].get(source.target)
                if found is not None:
                    self._histories[i] = History.of(window, found["history"])
                    firing = {a["name"]: Alert(**a) for a in found["firing"]}
                    self._evaluators[i] = Evaluator(source.target, self.rules, firing)
            self._untold.extend(Alert(**a) for a in known["untold"])
        except (ValueError, TypeError, KeyError, AttributeError):
            raise InputError(f"{path} is no state of the monitor: remove it, or name another file with --state") from None
