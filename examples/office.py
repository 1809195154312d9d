"""The tools of an office, which the examples share."""

SAID = {
    "send_fax": "Sends a document to a telephone number",
    "send_mail": "Sends an e-mail to a person",
    "read_file": "Reads a file from the disk",
    "list_events": "Lists the events of a calendar",
    "get_weather": "Tells the weather of a city",
}
SCHEMA = {"type": "object", "properties": {"of": {"type": "string"}}}
CHAT_TOOLS = [{"type": "function", "function": {"name": n, "description": d, "parameters": SCHEMA}} for n, d in SAID.items()]


def run(name: str) -> str:
    """Where a real agent would run the tool."""
    if name == "send_fax":
        raise ConnectionError("the line is dead")
    return "done"
