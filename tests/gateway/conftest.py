"""State of gateways lies in the folder of a test."""

import pytest

pytest.importorskip("mcp")


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
