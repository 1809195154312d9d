"""What was exported comes back as it was."""

import pytest

from shgat.errors import InputError, QuotaError
from shgat.progressive.importing import take_in
from shgat.progressive.layout import Layout
from shgat.progressive.ledger import Ledger


@pytest.fixture
def exported(filled):
    return [line for _, part in filled.walk() for line in part]


def test_the_same_chain_comes_out(filled, exported, tmp_path):
    layout = Layout(tmp_path / "other")
    layout.make()
    ledger = Ledger(layout)
    assert take_in(ledger, lambda: iter(exported)) == (3, 0)
    assert ledger.chain.entries == filled.chain.entries
    assert ledger.verify() == []
    assert take_in(ledger, lambda: iter(exported)) == (0, 3)
    assert not list(layout.ledger.glob("*.part"))


def test_what_is_not_whole_is_refused_before_anything_is_taken_in(exported, tmp_path):
    layout = Layout(tmp_path / "other")
    layout.make()
    for bad, said in (
        (exported[:-1], "without its cycle"),
        ([*exported, b"{"], f"line {len(exported) + 1} is no record"),
        ([exported[0].replace(b'"v":1', b'"v": 1'), *exported[1:]], "line 1 is not canonical"),
    ):
        with pytest.raises(InputError, match=said):
            take_in(Ledger(layout), lambda bad=bad: iter(bad))
    assert Ledger(layout).chain.entries == []


def test_what_has_no_room_is_said_and_what_came_before_stays(filled, exported, tmp_path):
    layout = Layout(tmp_path / "other")
    layout.make()
    ledger = Ledger(layout)
    rooms = iter([10**6, 100])
    with pytest.raises(QuotaError, match="100 bytes"):
        take_in(ledger, lambda: iter(exported), rooms.__next__)
    assert ledger.chain.entries == filled.chain.entries[:1]
    assert not list(layout.ledger.glob("*.part"))


def test_kinds_that_nobody_knows_are_kept(exported, tmp_path):
    from datetime import UTC, datetime

    layout = Layout(tmp_path / "other")
    layout.make()
    ledger = Ledger(layout)
    strange = b'{"kind":"forecast","of":1.5,"v":9}'
    take_in(ledger, lambda: iter([strange, *exported]))
    ledger.rotate(datetime(2026, 1, 1, tzinfo=UTC))
    assert next(part for _, part in ledger.walk()).__next__() == strange
