"""What a folder remembers of its sources."""

from shgat.importers.findings import Findings
from shgat.importers.known import Known, Source


def test_what_was_in_a_folder_that_was_read_again_and_is_not_there_is_gone():
    known = Known(sources={"d/a": Source("mcp", within="d"), "d/b": Source("mcp", within="d"), "c": Source("mcp")})
    assert known.gone([Findings("d/a")], ["d"]) == ["d/b"]
    assert known.gone([Findings("d/a")], []) == []
