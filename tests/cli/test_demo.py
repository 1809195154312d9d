"""`shgat demo`: the sample, ranked before and after training."""

import orjson
import pytest


@pytest.mark.slow
def test_demo(ask):
    code, out, err = ask("demo")
    assert (code, err) == (0, "")
    assert "Try next:" in out
    assert "✓ mail.send_message" in out


@pytest.mark.slow
def test_demo_as_json(ask):
    code, out, err = ask("demo", "--json")
    assert (code, err) == (0, "")
    answer = orjson.loads(out)
    assert (answer["n_tools"], answer["n_capabilities"], answer["n_intents"]) == (83, 40, 100)
    assert all({"id", "intent", "used", "ranked"} <= row.keys() for row in answer["intents"])
