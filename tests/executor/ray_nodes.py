"""A Ray cluster of two nodes on this machine: a program of its own, since Ray's threads and warnings are its own. Prints JSON."""

import json
import sys

import numpy as np
from ray.cluster_utils import Cluster

from executor import work
from shgat import SHGAT, Traces
from shgat.bulk import rank_bulk
from shgat.executor import Serial, open_executor
from shgat.traces import Trace
from training import planted


def main(folder):
    cluster = Cluster(
        initialize_head=True, head_node_args={"num_cpus": 1, "object_store_memory": 10**8, "include_dashboard": False}
    )
    second = cluster.add_node(num_cpus=1, object_store_memory=10**8)
    cluster.wait_for_nodes()
    try:
        found = measured(cluster, second, folder)
    finally:
        cluster.shutdown()
    print(json.dumps(found))


def measured(cluster, second, folder):
    found = {}
    with open_executor(f"ray:{cluster.address}") as executor:
        found["jobs"] = executor.jobs
        found["nodes"] = len(set(executor.map(work.node, executor.share(None), range(8))))
        found["killed"] = list(executor.map(work.dies_once, executor.share(folder), range(6)))
        found["fit"], found["ranked"] = whole(executor)
        matrix = np.random.default_rng(0).standard_normal((40, 30), dtype=np.float32)
        told, rows = [], []
        for item, row in executor.map(
            work.slow_product, executor.share(matrix), range(20), lambda number, event: told.append(number)
        ):
            rows.append(row)
            if item == 4:
                cluster.remove_node(second)
        expected = [work.product(matrix, item, lambda event: None)[1] for item in range(20)]
        found["same"] = all(np.array_equal(a, b) for a, b in zip(rows, expected, strict=True))
        found["told"] = len(set(told))
        found["moved"] = executor.moved
    return found


def whole(executor):
    """(Are the weights of a fit on the cluster those of one here? Is what is ranked in bulk?)"""
    of, records, _ = planted.rotated(np.random.default_rng(3), n_tools=24, n_traces=240, d=16)
    traces, models = Traces.from_records(records, of), [SHGAT.from_catalog(of) for _ in range(2)]
    for model, over in zip(models, (executor, Serial()), strict=True):
        model.fit(traces, epochs=2, lr=1e-2, force=True, executor=over)
    asked = list(enumerate((Trace(id=f"t{i}", embedding=x) for i, x in enumerate(traces.vectors(np.arange(240)))), 1)) * 3
    ranked = [list(rank_bulk(models[1], asked, over)) for over in (executor, Serial())]
    return bool(np.array_equal(models[0].params.buffer, models[1].params.buffer)), ranked[0] == ranked[1]


if __name__ == "__main__":
    main(sys.argv[1])
