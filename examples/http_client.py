"""A gateway that asks a server: it ranks, runs a tool, tells how it went, and sees the ranking get better.

shgat serve --store sqlite:///shgat.db --catalog $(shgat sample --path)      # prints its address and a key
python http_client.py http://127.0.0.1:8321 shgat_...
"""

import sys
from pathlib import Path

import numpy as np
import orjson

import shgat
from shgat.client import Client

SAMPLE = Path(shgat.__file__).parent / "sample"


def main(url: str, key: str) -> None:
    rows = [orjson.loads(line) for line in (SAMPLE / "train.jsonl").read_bytes().splitlines()]
    vectors = np.load(SAMPLE / "train.npy").astype(np.float32)
    with Client(url, key) as client:
        for start in range(0, 200, 50):
            hits = 0
            for row, vector in zip(rows[start : start + 50], vectors[start : start + 50], strict=True):
                ranking = client.rank(vector, 5, text=row["intent"])
                hits += ranking.ids[0] in row["tools"]
                client.feedback(ranking, row["tools"], outcome=row["outcome"])  # what a person, or an agent, ran in the end
            print(f"intents {start} to {start + 50}: {2 * hits} % at rank 1, model {ranking.model_version}")
        for item in client.rank("send the report to Ada", 3):
            print(f"{item.score:.2f}  {item.id}")


if __name__ == "__main__":
    main(*sys.argv[1:3])
