"""The catalogue changes while it serves: what was learned follows the ids, what is wrong is named, no request fails."""

import threading

import numpy as np
import pytest

from people import until, use, written
from shgat import Catalog
from shgat.errors import InputError
from shgat.store import Store
from worlds import Counting

TOOLS = [
    {"id": "mail.send", "text": "Sends an email to somebody", "server": "mail"},
    {"id": "mail.read", "text": "Reads the latest email", "server": "mail"},
    {"id": "calendar.add", "text": "Adds an appointment to the calendar", "server": "calendar"},
]
LISTED = {
    "tools": [
        {"name": "send_message", "description": "Sends a message", "inputSchema": {"type": "object", "properties": {"to": {}}}},
        {"name": "read_file", "description": "Reads a file from the disk"},
    ]
}


@pytest.fixture
def ranker(open_ranker):
    return open_ranker(catalog=Catalog.from_records(TOOLS))


def ids(ranker):
    return [t.id for t in ranker.catalog.tools]


def test_tools_come_change_and_go_between_two_requests(ranker, sqlite_url):
    version = ranker.model_version
    change = ranker.add(
        [{"id": "files.read", "text": "Reads a file"}, {"id": "mail.send", "text": "Sends a letter"}],
        [{"id": "tag:reading", "tools": ["files.read", "mail.read"]}],
    )
    assert (change.tools.added, change.tools.changed, change.capabilities.added) == (
        ("files.read",),
        ("mail.send",),
        ("tag:reading",),
    )
    assert ranker.rank("read the file", 1).ids == ("files.read",)
    assert ranker.rank("a letter", 1).ids == ("mail.send",)
    assert set(ranker.rank("read", 9, tags=["reading"]).ids) == {"files.read", "mail.read"}
    assert ranker.rank_sets("reading", 1).tools == (("mail.read", "files.read"),)
    assert ranker.remove("mail.send").tools.removed == ("mail.send",)
    assert "mail.send" not in ranker.rank("a letter", 9).ids
    assert ranker.model_version == version
    until(lambda: not ranker.stats()["waiting_for_store"])
    with Store.open(sqlite_url) as store:
        until(lambda: {t.id for t in store.catalog()[0]} == {"mail.send", "mail.read", "calendar.add", "files.read"})
    assert ranker.add().to_dict() == ranker.remove([]).to_dict() == type(change)().to_dict()


def test_what_is_wrong_is_left_out_and_named_and_the_rest_goes_on(ranker):
    change = ranker.add(
        [{"id": "good", "text": "fine"}, {"id": 7}, {"text": "nameless"}, {"id": "short", "embedding": [1.0] * 8}, 3]
    )
    assert change.tools.added == ("good",)
    assert len(change.left_out) >= 4
    for part in ('not the number 7: write "7"', "the id of a tool", "'short'", "a tool is a record"):
        assert any(part in sentence for sentence in change.left_out), part
    for bad in (lambda: ranker.remove("unknown"), lambda: ranker.remove(7), lambda: ranker.rename("unknown", "new")):
        with pytest.raises(InputError):
            bad()
    assert ids(ranker)[:3] == [t["id"] for t in TOOLS]


def test_a_snapshot_brings_the_difference_and_encodes_nothing_again(open_ranker):
    counting = Counting()
    ranker = open_ranker(catalog=Catalog.from_records(TOOLS), encoder=counting)
    change = ranker.sync(LISTED, server="files")
    assert change.tools.added == ("files/send_message", "files/read_file")
    assert ranker.rank("read the file", 1).ids == ("files/read_file",)
    before = len(counting.texts)
    assert not any(ranker.sync(LISTED, server="files").tools.to_dict().values())
    assert len(counting.texts) == before
    listed = {"tools": [LISTED["tools"][1], {"description": "nameless"}, {"name": "copy_file", "description": "Copies a file"}]}
    change = ranker.sync(listed, server="files")
    assert (change.tools.added, change.tools.removed) == (("files/copy_file",), ("files/send_message",))
    assert any("it has no name" in sentence for sentence in change.left_out)
    assert len(counting.texts) <= before + 3  # the new tool, its server, and a request's text
    assert {"mail.send", "mail.read", "calendar.add"} < set(ids(ranker))
    for empty in ({"tools": []}, {"tools": [{"description": "nameless"}]}, None):
        with pytest.raises(InputError, match="holds no tool"):
            ranker.sync(empty, server="files")
    assert "files/copy_file" in ids(ranker)


