"""A real MCP server for tests, on stdio or HTTP: `python mcp_server.py NAME [--http PORT] [--behave HOW]`."""

import argparse
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


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("--http", type=int)
    parser.add_argument("--behave", default="well")
    parser.add_argument("--api-key", default="")
    given = parser.parse_args()
    if given.behave == "die":
        sys.exit(f"bad credentials: {os.environ.get('TOKEN', '')} {given.api_key}")
    if given.behave == "hang":
        time.sleep(600)
    made = MCPServer(given.name, log_level="ERROR") if given.behave == "empty" else server(given.name)
    if given.http is None:
        made.run("stdio")
    else:
        made.run("streamable-http", port=given.http)


if __name__ == "__main__":
    main()
