"""Claude searches hundreds of tools that stand deferred in front of its cache, and the search learns from what it then calls.

ANTHROPIC_API_KEY=... python deferred_search_anthropic.py [sqlite:///tools.db]
"""

import sys

from anthropic import Anthropic
from office import SAID, SCHEMA, run

from shgat.integrations import ToolSearch, anthropic

TOOLS = [{"name": name, "description": said, "input_schema": SCHEMA} for name, said in SAID.items()]


def main(store: str) -> None:
    client, session = Anthropic(), "conversation 1"
    with ToolSearch.open(TOOLS, store) as search:
        listed = anthropic.deferred(TOOLS)  # the same bytes in every request
        messages: list[dict[str, object]] = [{"role": "user", "content": "Mail the report to Anna"}]
        while True:
            answer = client.messages.create(model="claude-sonnet-5", max_tokens=1000, tools=listed, messages=messages)
            messages.append({"role": "assistant", "content": [block.model_dump(exclude_none=True) for block in answer.content]})
            results = anthropic.answer(search, answer.content, session)
            for block in answer.content:
                if block.type == "tool_use" and block.name != anthropic.SEARCH_TOOL:
                    result = {"type": "tool_result", "tool_use_id": block.id}
                    try:
                        results.append({**result, "content": run(block.name)})
                        search.called(block.name, True, session=session)
                    except Exception as error:
                        results.append({**result, "content": str(error), "is_error": True})
                        search.called(block.name, error, session=session)
            if not results:
                break
            messages.append({"role": "user", "content": results})
        print("Claude:", answer.content[0].text)
        print("searches:", search.counts["searches"], "- learned from:", search.counts["linked"], "call")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "sqlite:///tools.db")
