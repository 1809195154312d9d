"""Calls that are under way: a bounded number, results in the order of the items, and anew what was lost."""

import logging
from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator
from typing import TypeVar

from ..errors import WorkerError

RETRIES = 3  # times that work is done anew whose process ended
AHEAD = 4  # calls under way or waiting for an earlier result, for each that runs
_log = logging.getLogger("shgat")
H = TypeVar("H", bound=Hashable)


def in_order(
    calls: Iterable[bytes],
    start: Callable[[int, bytes], H],
    ended: Callable[[Collection[H]], list[tuple[H, bytes | None]]],
    jobs: int,
) -> Iterator[bytes]:
    """Answers of calls, in their order.

    Parameters
    ----------
    start : of a number and its call gives a handle
    ended : waits a while, and says which handles ended with which answer, None where the process ended without one
    jobs : that run at once
    """
    source, left = enumerate(calls), True
    under_way, unanswered, answers = dict[H, int](), dict[int, bytes](), dict[int, bytes]()
    lost, next_out = Counter[int](), 0
    while True:
        while left and len(unanswered) + len(answers) < AHEAD * jobs:
            found = next(source, None)
            if found is None:
                left = False
                break
            number, call = found
            unanswered[number] = call
            under_way[start(number, call)] = number
        if not under_way:
            return
        for handle, answer in ended(under_way):
            number = under_way.pop(handle)
            if answer is not None:
                answers[number] = answer
                del unanswered[number]
                continue
            lost[number] += 1
            if lost[number] > RETRIES:
                raise WorkerError(
                    f"the process that worked on item {number} ended {lost[number]} times without an answer, most likely out of memory: "
                    "give fewer jobs, or more memory"
                )
            _log.warning("a process ended while item %d was under way: it is done anew (%d of %d)", number, lost[number], RETRIES)
            under_way[start(number, unanswered[number])] = number
        while next_out in answers:
            yield answers.pop(next_out)
            next_out += 1
