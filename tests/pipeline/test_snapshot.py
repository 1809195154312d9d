"""The traces of a run: the later ones are held out, ids alone are kept, and they are the same whenever they are read."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline import town
from shgat.errors import InputError
from shgat.pipeline.settings import DataSettings
from shgat.pipeline.snapshot import Snapshot, latest
from shgat.store import Store
from shgat.traces import Trace


def test_the_latest_are_held_out_and_what_cannot_be_used_is_left(rng):
    traces = town.lived(rng, 50)
    odd = [
        Trace(id="no embedding", tools=("t1",)),
        replace(traces[0], id="strange", tools=("t99",)),
        replace(traces[0], id="idle", tools=()),
    ]
    found = Snapshot.of([*reversed(traces), *odd], town.catalog(), DataSettings(held_out=0.2))
    assert found.train == tuple(t.id for t in traces[:40])
    assert found.held_out == tuple(t.id for t in traces[40:])


def test_nobody_has_more_than_its_share(rng):
    traces = [replace(t, principal="flood" if i < 300 else f"p{i % 4}") for i, t in enumerate(town.lived(rng, 500))]
    found = Snapshot.of(traces, town.catalog(), DataSettings(share=0.25))
    of_flood = [key for key in found.train if int(key[1:]) < 300]
    assert len(of_flood) < 100
    assert of_flood[-1] == "a299"  # its latest


def test_what_failed_does_not_count_among_what_is_held_out(rng):
    traces = [replace(t, outcome=float(i < 40 or i % 4 == 0)) for i, t in enumerate(town.lived(rng, 80))]
    found = Snapshot.of(traces, town.catalog(), DataSettings(held_out=0.2))
    assert len(found.held_out) == 40
    assert sum(traces[int(key[1:])].succeeded for key in found.held_out) == 10  # of 50


def test_the_same_traces_have_the_same_fingerprint(rng):
    traces, catalog, settings = town.lived(rng, 50), town.catalog(), DataSettings()
    one = Snapshot.of(traces, catalog, settings).fingerprint
    assert one == Snapshot.of(traces[::-1], catalog, settings).fingerprint
    assert one != Snapshot.of(traces[1:], catalog, settings).fingerprint


def test_it_is_kept_by_ids_alone(rng, tmp_path, sqlite_url):
    traces = town.lived(rng, 50)
    town.fill(sqlite_url, traces)
    found = Snapshot.of(traces, town.catalog(), DataSettings())
    found.save(tmp_path)
    assert "wish" not in (tmp_path / "traces.json").read_text()
    back = Snapshot.load(tmp_path)
    assert vars(back) == vars(found)
    with Store.open(sqlite_url) as store:
        assert [t.id for t in back.learned_from(store)] == list(found.train)
        held = back.compared_on(store, town.catalog())
        assert held.ids.tolist() == list(found.held_out)
        store.remove_traces([found.train[7]])
        with pytest.raises(InputError, match=f"1 of the 40 traces .*{found.train[7]!r} is the first"):
            back.learned_from(store)
        assert [t.id for t in latest(store, DataSettings(window="2d"), "local", traces[-1].timestamp)] == [
            t.id for t in traces[-5:]
        ]


def test_too_few(rng):
    with pytest.raises(InputError, match="1 of 1 traces can be used and worked"):
        Snapshot.of(town.lived(rng, 1), town.catalog(), DataSettings())


@pytest.mark.parametrize("content", [None, b"{", b"[]", b'{"train": []}'])
def test_a_file_that_is_torn(tmp_path, content):
    if content is not None:
        (tmp_path / "traces.json").write_bytes(content)
    with pytest.raises(InputError, match=r"traces\.json.*--again"):
        Snapshot.load(tmp_path)


def test_embeddings_are_the_stores(rng, sqlite_url):
    traces = town.lived(rng, 30)
    town.fill(sqlite_url, traces)
    with Store.open(sqlite_url) as store:
        found = Snapshot.of(traces, town.catalog(), DataSettings()).learned_from(store)
    np.testing.assert_allclose(found[3].embedding, traces[3].embedding, atol=1e-6)
