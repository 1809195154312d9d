"""The report of a training, as JSON values."""

import json
import math

from shgat.metrics.gate import Comparison
from shgat.training import Epoch, TrainReport

NAN = float("nan")


def test_what_is_no_number_becomes_null_and_the_rest_stays():
    epoch = Epoch(1, 2, 0.5, 1e-3, NAN, {"all": {"hit@1": NAN, "n": 3}}, NAN, 0.1, "plain, fold 1/3", 1, 4)
    against = Comparison("cosine", "all", 0.6, 0.5, -math.inf, 0.2, 40)
    report = TrainReport(
        accepted=False, reason="not better", epochs=[epoch], losses=[0.5, NAN], comparisons=[against], validation={},
        weights={"seen": {"semantic": 0.7}}, choices={"epochs": 2, "temperature": None}, td_errors={"x0": 0.25},
        gradient_norms={"readout": [1.0]}, seconds={"total": 0.2}, seed=3, n_traces=40, skipped=[("x9", "has no embedding")],
    )  # fmt: skip
    values = report.to_dict()
    assert json.loads(json.dumps(values, allow_nan=False)) == values
    assert values["losses"] == [0.5, None]
    assert values["epochs"][0]["validation"] == {"all": {"hit@1": None, "n": 3}}
    assert (values["epochs"][0]["value"], values["epochs"][0]["stage"], values["epochs"][0]["runs"]) == (None, "plain, fold 1/3", 4)
    assert (values["comparisons"][0]["low"], values["comparisons"][0]["high"]) == (None, 0.2)
    assert (values["choices"], values["td_errors"], values["seed"]) == (report.choices, {"x0": 0.25}, 3)
