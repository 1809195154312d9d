"""Files of intents."""

import numpy as np
import pytest

from shgat.bulk import read_intents
from shgat.errors import InputError, TraceError
from shgat.traces import Trace, write_traces


def test_csv_has_texts_and_context(tmp_path):
    path = tmp_path / "asked.csv"
    path.write_bytes('\ufeffid,intent,context_tools,more\na,"send, a mail",x.y z,1\nb,,,\n,none,,\n'.encode())
    found = list(read_intents(path))
    assert [number for number, _ in found] == [1, 2, 3]
    assert (found[0][1].id, found[0][1].intent, found[0][1].context_tools) == ("a", "send, a mail", ("x.y", "z"))
    assert found[1][1].intent == ""
    assert isinstance(found[2][1], TraceError)


@pytest.mark.parametrize("ending", [".jsonl", ".parquet"])
def test_files_of_traces_are_files_of_intents(tmp_path, ending):
    path = tmp_path / f"asked{ending}"
    x = np.arange(4, dtype=np.float32)
    write_traces(path, [Trace(id="a", intent="mail", embedding=x)], 4)
    ((number, intent),) = read_intents(path, 4)
    assert (number, intent.id) == (1, "a")
    np.testing.assert_array_equal(intent.embedding, x)


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("a.txt", b"", "ends in"),
        ("a.csv", b"id,text\n1,2\n", "no column 'intent'"),
        ("a.csv", b"", "no column 'id'"),
        ("a.csv", b"id,intent\n1,\xff\n", "cannot read"),
        ("a.csv", b'id,intent\n1,"x\n', "cannot read"),
    ],
)
def test_what_is_none_is_refused(tmp_path, name, content, what):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=what):
        list(read_intents(tmp_path / name))


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match="cannot read"):
        list(read_intents(tmp_path / "none.csv"))