def test_a_renamed_tool_keeps_what_was_learned_and_is_found_by_both_ids(open_ranker, sqlite_url):
    ranker = open_ranker(catalog=Catalog.from_records(TOOLS), debounce=0.0)
    for _ in range(4):
        assert ranker.feedback(ranker.rank("zapp zopp", 3).decision_id, tools=["calendar.add"], outcome=1.0)
    written(ranker)
    assert ranker.maybe_train().version == 1
    late = ranker.rank("zapp", 3, session="s", order="stable")
    assert ranker.rename("calendar.add", "agenda.new").renamed == {"calendar.add": "agenda.new"}
    assert ids(ranker) == ["mail.send", "mail.read", "agenda.new"]
    assert ranker.rank("zapp zopp", 1).ids == ("agenda.new",)
    assert ranker.rank("zapp zopp", 3, candidates=["calendar.add"]).ids == ("agenda.new",)
    assert "calendar.add" not in ranker.rank("zapp", 3, session="s", order="stable").ids
    assert ranker.feedback(late.decision_id, tools=["calendar.add"], outcome=1.0)  # by who does not know yet
    written(ranker)
    assert ranker.maybe_train().traces >= 1
    assert ranker.stats()["unlearnable_feedback"] == 0
    with Store.open(sqlite_url) as store:
        until(lambda: store.former_ids() == {"calendar.add": "agenda.new"})
    ranker.close()
    again = open_ranker(catalog=Catalog.from_records([*TOOLS[:2], TOOLS[2] | {"id": "agenda.new"}]))
    assert again.rank("zapp zopp", 1).ids == ("agenda.new",)
    with pytest.raises(InputError, match="the id is taken"):
        again.rename("mail.send", "mail.read")


def taught(ranker, word):
    """The tool that is the last for a word, and the first after it worked for it, and the version that learned that."""
    tool = ranker.rank(word, 9).ids[-1]
    for _ in range(6):
        assert ranker.feedback(ranker.rank(word, 3).decision_id, tools=[tool], outcome=1.0)
    written(ranker)
    version = ranker.maybe_train().version
    assert ranker.rank(word, 1).ids == (tool,)
    return tool, version


def test_a_tool_that_comes_back_has_its_history(open_ranker):
    ranker = open_ranker(catalog=Catalog.from_records(TOOLS), debounce=0.0)
    tool, version = taught(ranker, "zapp zopp")
    assert version == 1
    ranker.remove(tool)
    assert tool not in ranker.rank("zapp zopp", 3).ids
    assert taught(ranker, "blub")[1] == 2  # trained while it is away
    ranker.add([t for t in TOOLS if t["id"] == tool])
    answer = ranker.rank("zapp zopp", 1, explain=True)
    assert (answer.ids, answer.model_version) == ((tool,), "v2")
    assert answer.explanations[0].channels["memory"] > -1.0  # log of its share of the votes; without a vote it is -6.9


def test_two_gateways_of_other_catalogues_do_not_unlearn_each_other(open_ranker):
    mail, calendar = (
        open_ranker(catalog=Catalog.from_records([*some, {"id": "clock", "text": "Tells the time"}]), debounce=0.0)
        for some in (TOOLS[:2], [TOOLS[2], {"id": "calendar.drop", "text": "Cancels"}])
    )
    of_mail, version = taught(mail, "zapp zopp")
    assert version == 1
    calendar.refresh()
    of_calendar, version = taught(calendar, "blub")
    assert version == 2
    mail.refresh()
    assert (mail.model_version, mail.rank("zapp zopp", 1).ids) == ("v2", (of_mail,))
    assert set(mail.rank("blub", 9).ids) == {"mail.send", "mail.read", "clock"}
    assert taught(mail, "plim")[1] == 3
    calendar.refresh()
    assert (calendar.model_version, calendar.rank("blub", 1).ids) == ("v3", (of_calendar,))


def test_no_request_fails_while_the_catalogue_changes(open_ranker, catalog, people):
    ranker, stop, faults, seen = open_ranker(), threading.Event(), [], set()
    extra = [{"id": f"extra.{i}", "text": f"extra {i}", "embedding": people[i][0]} for i in range(6)]

    def ask(n):
        while not stop.is_set():
            answer = ranker.rank(people[n][0], 3, session=f"s{n}", order=("score", "stable")[n % 2])
            seen.add(answer.ids)
            if answer.degraded or answer.ranked_by != "model" or len(answer) < 3:
                faults.append(answer)

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(3):
        ranker.add(extra)
        ranker.remove([e["id"] for e in extra])
    stop.set()
    for thread in threads:
        thread.join()
    assert faults == []
    assert len(seen) > 3
    assert not any(i.startswith("extra.") for i in ranker.rank(people[0][0], 83).ids)
    assert ranker.catalog.tool_column == catalog.tool_column


def test_a_catalogue_without_an_encoder_takes_what_brings_its_embedding(open_ranker, catalog):
    ranker = open_ranker()
    x = np.asarray(catalog.tool_embeddings[0])
    change = ranker.add([{"id": "bare", "text": "no vector"}, {"id": "twin", "text": "a vector", "embedding": x}])
    assert change.tools.added == ("twin",)
    assert "tool 'bare' has no embedding" in change.left_out[0]
    assert "twin" in ranker.rank(x, 2).ids
    use(ranker, [(x, "twin", ["twin"])])
