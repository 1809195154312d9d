import pytest

from shgat.integrations.conversation import Done, conversation_of, done_in, query_of

CHAT = [
    {"role": "system", "content": "Be kind"},
    {"role": "user", "content": "Send the report"},
    {"role": "assistant", "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "fax", "arguments": "{}"}}]},
    {"role": "tool", "tool_call_id": "c1", "content": "Error: the line is dead"},
    {"role": "assistant", "tool_calls": [{"id": "c2", "type": "function", "function": {"name": "mail", "arguments": "{}"}}]},
    {"role": "tool", "tool_call_id": "c2", "content": "sent"},
    {"role": "assistant", "tool_calls": [{"id": "c3", "type": "function", "function": {"name": "mail", "arguments": "{}"}}]},
]
ANTHROPIC = [
    {"role": "user", "content": [{"type": "text", "text": "Send the report"}]},
    {"role": "assistant", "content": [{"type": "tool_use", "id": "c1", "name": "fax", "input": {}}]},
    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": "dead", "is_error": True}]},
    {"role": "assistant", "content": [{"type": "tool_use", "id": "c2", "name": "mail", "input": {}}]},
    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c2", "content": "sent"}]},
]
RESPONSES = [
    {"role": "user", "content": "Send the report"},
    {"type": "function_call", "call_id": "c1", "name": "fax", "arguments": "{}"},
    {"type": "function_call_output", "call_id": "c1", "output": '{"error": "the line is dead"}'},
    {"type": "function_call", "call_id": "c2", "name": "mail", "arguments": "{}"},
    {"type": "function_call_output", "call_id": "c2", "output": "sent"},
]


@pytest.mark.parametrize("messages", [CHAT, ANTHROPIC, RESPONSES])
def test_calls_and_how_they_went_are_read(messages):
    assert done_in(messages) == [Done("fax", "c1", False), Done("mail", "c2", True)]
    assert query_of(messages) == "Send the report"


def test_the_latest_wish_counts_without_credentials():
    more = [*CHAT, {"role": "user", "content": "And now  with key sk-abcdefghijklmnop1234"}]
    assert query_of(more) == "And now with key ***"
    assert query_of("Send\nit") == "Send it"
    assert query_of([{"role": "system", "content": "x"}, 3, None]) == ""
    assert done_in("text") == []


def test_a_conversation_keeps_its_name_while_it_goes_on():
    name = conversation_of(CHAT)
    assert name == conversation_of(CHAT[:2]) == conversation_of("Send the report")
    assert name != conversation_of("Send another report")
    assert "report" not in name
    assert conversation_of([]) == ""
