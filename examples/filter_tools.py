"""Cutting the tools of a request to those that fit, and learning from the conversation as it goes on.

python filter_tools.py [sqlite:///tools.db]
"""

import sys

from office import CHAT_TOOLS as TOOLS

from shgat.integrations import ToolFilter, ToolSearch


def main(store: str) -> None:
    with ToolSearch.open(TOOLS, store) as search:
        cut = ToolFilter(search, k=2)
        messages: list[dict[str, object]] = [{"role": "user", "content": "Mail the report to Anna"}]
        print("offered:", [tool["function"]["name"] for tool in cut(TOOLS, messages)])  # what goes into create(tools=...)
        messages += [  # what the model answered, and what came of it
            {
                "role": "assistant",
                "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "send_mail", "arguments": "{}"}}],
            },
            {"role": "tool", "tool_call_id": "c1", "content": "sent"},
        ]
        cut(TOOLS, messages)  # the next request of the conversation tells how the call went
        print("learned from:", search.counts["linked"], "call")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "sqlite:///tools.db")
