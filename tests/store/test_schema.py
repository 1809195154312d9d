"""The tables are those of the newest migration, and hold by themselves what the code relies on."""

import pytest
import sqlalchemy as sa

from shgat.errors import StoreError
from shgat.graph import Capability, Tool
from shgat.store.migration import upgrade
from shgat.store.schema import alias_moves, capabilities, model_aliases, traces
from traces.examples import D


def test_a_migrated_store_has_the_schema_of_the_code(database, differences):
    upgrade(database, D)
    assert differences(database) == []
    with database.write() as connection:
        connection.execute(sa.text("CREATE TABLE more (x int)"))
    assert differences(database) != []


def test_a_seq_is_never_used_again(store, make_trace):
    store.add_trace(make_trace(1))
    last = store.trace("t1").seq
    store.prune(keep_traces=0)
    store.add_trace(make_trace(1))
    assert store.trace("t1").seq > last


def test_an_alias_names_one_version_and_a_move_has_a_number_of_its_own(store):
    version = store.put_model(b"1", {})
    row = {"user_id": "local", "alias": "production", "version": version}
    with pytest.raises(StoreError, match=r"(?i)unique"), store.database.write() as connection:
        connection.execute(model_aliases.insert().values(**row))
    with pytest.raises(StoreError, match=r"(?i)unique"), store.database.write() as connection:
        connection.execute(alias_moves.insert().from_select(alias_moves.c.keys(), sa.select(alias_moves)))
    assert len(store.moves()) == 1


def test_what_belongs_to_a_row_goes_with_it(store, make_trace):
    store.add_traces([make_trace(1), make_trace(2)])
    store.upsert_catalog([Tool("a")], [Capability("c", tools=("a",)), Capability("e", tools=("a",))])
    with store.database.write() as connection:
        connection.execute(sa.delete(traces).where(traces.c.id == "t1"))
        connection.execute(sa.delete(capabilities).where(capabilities.c.id == "c"))
    counts = store.counts()
    assert (counts["priorities"], counts["members"]) == (1, 1)
