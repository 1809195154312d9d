"""`shgat mcp` as a process, and what it refuses."""

import os
import sys

import anyio
import pytest
from mcp import Client, StdioServerParameters

from worlds import SAMPLE


def test_a_catalogue_over_stdio(tmp_path):
    command = ["-m", "shgat", "mcp", "--catalog", str(SAMPLE)]
    env = {**os.environ, "XDG_STATE_HOME": str(tmp_path), "SHGAT_ENCODER": "static"}

    async def main():
        async with Client(StdioServerParameters(command=sys.executable, args=command, env=env)) as client:
            found = await client.call_tool("discover", {"intent": "send an e-mail"})
            return found.structured_content["tools"][0]["id"]

    assert anyio.run(main) == "mail.send_message"
    assert len(list(tmp_path.glob("shgat/sample-*.db"))) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--catalog", "/nowhere"], "does not exist"),
        (["--catalog", str(SAMPLE), "--http", "0.0.0.0:1"], "can be reached from other machines"),
    ],
)
def test_what_can_never_work(ask, arguments, said):
    code, out, err = ask("mcp", *arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert said in err
