"""The scripted server speaks as servers do, with nothing but the standard library."""

import json
import subprocess
import sys

from scripted_servers import BECOME, MAIL, SCRIPTED, entry, tool


def talk(folder, tools, *messages, **more):
    """Answers to messages, and the exit code."""
    made = entry(folder, "it", tools, **more)
    lines = "".join(json.dumps({"jsonrpc": "2.0", **m}) + "\n" for m in messages)
    done = subprocess.run([made["command"], *made["args"]], input=lines, capture_output=True, text=True, timeout=30, check=False)
    return [json.loads(line) for line in done.stdout.splitlines()], done.returncode


def test_it_needs_nothing_and_ends_with_its_input(tmp_path):
    code = f"import sys, runpy; runpy.run_path({SCRIPTED!r}); print(sorted(m for m in sys.modules if 'numpy' in m or 'mcp' in m))"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
    (answer,), exit_code = talk(tmp_path, MAIL, {"id": 1, "method": "initialize"}, {"method": "notifications/initialized"})
    assert answer["result"]["serverInfo"]["name"] == "it"
    assert exit_code == 0


def test_what_tools_do(tmp_path):
    tools = [tool("fail_x"), tool("refuse_x"), BECOME, tool("other")]
    calls = [
        {"id": i, "method": "tools/call", "params": {"name": t["name"], "arguments": {"tools": MAIL}}} for i, t in enumerate(tools)
    ]
    answers, _ = talk(
        tmp_path, tools, *calls, {"id": 9, "method": "tools/list"}, {"id": 10, "method": "x"}, {"id": 11, "method": "ping"}
    )
    by_id = {a.get("id"): a for a in answers}
    assert by_id[0]["result"]["isError"]
    assert by_id[1]["error"]["message"] == "refused"
    assert by_id[None]["method"] == "notifications/tools/list_changed"
    assert json.loads(by_id[3]["result"]["content"][0]["text"])["tool"] == "other"
    assert by_id[9]["result"]["tools"] == MAIL
    assert by_id[10]["error"]["code"] == -32601
    assert by_id[11]["result"] == {}
    assert talk(tmp_path, [tool("quit")], {"id": 1, "method": "tools/call", "params": {"name": "quit"}}) == ([], 3)


def test_how_it_behaves(tmp_path):
    ask = {"id": 1, "method": "tools/list"}
    assert talk(tmp_path, MAIL, ask, needs="NOT_SET_ANYWHERE")[0][0]["result"]["tools"] == []
    assert talk(tmp_path, MAIL, ask, behave="die") == ([], 1)
