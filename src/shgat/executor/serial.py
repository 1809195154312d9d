"""The executor of one process: this one."""

from collections.abc import Iterable, Iterator
from functools import partial

from .contract import Executor, OnEvent, R, S, Shared, T, Task


class Serial(Executor):
    """Works here, an item after the other; nothing is pickled."""

    jobs, moved = 1, 0

    def share(self, value: S) -> Shared[S]:
        """The value as it is."""
        return Shared(value)

    def map(self, task: Task[S, T, R], shared: Shared[S], items: Iterable[T], on_event: OnEvent | None = None) -> Iterator[R]:
        """An item is worked on when its result is asked for."""
        tell = on_event or (lambda _number, _event: None)
        for number, item in enumerate(items):
            yield task(shared.value, item, partial(tell, number))

    def close(self) -> None:
        """There is nothing to end."""
