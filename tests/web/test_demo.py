import time

import numpy as np

from shgat import Trace
from shgat.web.demo import Visitors
from shgat.web.learned import Curve


def test_visitors_ask_and_tell(ranker):
    traces = [
        Trace(id=f"t{i}", intent="x", embedding=np.eye(8, dtype=np.float32)[i], tools=("mail.t0",), outcome=1.0) for i in range(3)
    ]
    with Visitors(ranker, Curve(), traces, per_second=200.0):
        while ranker.stats()["answers"]["all"] < 5:
            time.sleep(0.01)
    stats = ranker.stats()
    assert stats["success"]["waiting_for_training"] >= 4
