"""`shgat gateway serve` as a process: the SDK's client over both transports, signals, and that nothing is left running."""

import json
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager

import anyio
import pytest
from mcp import Client

from scripted_servers import CHAT, FILES, MAIL, call, client_of, config, entry, names, pids, search, tool
from shgat.cli import main as run


@contextmanager
def serving(path, *options):
    """A gateway over HTTP: its URL, and its process."""
    command = [
        sys.executable,
        "-m",
        "shgat",
        "gateway",
        "serve",
        "--config",
        str(path),
        "--store",
        f"sqlite:///{path.parent}/gateway.db",
    ]
    command += ["--http", "127.0.0.1:0", *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as process:
        try:
            line = next(line for line in process.stderr if "serving on" in line)
            yield line.split()[-1], process
        finally:
            if process.poll() is None:
                process.kill()
            process.stdout.close()
            process.stderr.close()


def test_over_stdio_with_a_server_that_dies_and_no_process_left(tmp_path):
    path = config(tmp_path, mail=MAIL, chat=[*CHAT, tool("quit_now")], dead=entry(tmp_path, "dead", FILES, behave="die"))
    said = tmp_path / "said.txt"

    async def main():
        async with client_of(path, "--pin", "chat/post_message", said=said) as client:
            assert (await names(client, "send an email"))[0] == "mail/send_message"
            assert [t.name for t in (await client.list_tools()).tools][3:] == ["chat__post_message"]
            gone = await call(client, "chat/quit_now")
            assert (gone.is_error, gone.content[0].text) == (True, "the server chat ended before it answered")
            assert not (await call(client, "mail/send_message")).is_error
            assert not (await call(client, "chat/post_message")).is_error
            assert len(pids(tmp_path)) == 2

    anyio.run(main)
    assert pids(tmp_path) == []
    assert "server dead: it ended; it wrote: it has no credentials" in said.read_text()


@pytest.mark.parametrize("mode", ["auto", pytest.param("legacy", marks=pytest.mark.slow)])
def test_over_http_to_several_clients_and_ended_by_a_signal_without_loss(tmp_path, mode):
    path = config(tmp_path, mail=MAIL, slow=[tool("sleep_a_little")])

    async def main(url, process):
        async with Client(url, mode=mode, cache=None) as one, Client(url, mode=mode, cache=None) as other:
            found = await search(one, "send an email")
            assert found["tools"][0]["name"] == "mail/send_message"
            assert not (await call(other, "mail/send_message")).is_error
            answers = []

            async def work():
                answers.append(await call(one, "slow/sleep_a_little", {"seconds": 0.7}))

            async with anyio.create_task_group() as group:
                group.start_soon(work)
                await anyio.sleep(0.35)
                process.send_signal(signal.SIGTERM)
            assert [a.is_error for a in answers] == [False]

    with serving(path) as (url, process):
        anyio.run(main, url, process)
        assert process.wait(20) == 0
        assert process.stdout.read() == ""
    assert pids(tmp_path) == []


@pytest.mark.slow
def test_a_request_for_another_host_is_refused(tmp_path):
    """Nobody's page reaches it by a name that leads here."""
    with serving(config(tmp_path, mail=MAIL)) as (url, process):
        port = int(url.split(":")[2].split("/")[0])
        with socket.create_connection(("127.0.0.1", port), 10) as line:
            line.sendall(
                b"POST /mcp HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 2\r\nContent-Type: application/json\r\n\r\n{}"
            )
            assert line.recv(4096).startswith(b"HTTP/1.1 421")
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0


@pytest.mark.slow
def test_a_hanging_server_is_ended_too_when_the_client_loses_its_patience(tmp_path):
    """The SDK's client asks its server by a signal to end two seconds after it closed its stdin."""
    path = config(tmp_path, mail=MAIL, hanging=entry(tmp_path, "hanging", FILES, behave="hang"))

    async def main():
        async with client_of(path) as client:
            assert await names(client, "send an email")
            assert len(pids(tmp_path)) == 2

    anyio.run(main)
    assert pids(tmp_path) == []


@pytest.mark.slow
def test_stdin_that_stays_open_does_not_keep_it_from_ending(tmp_path):
    path = config(tmp_path, mail=MAIL)
    command = [sys.executable, "-m", "shgat", "gateway", "serve", "--config", str(path), "--store", f"sqlite:///{tmp_path}/g.db"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        ask = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
            "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}}  # fmt: skip
        process.stdin.write(json.dumps(ask).encode() + b"\n")
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["result"]["serverInfo"]["name"] == "shgat"
        deadline = time.monotonic() + 20.0
        while not pids(tmp_path) and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    assert pids(tmp_path) == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--http", "0.0.0.0:80"], "--http: '0.0.0.0' can be reached from other machines"),
        (["--http", "nonsense"], "--http: 'nonsense' is no HOST:PORT"),
        (["--mode", "all"], "--mode is search or filter, not 'all'"),
    ],
)
def test_a_command_line_that_can_never_work(tmp_path, capfd, options, said):
    code = run(["gateway", "serve", "--config", str(config(tmp_path, mail=MAIL)), *options])
    out, err = capfd.readouterr()
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert said in err


@pytest.mark.slow
def test_an_address_that_is_taken(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        command = [sys.executable, "-m", "shgat", "gateway", "serve", "--config", str(config(tmp_path, mail=MAIL)),
                   "--store", f"sqlite:///{tmp_path}/g.db", "--http", f"127.0.0.1:{other.getsockname()[1]}"]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60, check=False)
    assert done.returncode == 1
    assert "the address is in use" in done.stderr
    assert "Traceback" not in done.stderr
    assert pids(tmp_path) == []
