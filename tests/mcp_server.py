"""A real MCP server for tests, on stdio or HTTP: `python mcp_server.py NAME [--http PORT [--sse]] [--behave HOW]`."""

import argparse
import json
import os
import sys
import time

from mcp.server.mcpserver import MCPServer


def server(name: str) -> MCPServer:
    """Two tools, one of them described with what the environment says."""
    made = MCPServer(name, instructions=f"Everything about {name}.", log_level="ERROR")

    @made.tool(title="Look a thing up")
    def look_up(word: str, limit: int = 3) -> str:
        """Finds the entries of a word."""
        return f"{word} {limit}"

    @made.tool()
    def write_down(text: str) -> str:
        """Adds an entry."""
        return text

    return made


PAGES = (
    [
        {
            "name": "look_up",
            "description": "Finds the entries of a word.",
            "inputSchema": {"type": "object", "properties": {"word": {}}},
        },
        {"name": "odd", "description": "Has a text for a schema.", "inputSchema": "word: str"},
        {"description": "Nobody knows its name.", "inputSchema": {"type": "object"}},
        "no definition",
    ],
    [
        {"name": "bare", "description": None},
        {"name": "write_down", "description": "Adds an entry.", "inputSchema": {"type": "object"}},
    ],
)


def serve_malformed(name: str) -> None:
    """A server of its own on stdio, whose lists hold what no SDK would write."""
    for line in sys.stdin:
        asked = json.loads(line)
        page = int((asked.get("params") or {}).get("cursor") or 0)
        results = {
            "initialize": {
                "protocolVersion": "2025-06-18", "capabilities": {"tools": {}}, "serverInfo": {"name": name, "version": "1"},
            },
            "tools/list": {"tools": PAGES[page], **({"nextCursor": "1"} if page == 0 else {})},
        }  # fmt: skip
        if "id" in asked:
            found = results.get(asked["method"])
            told = {"error": {"code": -32601, "message": "Method not found"}} if found is None else {"result": found}
            print(json.dumps({"jsonrpc": "2.0", "id": asked["id"], **told}), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("--http", type=int)
    parser.add_argument("--sse", action="store_true")
    parser.add_argument("--behave", default="well")
    parser.add_argument("--api-key", default="")
    given = parser.parse_args()
    if given.behave == "die":
        sys.exit(f"bad credentials: {os.environ.get('TOKEN', '')} {given.api_key}")
    if given.behave == "hang":
        time.sleep(600)
    if given.behave == "malformed":
        serve_malformed(given.name)
        return
    made = MCPServer(given.name, log_level="ERROR") if given.behave == "empty" else server(given.name)
    if given.http is None:
        made.run("stdio")
    else:
        made.run("sse" if given.sse else "streamable-http", port=given.http)


if __name__ == "__main__":
    main()
