"""Jobs small enough to be sent many times."""

from typing import Any

import numpy as np
import pytest

D = 8


def make_job(n: int = 30, **changes: Any) -> dict[str, Any]:
    """Four tools in two capabilities, one containing the other; n examples."""
    rng = np.random.default_rng(0)
    tools = [f"t{i}" for i in range(4)]
    vectors = rng.standard_normal((4, D))
    capabilities = [
        {"id": "c0", "embedding": rng.standard_normal(D).tolist(), "toolsUsed": ["t0", "t1"], "successRate": 0.9},
        {
            "id": "c1",
            "embedding": rng.standard_normal(D).tolist(),
            "toolsUsed": ["t2", "t3"],
            "successRate": 0.5,
            "children": ["c0"],
        },
    ]
    examples = [
        {
            "intentEmbedding": (vectors[i % 4] + 0.1 * rng.standard_normal(D)).tolist(),
            "contextTools": [],
            "candidateId": tools[i % 4],
            "outcome": 1.0,
            "traceId": f"e{i}",
        }
        for i in range(n)
    ]
    job = {
        "capabilities": capabilities,
        "toolEmbeddings": {t: v.tolist() for t, v in zip(tools, vectors, strict=True)},
        "examples": examples,
        "config": {"epochs": 1, "batchSize": 8, "usePER": False, "useCurriculum": False, "learningRate": 1e-3},
    }
    return job | changes


@pytest.fixture(name="make_job")
def _make_job() -> Any:
    return make_job
