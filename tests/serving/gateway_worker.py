"""One worker of a gateway, which does what it is told on stdin; run by test_workers.py: python gateway_worker.py URL MODE

rank I             answers with the id of the decision
feedback KEY I     answers with the receipt
stats              answers with JSON
"""

import sys
from pathlib import Path

import numpy as np
import orjson

import shgat
from shgat import Catalog
from shgat.errors import ShgatError
from shgat.serving import Ranker

SAMPLE = Path(shgat.__file__).parent / "sample"


def main(url: str, mode: str) -> None:
    rows = [orjson.loads(line) for line in (SAMPLE / "train.jsonl").read_bytes().splitlines()]
    vectors = np.load(SAMPLE / "train.npy").astype(np.float32)
    with Ranker.open(url, Catalog.load(SAMPLE), mode=mode, debounce=0.0) as ranker:
        print("ready", flush=True)
        for line in sys.stdin:
            match line.split():
                case "rank", i:
                    said = ranker.rank(vectors[int(i)], 5, text=rows[int(i)]["intent"]).decision_id
                case "feedback", key, i:
                    try:
                        said = str(ranker.feedback(key, tools=rows[int(i)]["tools"], outcome=1.0))
                    except ShgatError as error:
                        said = f"refused: {error}"
                case _:
                    said = orjson.dumps(ranker.stats()).decode()
            print(said, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
