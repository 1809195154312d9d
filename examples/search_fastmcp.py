"""A FastMCP server whose tools stand behind one search, which learns from every call.

python search_fastmcp.py [sqlite:///tools.db]
"""

import asyncio
import sys

from fastmcp import Client, FastMCP

from shgat.integrations import ToolSearch
from shgat.integrations.fastmcp import add_search

server = FastMCP("office")


@server.tool
def send_mail(to: str) -> str:
    """Sends an e-mail to a person"""
    return f"sent to {to}"


@server.tool
def read_file(path: str) -> str:
    """Reads a file from the disk"""
    return path


@server.tool
def list_events(day: str) -> list[str]:
    """Lists the events of a calendar"""
    return []


async def main(store: str) -> None:
    with ToolSearch.open(store=store) as search:
        add_search(server, search)
        async with Client(server) as client:  # a real one would run the server: server.run()
            print("listed:", [tool.name for tool in await client.list_tools()])
            found = await client.call_tool("search_tools", {"query": "mail the report to Anna"})
            print("found:", found.content[0].text.partition(",")[0])
            called = await client.call_tool("call_tool", {"name": "send_mail", "arguments": {"to": "Anna"}})
            print("called:", called.data)
        print("learned from:", search.counts["linked"], "call")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "sqlite:///tools.db"))
