"""What the document says of a body is what is checked of it."""

from shgat.web import asked, documents
from shgat.web.documents import FeedbackBody, RankAnswer, RankBody, WhyNotAnswer, WhyNotBody


def test_members_are_those_that_are_read():
    assert set(RankBody.model_fields) == asked.RANK
    assert set(WhyNotBody.model_fields) == asked.WHY_NOT
    assert set(FeedbackBody.model_fields) == asked.FEEDBACK


def test_answers_are_as_described(asking, vector):
    got = asking.post("/v1/rank", {"embedding": vector, "explain": True}).json()
    assert set(got) == set(RankAnswer.model_fields)
    assert set(got["items"][0]) <= set(documents.Item.model_fields)
    said = asking.post("/v1/why-not", {"embedding": vector, "tool": "mail.t3"}).json()
    assert set(said) == set(WhyNotAnswer.model_fields)
