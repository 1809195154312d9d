"""Drives `shgat gateway serve` by the official MCP SDK: `python gateway_mcp.py [SERVERS.json] [QUERY]`.

Without a file it writes one with two small servers that need nothing but Python.
"""

import asyncio
import json
import sys
import tempfile
from pathlib import Path

from mcp import Client, StdioServerParameters

from shgat.gateway import scripted

SERVERS = {
    "mail": {"send_message": "Sends an email to somebody.", "search_mail": "Searches the mailbox for emails."},
    "files": {"read_file": "Reads a file from disk.", "write_file": "Writes text into a file on disk."},
}


def written(folder: Path) -> Path:
    """A configuration as desktop clients have it."""
    entries = {}
    for name, tools in SERVERS.items():
        script = folder / f"{name}.json"
        listed = [{"name": tool, "description": said, "inputSchema": {"type": "object"}} for tool, said in tools.items()]
        script.write_text(json.dumps({"name": name, "tools": listed}))
        entries[name] = {"command": sys.executable, "args": ["-I", "-S", scripted.__file__, str(script)]}
    path = folder / "servers.json"
    path.write_text(json.dumps({"mcpServers": entries}))
    return path


async def main(config: Path, query: str) -> None:
    command = ["-m", "shgat", "gateway", "serve", "--config", str(config), "--store", f"sqlite:///{config.parent}/example.db"]
    async with Client(StdioServerParameters(command=sys.executable, args=command)) as client:
        found = (await client.call_tool("search_tools", {"query": query})).structured_content
        for tool in found["tools"]:
            print(f"{tool['score']:.2f}  {tool['name']}  {tool['description']}")
        if found["tools"]:
            run = {"name": found["tools"][0]["name"], "arguments": {}, "search_id": found["search_id"]}
            answer = await client.call_tool("call_tool", run)
            print("failed" if answer.is_error else "worked", answer.content[0].text)
        following = (await client.call_tool("suggest_next", {})).structured_content
        print("next:", ", ".join(tool["name"] for tool in following["tools"]))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        given = sys.argv[1:]
        asyncio.run(
            main(Path(given[0]) if given else written(Path(folder)), given[1] if len(given) > 1 else "send an email to Ada")
        )
