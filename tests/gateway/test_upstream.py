"""Servers behind the gateway, real ones: that die, hang, change, refuse, and come back."""

import os
import signal
import sys
from contextlib import asynccontextmanager

import anyio
import pytest

from scripted_servers import BECOME, MAIL, entry, pids, tool, until
from shgat.gateway.upstream import EMPTY, Upstream
from shgat.importers import Server

ODD = [tool("fail_always"), tool("refuse_always"), tool("sleep_long"), tool("quit_now"), BECOME, *MAIL]


def server(folder, tools, name="odd", timeout=20.0, **more):
    made = entry(folder, name, tools, **more)
    return Server(name, (made["command"], *made["args"]), env=made["env"], timeout=timeout)


@asynccontextmanager
async def run(server, answers_within=20.0):
    upstream = Upstream(server, lambda it: None, answers_within)
    async with anyio.create_task_group() as group:
        group.start_soon(upstream.run)
        yield upstream
        group.cancel_scope.cancel()


def test_what_becomes_of_calls(tmp_path):
    async def main():
        async with run(server(tmp_path, ODD), answers_within=1.0) as upstream:
            await until(lambda: upstream.state == "ready")
            outcomes = {}
            for name in ("send_message", "fail_always", "refuse_always"):
                reply = await upstream.call(name, {"seconds": 3})
                outcomes[name] = (reply.outcome, reply.result is not None)
            assert outcomes == {
                "send_message": ("worked", True),
                "fail_always": ("failed", True),
                "refuse_always": ("protocol error", False),
            }
            assert (await upstream.call("refuse_always", {})).why == "the server odd refused: refused (-32603)"
            gone = await upstream.call("quit_now", {})
            assert (gone.outcome, gone.why, upstream.lost) == ("gone", "the server odd ended before it answered", 1)
            back = await upstream.call("send_message", {})  # waits until it was started again
            assert (back.outcome, upstream.starts) == ("worked", 2)

    anyio.run(main)


def test_a_call_that_takes_too_long_fails_and_the_server_stays_where_it_answers(tmp_path):
    async def main():
        async with run(server(tmp_path, ODD), answers_within=0.5) as upstream:
            await until(lambda: upstream.state == "ready")
            reply = await upstream.call("sleep_long", {"seconds": 0.9})
            assert (reply.outcome, reply.why) == ("time-out", "sleep_long did not answer within 0.5 s")
            assert 400.0 < reply.milliseconds < 5000.0
            await anyio.sleep(0.6)
            assert (await upstream.call("send_message", {})).outcome == "worked"
            assert upstream.starts == 1

    anyio.run(main)


@pytest.mark.slow
def test_a_server_that_hangs_after_a_call_is_started_again(tmp_path):
    async def main():
        async with run(server(tmp_path, ODD, timeout=1.5), answers_within=0.3) as upstream:
            await until(lambda: upstream.state == "ready")
            assert (await upstream.call("sleep_long", {"seconds": 3600})).outcome == "time-out"
            await until(lambda: upstream.starts == 2 and upstream.state == "ready")
            assert (await upstream.call("send_message", {})).outcome == "worked"

    anyio.run(main)


def test_a_server_that_changes_its_tools(tmp_path):
    async def main():
        async with run(server(tmp_path, ODD)) as upstream:
            await until(lambda: upstream.state == "ready")
            await upstream.call("become", {"tools": [BECOME]})
            await until(lambda: [t["name"] for t in upstream.tools] == ["become"])
            await upstream.call("become", {"tools": []})
            await until(lambda: upstream.state == "without tools")
            assert upstream.error == EMPTY

    anyio.run(main)


@pytest.mark.slow
def test_a_server_of_the_generation_of_2026_that_changes_its_tools(tmp_path):
    script = tmp_path / "modern.py"
    script.write_text(
        "from mcp.server.mcpserver import Context, MCPServer\n"
        "made = MCPServer('modern', log_level='ERROR')\n"
        "def other() -> str:\n    'Another one.'\n    return 'x'\n"
        "@made.tool()\nasync def more(ctx: Context) -> str:\n"
        "    'Adds one.'\n    made.add_tool(other)\n    await ctx.notify_tools_changed()\n    return 'done'\n"
        "made.run('stdio')\n"
    )

    async def main():
        async with run(Server("modern", (sys.executable, str(script)), timeout=60.0)) as upstream:
            await until(lambda: upstream.state == "ready", 60.0)
            assert [t["name"] for t in upstream.tools] == ["more"]
            assert (await upstream.call("more", {})).outcome == "worked"
            await until(lambda: [t["name"] for t in upstream.tools] == ["more", "other"])

    anyio.run(main)


def test_a_server_whose_environment_is_not_complete_is_at_fault(tmp_path):
    async def main():
        async with run(server(tmp_path, MAIL, needs="MAIL_KEY")) as upstream:
            await until(lambda: upstream.state == "without tools")
            assert upstream.error == "it lists no tools: is its environment complete?"
        async with run(server(tmp_path, MAIL, needs="MAIL_KEY", env={"MAIL_KEY": "x"})) as upstream:
            await until(lambda: upstream.state == "ready")

    anyio.run(main)


@pytest.mark.parametrize(
    ("behave", "said"),
    [("die", "it wrote: it has no credentials"), ("hang", "it did not answer within 0.5 s")],
    ids=["dies", "hangs"],
)
def test_a_server_that_does_not_start(tmp_path, behave, said):
    async def main():
        async with run(server(tmp_path, MAIL, behave=behave, timeout=0.5 if behave == "hang" else 20.0)) as upstream:
            await until(lambda: upstream.state == "waiting")
            assert said in upstream.error

    anyio.run(main)


def test_a_program_that_is_not_there(tmp_path):
    async def main():
        async with run(Server("none", ("no-such-program-here",), timeout=5.0)) as upstream:
            await until(lambda: upstream.state == "waiting")
            assert "it cannot be started: No such file or directory" in upstream.error

    anyio.run(main)


def test_what_is_secret_is_in_no_message(tmp_path):
    async def main():
        script = "import os, sys; sys.exit('bad key ' + os.environ['KEY'])"
        it = Server("keyed", (sys.executable, "-c", script), env={"KEY": "very-secret-123"}, timeout=20.0)
        async with run(it) as upstream:
            await until(lambda: upstream.state == "waiting")
            assert "it wrote: bad key ***" in upstream.error
            assert "very-secret" not in str(upstream.to_dict())

    anyio.run(main)


@pytest.mark.slow
def test_a_killed_server_is_started_again_and_none_is_left_at_the_end(tmp_path):
    async def main():
        async with run(server(tmp_path, MAIL)) as upstream:
            await until(lambda: upstream.state == "ready")
            for starts in (2, 3):
                (pid,) = pids(tmp_path)
                os.kill(pid, signal.SIGKILL)
                await until(lambda starts=starts: upstream.starts == starts and upstream.state == "ready")

    anyio.run(main)
    assert pids(tmp_path) == []
