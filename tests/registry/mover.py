"""Moves production back and forth between versions as fast as it can; run by test_endurance.py: python mover.py URL TIMES WHO VERSION...

Prints a line for each move that was made, and at the end how often somebody else was faster.
"""

import sys

from shgat.errors import ConflictError
from shgat.registry import StoreRegistry
from shgat.store import Store


def main(url: str, times: int, who: str, versions: list[int]) -> None:
    conflicts = 0
    with Store.open(url, timeout=60.0) as store:
        registry = StoreRegistry(store)
        for i in range(times):
            present = registry.aliases()["production"]
            to = versions[i % len(versions)]
            try:
                move = registry.move("production", to, expected=present, action="promote", who=who, why=f"the {i}th time")
                print(move.number, flush=True)
            except ConflictError:
                conflicts += 1
    print(f"conflicts {conflicts}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3], [int(v) for v in sys.argv[4:]])
