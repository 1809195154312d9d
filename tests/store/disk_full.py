"""Writes traces until no file may grow any more, then is given space again; run by test_endurance.py.

python disk_full.py URL
"""

import json
import resource
import sys

import numpy as np

from shgat.errors import StoreError
from shgat.store import Store
from shgat.traces import Trace

D = 8


def main(url: str) -> None:
    acknowledged = []
    failure = ""
    with Store.open(url, D) as store:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, resource.RLIM_INFINITY))
        for i in range(10_000):
            trace = Trace(id=f"t{i}", intent="x" * 5000, embedding=np.zeros(D, np.float32))
            try:
                store.add_trace(trace)
            except StoreError as error:
                failure = str(error)
                break
            acknowledged.append(trace.id)
        readable = store.trace("t0") is not None
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        recovered = store.add_trace(trace)
    print(json.dumps({"acknowledged": acknowledged, "failure": failure, "readable": readable, "recovered": recovered}))


if __name__ == "__main__":
    main(sys.argv[1])
