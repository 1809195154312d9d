"""Servers that are started at once, each on its own, and follow the configuration."""

import json
from contextlib import asynccontextmanager

import anyio
import pytest

from scripted_servers import CHAT, FILES, MAIL, config, entry, until
from shgat.gateway.fleet import Fleet
from shgat.gateway.settings import Settings, configured


@asynccontextmanager
async def run(path, **options):
    settings = Settings(path, store="sqlite:///unused.db", **options)
    heard = []
    fleet = Fleet(settings, configured(path, settings.starts_within), heard.append)
    async with anyio.create_task_group() as group:
        group.start_soon(fleet.run)
        yield fleet, heard
        group.cancel_scope.cancel()


def test_one_that_is_dead_and_one_that_hangs_delay_nobody(tmp_path):
    odd = {name: entry(tmp_path, name, MAIL, behave=name) for name in ("die", "hang")}
    path = config(tmp_path, mail=MAIL, files=FILES, **odd, off={"command": "x", "disabled": True})

    async def main():
        async with run(path, starts_within=30.0) as (fleet, _):
            await until(lambda: fleet.ready == ("files", "mail"), 15.0)
            await until(lambda: fleet.upstreams["die"].error)
            assert fleet.starting == ["hang"]
            states = fleet.states()
            assert states["off"] == {"state": "refused", "error": "it is switched off", "tools": 0}
            assert states["mail"]["tools"] == 2
            assert "it has no credentials" in states["die"]["error"]

    anyio.run(main)


@pytest.mark.slow
def test_servers_come_change_and_go_with_the_file_and_the_others_run_on(tmp_path, caplog):
    path = config(tmp_path, mail=MAIL, files=FILES)

    async def main():
        async with run(path) as (fleet, heard):
            await until(lambda: fleet.ready == ("files", "mail"))
            mail = fleet.upstreams["mail"]
            path.write_text("{")
            await until(lambda: "the servers run on as they are" in caplog.text)
            servers = {"mail": json.loads(config(tmp_path, mail=MAIL).read_text())["mcpServers"]["mail"]}
            servers["files"] = entry(tmp_path, "other", FILES[:1])
            servers["chat"] = entry(tmp_path, "chat", CHAT)
            servers["poor"] = {"command": "x", "env": {"K": "${NOT_SET_ANYWHERE}"}}
            path.write_text(json.dumps({"mcpServers": servers}))
            await until(lambda: "poor" in fleet.refused and fleet.ready == ("chat", "files", "mail"))
            assert fleet.upstreams["mail"] is mail
            assert mail.starts == 1
            assert len(fleet.upstreams["files"].tools) == 1
            config(tmp_path, chat=CHAT)
            await until(lambda: fleet.ready == ("chat",))
            assert fleet.names == ("chat",)
            assert {"mail", "files"} <= set(heard[-4:])

    anyio.run(main)
    assert "server poor: it needs the environment variable NOT_SET_ANYWHERE, which is not set" in caplog.text
