import pytest

from shgat.client.results import Item, Page, Ranking, Tool
from shgat.errors import RemoteError

ANSWER = {
    "decision_id": "d", "kind": "tools", "items": [{"id": "a", "score": 0.5, "later": 1}], "model_version": "v1", "ranked_by": "model",
    "calibrated": True, "degraded": [], "new_member": 3,
}  # fmt: skip


def test_members_of_a_newer_server_are_left_alone():
    found = Ranking.of(ANSWER)
    assert list(found) == [Item("a", 0.5)]
    assert (found.ids, len(found)) == (["a"], 1)


@pytest.mark.parametrize("wrong", [{}, [], {**ANSWER, "items": 3}, {k: v for k, v in ANSWER.items() if k != "kind"}, None])
def test_what_is_no_ranking_is_an_error(wrong):
    with pytest.raises(RemoteError):
        Ranking.of(wrong)


def test_pages():
    page = Page.of({"items": [{"id": "a", "text": "", "server": ""}], "total": 5, "next_offset": 1}, Tool.of)
    assert (page.items[0].id, page.total, page.next_offset) == ("a", 5, 1)
