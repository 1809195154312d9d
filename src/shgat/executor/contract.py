"""What an executor is: it runs one function over many items, in the order of the items, wherever that happens to be."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

S = TypeVar("S")
T = TypeVar("T")
R = TypeVar("R")
Tell = Callable[[Any], None]  # says something small of work that is under way
Task = Callable[[S, T, Tell], R]
OnEvent = Callable[[int, Any], None]


@dataclass(frozen=True, eq=False)
class Shared(Generic[S]):
    """What every item's work needs, brought to each process once.

    Attributes
    ----------
    value : as it is here; nobody may change it, and elsewhere its arrays are read-only
    place : where other processes find it
    """

    value: S
    place: Any = None


class Executor(ABC):
    """Runs pure functions of picklable arguments. Objects are pickled between the executor's own processes only.

    Attributes
    ----------
    jobs : how many items are worked on at once
    moved : bytes that went to and from other processes
    """

    jobs: int
    moved: int

    @abstractmethod
    def share(self, value: S) -> Shared[S]:
        """Makes a value known to all processes; it is let go of at the end, with the executor."""

    @abstractmethod
    def map(self, task: Task[S, T, R], shared: Shared[S], items: Iterable[T], on_event: OnEvent | None = None) -> Iterator[R]:
        """`task(shared.value, item, tell)` of each item, in their order; few items are taken ahead of the results.

        Work whose process or machine ended is done anew, so `task` must not do anything that may not happen twice.

        Parameters
        ----------
        task : a function of a module
        on_event : called here with the item's number and what its work told; what is said twice comes twice, and some of it may be lost

        Raises
        ------
        ShgatError
            as the task raised it. WorkerError for any other error of a task, and where a process ended each time that it had the item.
        """

    @abstractmethod
    def close(self) -> None:
        """Ends the processes; what is under way is given up."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
