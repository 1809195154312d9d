import pytest

from shgat.web import browse
from shgat.web.problems import Problem


def ids(nodes):
    return [node["id"] for node in nodes]


def test_from_the_top_down_and_up_again(small):
    top = browse.neighbours(small)
    assert (ids(top["members"]), top["focus"]) == (["report"], None)
    report = browse.neighbours(small, "report")
    assert ids(report["members"]) == ["send", "files.t5"]
    assert (report["focus"]["level"], report["focus"]["size"]) == (1, 2)
    send = browse.neighbours(small, "send")
    assert (ids(send["parents"]), ids(send["members"])) == (["report"], ["mail.t0", "mail.t1"])
    tool = browse.neighbours(small, "mail.t1")
    assert (ids(tool["parents"]), tool["members"], tool["focus"]["kind"]) == (["send"], [], "tool")


def test_what_is_not_there(small):
    with pytest.raises(Problem, match=r"not-found|nothing called") as caught:
        browse.neighbours(small, "nobody")
    assert caught.value.kind == "not-found"


def test_pages_end(small):
    page = browse.tools(small, 8, 5)
    assert (len(page["items"]), page["total"], page["next_offset"]) == (2, 10, None)
    assert browse.capabilities(small, 5, 5)["items"] == []
