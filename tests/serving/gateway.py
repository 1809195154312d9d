"""A gateway that is killed; run by test_endurance.py: python gateway.py URL START

Reports each acknowledged feedback on stdout, and lives until it is killed.
"""

import sys
import time
from pathlib import Path

import numpy as np
import orjson

import shgat
from shgat import Catalog
from shgat.serving import Ranker

SAMPLE = Path(shgat.__file__).parent / "sample"


def main(url: str, start: int) -> None:
    rows = [orjson.loads(line) for line in (SAMPLE / "train.jsonl").read_bytes().splitlines()]
    vectors = np.load(SAMPLE / "train.npy").astype(np.float32)
    ranker = Ranker.open(url, Catalog.load(SAMPLE), debounce=0.0)
    print("ready", flush=True)
    for i in range(start, start + 10_000):
        answer = ranker.rank(vectors[i % 400], 5, text=rows[i % 400]["intent"])
        if answer.ranked_by != "model":
            print("degraded", answer.degraded, flush=True)
        receipt = ranker.feedback(answer.decision_id, tools=rows[i % 400]["tools"], outcome=1.0)
        print(f"{receipt} {answer.decision_id}", flush=True)
        time.sleep(0.02)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
