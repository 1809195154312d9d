"""Where commands take traces and intents from."""

import numpy as np
import orjson
import pytest

from commands import INTENT
from shgat import Catalog
from shgat.cli import traces
from shgat.errors import InputError, TraceError
from worlds import SAMPLE


def test_a_trace_is_found_in_any_file_of_its_folder():
    for key, name, row in ((INTENT, "test", 3), ("t0001", "train", None)):
        found = traces.find(SAMPLE, key)
        rows = [orjson.loads(line) for line in (SAMPLE / f"{name}.jsonl").read_bytes().splitlines()]
        place = [r["id"] for r in rows].index(key)
        assert row in (None, place)
        assert (found.id, found.intent) == (key, rows[place]["intent"])
        np.testing.assert_array_equal(found.embedding, np.load(SAMPLE / f"{name}.npy")[place].astype(np.float32))


def test_a_broken_line_elsewhere_hides_no_trace(tmp_path):
    (tmp_path / "train.jsonl").write_bytes(b'nonsense\n{"id": "a", "embedding": [1.0]}\n')
    (tmp_path / "test.jsonl").write_bytes(b'{"id": "b", "embedding": [2.0]}\n{"id": "bare"}\n')
    assert [traces.find(tmp_path, key).embedding.tolist() for key in "ab"] == [[1.0], [2.0]]
    with pytest.raises(TraceError, match=r"test\.jsonl, line 2: trace 'bare' has no embedding"):
        traces.find(tmp_path, "bare")
    with pytest.raises(InputError, match=r"no intent has the id 'c' in .* \(train\.jsonl, test\.jsonl\)"):
        traces.find(tmp_path, "c")


def test_a_folder_without_traces_is_said_to_have_none(tmp_path):
    assert traces.trace_files(tmp_path) == []
    with pytest.raises(InputError, match="no file of traces"):
        traces.find(tmp_path, "a")


def test_all_traces_of_a_file_are_read_or_the_first_fault_is_named(tmp_path):
    assert len(traces.read_all(SAMPLE / "test.jsonl")) == 100
    path = tmp_path / "x.jsonl"
    path.write_bytes(b'{"id": "a", "embedding": [1.0]}\n{"id": "b", "outcome": 2}\n{"id": 3}\n')
    with pytest.raises(TraceError, match=r"x\.jsonl, line 2: .*outcome"):
        traces.read_all(path)


@pytest.mark.parametrize("shape", [(5,), (1, 5)])
def test_a_vector_may_stand_alone_or_as_one_row(tmp_path, shape):
    np.save(tmp_path / "x.npy", np.arange(5.0).reshape(shape))
    found = traces.read_vector(tmp_path / "x.npy")
    assert found.dtype == np.float32
    assert found.tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]


@pytest.mark.parametrize("shape", [(2, 5), (1, 1, 5), ()])
def test_several_vectors_are_refused(tmp_path, shape):
    np.save(tmp_path / "x.npy", np.ones(shape))
    with pytest.raises(InputError, match=r"x\.npy has shape .*, expected one vector"):
        traces.read_vector(tmp_path / "x.npy")


def test_what_is_left_out_is_counted_and_the_option_is_named_as_the_command_has_it(tmp_path, capsys):
    catalog = Catalog.load(SAMPLE)
    x = [1.0] * 384
    rows = [{"id": "a", "tools": [catalog.tools[0].id], "embedding": x}, {"id": "b", "tools": ["gone"], "embedding": x}]
    path = tmp_path / "x.jsonl"
    path.write_bytes(b"\n".join(map(orjson.dumps, rows)))
    assert traces.load(path, catalog, skip_unknown=True).ids.tolist() == ["a"]
    assert capsys.readouterr().err.startswith("shgat: 1 traces left out, the first is 'b': it ")
    with pytest.raises(TraceError, match="--skip-unknown"):
        traces.load(path, catalog, skip_unknown=False)
