"""Turns become traces: what worked, what failed, what was used before; a turn that was logged again is one."""

import pytest

from shgat.importers.turns import Call, Sessions, Turn, called, failure, intent_of, shown, text_of, when


def traces(*turns, session="s"):
    sessions = Sessions("test")
    sessions.add(session, turns)
    return list(sessions.traces())


def test_a_turn_is_what_worked_and_a_trace_for_each_tool_that_failed():
    calls = [
        Call("a", "1", "", 10.0, 11.0),
        Call("b", "2", "no"),
        Call("c", "3", "no"),
        Call("c", "4", "", 12.0, 12.5),
        Call("d", "5"),
    ]
    worked, failed = traces(Turn("do it", calls, 9.0))
    assert (worked.tools, worked.outcome, worked.error) == (("a", "c"), 1.0, None)
    assert (worked.timestamp, worked.duration_ms) == (9.0, 2500.0)
    assert (failed.tools, failed.outcome, failed.error, failed.parent_id) == (("b",), 0.0, "no", worked.id)


def test_where_no_result_was_logged_calls_count_as_worked():
    assert [t.tools for t in traces(Turn("x", [Call("a"), Call("b")]))] == [("a", "b")]


def test_later_turns_know_what_was_used_before():
    found = traces(Turn("x", [Call("a", "1", "")]), Turn("idle"), Turn("y", [Call("b", "2", "")]), Turn("z", [Call("a", "3", "")]))
    assert [t.context for t in found] == [(), ("a",), ("a", "b")]


def test_a_turn_that_was_logged_again_with_more_calls_is_one():
    sessions = Sessions("test")
    first, second = Call("a", "1", ""), Call("b", "2", "")
    sessions.add("", [Turn("x", [first])])
    sessions.add("", [Turn("x", [first, second]), Turn("y", [Call("c", "3", "")])])
    sessions.add("", [Turn("x", [first, second])])
    assert [(t.intent, t.tools) for t in sessions.traces()] == [("x", ("a", "b")), ("y", ("c",))]


def test_ids_are_the_same_at_the_next_import_and_differ_between_sessions():
    turn = Turn("x", [Call("a", "1", "")])
    assert traces(turn)[0].id == traces(turn)[0].id
    assert traces(turn)[0].id != traces(turn, session="t")[0].id


@pytest.mark.parametrize(
    ("result", "why"),
    [
        ("Error: no such file", "Error: no such file"),
        ("Traceback (most recent call last):\n  x", "Traceback (most recent call last): x"),
        ('{"error": {"message": "quota"}}', "quota"),
        ({"isError": True, "content": [{"type": "text", "text": "denied"}]}, "denied"),
        ({"status": "error", "content": "slow"}, "slow"),
        ({"success": False}, "it failed"),
        ([{"type": "text", "text": "Error calling tool: x"}], "Error calling tool: x"),
        ({"output": {"kwargs": {"status": "error", "content": "inner"}}}, "inner"),
        ("7 degrees", ""),
        ("Errors are listed below. None: fine", ""),
        ('{"error": null, "data": []}', ""),
        ('{"error": 0}', ""),
        ("{broken", ""),
        (None, ""),
        ([[[[[[{"error": "deep"}]]]]]], ""),
    ],
)
def test_results_say_whether_a_call_failed(result, why):
    assert failure(result) == why


def test_errors_and_intents_are_one_bounded_line_without_credentials():
    assert shown("a\nb sk-abcdefghijklmnopqrst") == "a b ***"
    assert len(shown("x " * 1000)) <= 300
    assert shown({"type": "Timeout"}) == "Timeout"
    assert shown(7) == shown("") == "it failed"
    assert intent_of("use sk-abcdefghijklmnopqrst\0 now") == "use *** now"


def test_times_names_and_texts_of_all_kinds():
    assert when({"timestamp": "2026-01-01T00:00:00Z"}) == 1767225600.0
    assert when({"created": 1767225600}) == when({"startTimeUnixNano": "1767225600000000000"}, "startTimeUnixNano") == 1767225600.0
    assert when({"timestamp": "soon", "created": [1]}) is None
    assert called(" a ") == "a"
    assert called(None) == called("x" * 600) == ""
    assert (
        text_of(["a", {"type": "text", "text": "b"}, {"type": "image"}, {"type": "input_text", "text": 3}, {"content": "c"}])
        == "a b c"
    )
