"""GPT searches hundreds of tools of which its list holds one search alone, and the search learns from what it then calls.

OPENAI_API_KEY=... python deferred_search_openai.py [sqlite:///tools.db]
"""

import sys

from office import SAID, SCHEMA, run
from openai import OpenAI

from shgat.integrations import ToolSearch, openai

TOOLS = [{"type": "function", "name": n, "description": d, "parameters": SCHEMA, "strict": False} for n, d in SAID.items()]


def main(store: str) -> None:
    client, session = OpenAI(), "conversation 1"
    with ToolSearch.open(TOOLS, store) as search:
        listed = [openai.search_tool()]  # the same bytes in every request
        items: list[dict[str, object]] = [{"role": "user", "content": "Mail the report to Anna"}]
        while True:
            answer = client.responses.create(model="gpt-5.4", tools=listed, input=items)
            items += [item.model_dump(exclude_none=True) for item in answer.output]
            new = openai.answer(search, answer.output, TOOLS, session)
            for item in answer.output:
                if item.type == "function_call":
                    try:
                        output = run(item.name)
                        search.called(item.name, True, session=session)
                    except Exception as error:
                        output = str(error)
                        search.called(item.name, error, session=session)
                    new.append({"type": "function_call_output", "call_id": item.call_id, "output": output})
            if not new:
                break
            items += new
        print("GPT:", answer.output_text)
        print("searches:", search.counts["searches"], "- learned from:", search.counts["linked"], "call")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "sqlite:///tools.db")
