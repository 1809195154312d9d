"""From a request to what goes out: recorded, counted, and never refused because something beside it failed."""

import numpy as np

from shgat import SHGAT, Catalog
from shgat.registry import ServedVersion
from shgat.serving.answering import Answering
from shgat.serving.request import Request

CATALOG = Catalog.from_records([{"id": i, "embedding": e} for i, e in zip("abc", np.eye(3, 8), strict=True)], [])
SERVED = ServedVersion("v3", 3, SHGAT.from_catalog(CATALOG), "late")


def test_what_is_recorded_is_what_goes_out():
    records = []

    def record(request, found, ranked):
        records.append((request, tuple(r.id for r in ranked)))
        return "d1", "the store is away"

    answering = Answering(CATALOG, record)
    request = Request(np.ones(8), 2)
    answer = answering.answer(SERVED, request)
    assert records == [(request, answer.ids)]
    assert (answer.decision_id, answer.degraded, answer.model_version) == ("d1", ("late", "the store is away"), "v3")
    assert answering.observed.answers == {"all": 1, "degraded": 1}
    assert [a.ids for a in answering.answers(SERVED, [request, request])] == [answer.ids] * 2
    assert answering.observed.answers["all"] == len(records) == 3


def test_an_answer_does_without_what_cannot_be_told():
    answering = Answering(CATALOG, lambda request, found, ranked: ("d1", ""))
    answering.recent = None
    answer = answering.answer(SERVED, Request(np.ones(8), 2))
    assert len(answer) == 2
    assert answer.degraded[0].startswith("without what came in lately: ")
