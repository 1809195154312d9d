"""A local server that answers as Anthropic's and OpenAI's do where a model searches, calls what it found, and says what came of it."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count

QUERY = "mail the report to Anna"


class _Vendor(BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.bodies.append(body)
        request = json.loads(body)
        answer = _messages(request, self.server.ids) if self.path.endswith("/messages") else _responses(request, self.server.ids)
        data = json.dumps(answer).encode()
        self.send_response(400 if answer.get("error") else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@contextmanager
def vendor():
    """(URL, the bodies of the requests so far)."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Vendor)
    server.bodies, server.ids = [], count(1)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", server.bodies
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _messages(request, ids):
    """Anthropic: a reference to a tool that is not in the list is refused, and so is a list of deferred tools alone."""
    listed = {t["name"] for t in request["tools"]}
    if all(t.get("defer_loading") for t in request["tools"]):
        return {"type": "error", "error": {"type": "invalid_request_error", "message": "at least one tool must not be deferred"}}
    results = [b for m in request["messages"] if isinstance(m["content"], list) for b in m["content"] if b["type"] == "tool_result"]
    named = [
        c["tool_name"] for r in results if isinstance(r["content"], list) for c in r["content"] if c["type"] == "tool_reference"
    ]
    if set(named) - listed:
        return {"type": "error", "error": {"type": "invalid_request_error", "message": "tool_reference_unresolved"}}
    if not results:
        block = {"type": "tool_use", "id": f"toolu_{next(ids)}", "name": "find_tools", "input": {"query": QUERY}}
    elif len(results) == 1 and named:
        block = {"type": "tool_use", "id": f"toolu_{next(ids)}", "name": named[0], "input": {}}
    else:
        block = {"type": "text", "text": "The report is sent."}
    return {
        "id": f"msg_{next(ids)}", "type": "message", "role": "assistant", "model": request["model"], "content": [block],
        "stop_reason": "end_turn" if block["type"] == "text" else "tool_use", "stop_sequence": None,
        "usage": {"input_tokens": 1, "output_tokens": 1},
    }  # fmt: skip


def _responses(request, ids):
    """OpenAI: what a search gave can be called, and nothing else that is not in the list."""
    items = request["input"]
    loaded = [t for i in items if i.get("type") == "tool_search_output" for t in i["tools"]]
    if any(not t.get("defer_loading") for t in loaded if t["type"] == "function"):
        return {"error": {"message": "what a search gives is deferred", "type": "invalid_request_error"}}
    n = next(ids)
    if not any(i.get("type") == "tool_search_output" for i in items):
        item = {
            "type": "tool_search_call", "id": f"ts_{n}", "call_id": f"call_{n}", "execution": "client", "status": "completed",
            "arguments": {"query": QUERY},
        }  # fmt: skip
    elif loaded and not any(i.get("type") == "function_call_output" for i in items):
        item = {
            "type": "function_call",
            "id": f"fc_{n}",
            "call_id": f"call_{n}",
            "name": loaded[0]["name"],
            "arguments": "{}",
            "status": "completed",
        }
    else:
        text = {"type": "output_text", "text": "The report is sent.", "annotations": []}
        item = {"type": "message", "id": f"msg_{n}", "role": "assistant", "status": "completed", "content": [text]}
    return {
        "id": f"resp_{n}", "object": "response", "created_at": 1, "model": request["model"], "status": "completed", "output": [item],
        "tools": [], "tool_choice": "auto", "parallel_tool_calls": True, "error": None, "incomplete_details": None, "instructions": None,
        "metadata": {}, "temperature": 1.0, "top_p": 1.0,
    }  # fmt: skip
