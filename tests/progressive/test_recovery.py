"""What a killed process left is brought in order, and twice changes nothing."""

import pytest

from shgat.errors import CorruptError
from shgat.progressive.kernel import Kernel
from shgat.progressive.layout import Layout
from shgat.progressive.ledger import Ledger
from shgat.progressive.manifest import Manifest
from shgat.progressive.recovery import rebuild, recover
from workspaces import lines_of, loop_of, sound


@pytest.fixture
def ran(three, tmp_path):
    report = loop_of(tmp_path / "ws").run(lines_of(*three))
    return Layout(tmp_path / "ws"), report


def again(layout):
    manifest = Manifest(layout.manifest)
    try:
        kernel = Kernel(layout.kernel)
        return recover(layout, Ledger(layout), kernel, manifest), kernel.root
    finally:
        manifest.close()


def test_nothing_is_wrong(ran):
    layout, report = ran
    assert again(layout) == again(layout) == (0, report.root)


def test_what_lies_about_goes(ran):
    layout, report = ran
    (layout.corpus / "x.git").mkdir()
    (layout.corpus / "file").write_text("x")
    layout.part(1).write_text("x")
    (layout.archives / "a.shcol.zst.part").write_text("x")
    (layout.kernel / ".state.json.0123456789ab").write_text("x")
    assert again(layout) == (0, report.root)
    assert sound(layout.root) == (report.root, report.chain)
    assert not list(layout.kernel.glob(".*"))


@pytest.mark.parametrize("lost", ["manifest", "kernel", "one unit", "damaged unit", "damaged manifest", "workspace.json"])
def test_what_is_lost_comes_from_the_ledger(ran, three, lost):
    layout, report = ran
    units = Kernel(layout.kernel).paths()
    if lost == "manifest":
        layout.manifest.unlink()
    elif lost == "damaged manifest":
        layout.manifest.write_bytes(b"x" * 5000)
    elif lost == "workspace.json":
        layout.about.unlink()
    else:
        for path in units if lost == "kernel" else units[:1]:
            path.write_bytes(b"x") if lost == "damaged unit" else path.unlink()
    found = loop_of(layout.root).run(lines_of(*three))
    assert (found.root, found.chain) == (report.root, report.chain) == sound(layout.root)


def test_a_segment_that_is_not_what_was_sealed_stops_it(ran, three):
    layout, _ = ran
    path = next(layout.archives.glob("*.zst"))
    data = bytearray(path.read_bytes())
    data[-200] ^= 1
    path.write_bytes(data)
    Kernel(layout.kernel).paths()[0].unlink()
    with pytest.raises(CorruptError):
        loop_of(layout.root).run(lines_of(*three))


def test_rebuilt_from_archives_bit_for_bit(ran, tmp_path):
    layout, report = ran
    assert Ledger(layout).raw() == []
    (tmp_path / "k/units").mkdir(parents=True)
    kernel = Kernel(tmp_path / "k")
    rebuild(Ledger(layout), kernel)
    assert kernel.root == report.root
    assert {p.name: p.read_bytes() for p in kernel.paths()} == {p.name: p.read_bytes() for p in Kernel(layout.kernel).paths()}
