"""LiteLLM with a callback that cuts each request's tools to those that fit, and learns as conversations go on.

python callback_litellm.py [sqlite:///tools.db]
"""

import asyncio
import os
import sys

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # nothing is fetched at import

import litellm
from office import CHAT_TOOLS as TOOLS

from shgat.integrations import ToolSearch
from shgat.integrations.litellm import tool_callback


async def main(store: str) -> None:
    with ToolSearch.open(TOOLS, store) as search:
        litellm.callbacks = [tool_callback(search, k=1)]
        messages: list[dict[str, object]] = [{"role": "user", "content": "Mail the report to Anna"}]
        call = {"id": "c1", "type": "function", "function": {"name": "send_mail", "arguments": "{}"}}
        for scripted in ({"mock_tool_calls": [call]}, {"mock_response": "The report is sent."}):  # without these it asks the model
            answer = await litellm.acompletion(model="gpt-5.4", messages=messages, tools=TOOLS, **scripted)
            said = answer.choices[0].message
            messages.append(said.model_dump(exclude_none=True))
            for wanted in said.tool_calls or ():
                messages.append({"role": "tool", "tool_call_id": wanted.id, "content": "sent"})
        print("the model:", said.content)
        print("searches:", search.counts["searches"], "- learned from:", search.counts["linked"], "call")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "sqlite:///tools.db"))
