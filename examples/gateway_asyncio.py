"""A gateway on asyncio: it ranks tools, runs one, reports how it went, and gets better while it serves.

python gateway_asyncio.py [sqlite:///gateway.db]
"""

import asyncio
import sys
from pathlib import Path

import numpy as np
import orjson

import shgat
from shgat.serving import Ranker

SAMPLE = Path(shgat.__file__).parent / "sample"


async def run_tool(tool: str, wanted: list[str]) -> float:
    """Where a real gateway would call its MCP server; here the tool works if a person used it too."""
    await asyncio.sleep(0.001)
    return 1.0 if tool in wanted else 0.0


async def serve(ranker: Ranker, intent: np.ndarray, text: str, wanted: list[str]) -> bool:
    answer = await ranker.arank(intent, top_k=5, text=text)
    outcome = await run_tool(answer.ids[0], wanted)
    used = [answer.ids[0]] if outcome else wanted  # the agent, or a person, finds another way
    await ranker.afeedback(answer.decision_id, tools=used, outcome=1.0)
    return bool(outcome)


async def main(url: str) -> None:
    rows = [orjson.loads(line) for line in (SAMPLE / "train.jsonl").read_bytes().splitlines()]
    vectors = np.load(SAMPLE / "train.npy").astype(np.float32)
    with await asyncio.to_thread(Ranker.open, url, SAMPLE, debounce=0.2) as ranker:
        for part in range(4):
            chosen = range(100 * part, 100 * part + 100)
            hits = [await serve(ranker, vectors[i], rows[i]["intent"], rows[i]["tools"]) for i in chosen]
            print(f"intents {chosen.start} to {chosen.stop}: {sum(hits)} % at rank 1, model {ranker.model_version}")
            while ranker.training:  # only so that a short demonstration shows something
                await asyncio.sleep(0.05)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "sqlite:///gateway.db"))
