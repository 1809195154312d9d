"""What a workspace remembers."""

import pytest

from shgat.errors import CorruptError, InputError, WorkspaceError
from shgat.progressive.disk import Disk
from shgat.progressive.events import CONFIG
from shgat.progressive.settings import Settings, remember, remembered


def test_remembered(layout):
    assert remembered(layout) == {}
    remember(layout, Settings(quota=5 * 10**7), Disk())
    assert remembered(layout) == {"format": 1, "config": CONFIG, "quota": 5 * 10**7}
    steps = []
    remember(layout, Settings(quota=5 * 10**7), Disk(steps.append))
    assert steps == []


def test_another_version_or_way_of_reading_is_refused(layout):
    for text, kind, said in (
        ('{"format":2,"config":"x","quota":1}', WorkspaceError, "format 2, expected 1"),
        ('{"format":1,"config":"x","quota":1}', WorkspaceError, "new workspace"),
        ("{", CorruptError, "not what was written"),
        ("[]", CorruptError, "not what was written"),
        ('{"format":1,"config":"x","quota":"y"}', CorruptError, "not what was written"),
    ):
        layout.about.write_text(text)
        with pytest.raises(kind, match=said):
            remembered(layout)


BAD = {"quota": 5, "jobs": 0, "batch_size": 0, "tries": 0, "high_water": 2.0, "timeout": 0.0, "backoff": -1.0}


@pytest.mark.parametrize("name", BAD)
def test_mistakes(name):
    with pytest.raises(InputError):
        Settings(**{name: BAD[name]})
