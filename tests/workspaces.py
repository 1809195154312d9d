"""Workspaces of progressive training, and what has to hold of each."""

from datetime import UTC, datetime
from pathlib import Path

from shgat.progressive.corpus import Line, parse
from shgat.progressive.kernel import Kernel
from shgat.progressive.layout import Layout
from shgat.progressive.ledger import Ledger
from shgat.progressive.loop import Loop
from shgat.progressive.settings import Settings
from shgat.progressive.state import verify


def lines_of(*places):
    """Lines of a list."""
    return [Line(i, parse(str(place), Path("/"))) for i, place in enumerate(places, 1)]


def loop_of(root, **options):
    """A loop on a workspace, at a fixed time."""
    own = {k: options.pop(k) for k in ("disk", "train", "on_event", "stopped") if k in options}
    settings = Settings(**{"quota": 10**9, "batch_size": 2, "backoff": 0.0, **options})
    return Loop(Layout(Path(root)), settings, lambda: datetime(2026, 1, 2, tzinfo=UTC), **own)


def sound(root):
    """The kernel's root and the chain of a workspace in which every byte is what was written and no unit is there twice."""
    layout = Layout(Path(root))
    ledger = Ledger(layout)
    assert ledger.verify() == []
    assert verify(layout.kernel) == []
    units = [e.unit for e in ledger.chain.entries]
    assert len(set(units)) == len(units)
    assert not list(layout.corpus.iterdir())
    assert not list(layout.root.rglob("*.part"))
    return Kernel.load(layout.kernel).root, ledger.chain.tip
