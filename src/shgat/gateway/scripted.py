"""An MCP server on stdio that does what its script says, for measurements and tests: `python -I -S scripted.py SCRIPT.json`.

Needs nothing but the standard library, so that twenty of them start in a second.

    {"name": ..., "tools": [definitions], "behave": "well" | "die" | "hang", "needs": NAME of an environment variable}

Without the variable that it needs it lists no tools, as many servers do. A tool does what its name begins with:

    fail...    answers with isError            refuse...  answers with an error of the protocol
    sleep...   answers after `seconds`         quit...    ends the server without an answer
    become     lists `tools` from now on, and says that they changed
    others     answer with their name and arguments
"""

import json
import os
import sys
import time
from typing import Any

_VERSION = "2025-06-18"


def _say(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}, separators=(",", ":")) + "\n")
    sys.stdout.flush()


def _text(text: str, **more: Any) -> dict[str, Any]:
    return {"content": [{"type": "text", "text": text}], **more}


def _call(script: dict[str, Any], name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Result or error of one call."""
    if name.startswith("quit"):
        os._exit(3)
    if name.startswith("fail"):
        return {"result": _text("it failed", isError=True)}
    if name.startswith("refuse"):
        return {"error": {"code": -32603, "message": "refused"}}
    if name.startswith("sleep"):
        time.sleep(float(arguments.get("seconds", 1.0)))
    if name == "become":
        script["tools"] = arguments["tools"]
        _say({"method": "notifications/tools/list_changed"})
    return {"result": _text(json.dumps({"tool": name, "arguments": arguments, "pid": os.getpid()}))}


def _answer(script: dict[str, Any], method: str, params: dict[str, Any]) -> dict[str, Any]:
    if method == "initialize":
        about = {"name": script["name"], "version": "1"}
        return {"result": {"protocolVersion": _VERSION, "capabilities": {"tools": {"listChanged": True}}, "serverInfo": about}}
    if method == "tools/list":
        there = "needs" not in script or script["needs"] in os.environ
        return {"result": {"tools": script["tools"] if there else []}}
    if method == "tools/call":
        return _call(script, params["name"], params.get("arguments") or {})
    return {"result": {}} if method == "ping" else {"error": {"code": -32601, "message": "Method not found"}}


def main(path: str) -> None:
    """Serves until stdin ends."""
    with open(path, encoding="utf-8") as file:  # noqa: PTH123
        script = json.load(file)
    if script.get("behave") == "die":
        sys.exit("it has no credentials")
    if script.get("behave") == "hang":
        time.sleep(3600.0)
    for line in sys.stdin:
        asked = json.loads(line)
        if "id" in asked and "method" in asked:
            _say({"id": asked["id"], **_answer(script, asked["method"], asked.get("params") or {})})


if __name__ == "__main__":
    main(sys.argv[1])
