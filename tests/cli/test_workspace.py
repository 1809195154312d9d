"""What the commands on a workspace share."""

import pytest

from shgat.cli.given import WrongUsage, exit_code
from shgat.cli.workspace import layout, told
from shgat.errors import BusyError, CorruptError, QuotaError, WorkspaceError


def test_codes(capsys):
    assert [exit_code(kind("x")) for kind in (CorruptError, BusyError, QuotaError, WorkspaceError)] == [65, 73, 75, 1]

    def full():
        raise OSError(28, "No space left on device", "/there")

    assert told(full) == 74
    assert capsys.readouterr().err == "shgat: error: /there: No space left on device\n"
    assert told(lambda: 1) == 1


def test_no_workspace(tmp_path):
    with pytest.raises(WrongUsage, match="no workspace"):
        layout(tmp_path)
