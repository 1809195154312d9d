import asyncio
import math

from shgat.web import Service


def test_it_samples_while_it_runs(ranker, monkeypatch):
    service = Service(ranker, "sqlite:///unused.db")

    async def a_while():
        await service.start()
        for _ in range(200):
            await asyncio.sleep(0.01)
            if service.curve.to_dict()["samples"]:
                break
        await service.stop()

    asyncio.run(a_while())
    assert len(service.curve.to_dict()["samples"]) == 1


def test_stats_are_json(ranker):
    found = Service(ranker, "sqlite:///unused.db").stats()
    assert found["server"]["requests"] == 0
    assert not any(isinstance(v, float) and math.isnan(v) for v in found["ranker"].values())
