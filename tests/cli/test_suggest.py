"""`shgat suggest`."""

import json

from shgat import SHGAT, Catalog
from worlds import SAMPLE

USED = ("files.read_file", "calendar.book_room")


def test_it_says_what_the_model_says(ask):
    code, out, err = ask("suggest", *USED, "--catalog", SAMPLE, "--top", 4, "--json")
    assert (code, err) == (0, "")
    found = json.loads(out)
    expected = SHGAT.from_catalog(Catalog.load(SAMPLE)).suggest(USED, top_k=4)
    assert [item["id"] for item in found["items"]] == list(expected.ids)
    assert (found["context_tools"], found["values_weight"]) == (list(USED), None)
    assert USED[1] not in expected.ids


def test_an_intent_and_reasons_for_people(ask):
    code, out, _ = ask("suggest", USED[0], "--catalog", SAMPLE, "--intent", "tell the team about the meeting", "--explain")
    assert code == 0
    assert "cosine" in out
    assert "calendar.create_event" in out


def test_mistakes_are_one_line(ask):
    for code, arguments in ((1, ["nope"]), (2, [USED[0], "--encoder", "x"]), (2, [])):
        found, out, err = ask("suggest", *arguments, "--catalog", SAMPLE)
        assert (found, out) == (code, "")
        assert err.startswith("shgat: error: ")
