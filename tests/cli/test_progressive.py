"""`shgat benchmark progressive`."""

import json


def test_bars_that_are_not_built_are_named(ask, monkeypatch):
    monkeypatch.delenv("SHGAT_CORPUS", raising=False)
    code, out, said = ask("benchmark", "progressive", "--bars", "B10,B12")
    assert (code, "not built yet" in out) == (0, True)
    assert "B12: not built yet" in said
    code, out, _ = ask("benchmark", "progressive", "--bars", "B13", "--json")
    assert json.loads(out)["bars"][0]["reached"] is None


def test_a_bar_that_is_measured_and_mistakes(ask, tmp_path):
    code, out, _ = ask("benchmark", "progressive", "--bars", "B3", "--json", "--corpus", tmp_path)
    assert (code, json.loads(out)["bars"][0]["reached"]) == (0, None)
    code, _, said = ask("benchmark", "progressive", "--bars", "B99")
    assert (code, "there is no B99" in said) == (2, True)
