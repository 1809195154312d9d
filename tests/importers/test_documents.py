"""Files as values: every usual form is read, and what is too large or no document is one error that quotes nothing of it."""

import io
import os
import sys
from contextlib import suppress

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shgat.errors import InputError
from shgat.importers import documents
from shgat.importers.documents import LARGEST, parse, read


@pytest.mark.parametrize(
    ("data", "name", "value"),
    [
        (b'{"a": [1]}', "x.json", {"a": [1]}),
        (b'\xef\xbb\xbf{"a": 1}', "x.json", {"a": 1}),
        ('{"a": "ü"}'.encode("utf-16"), "x.json", {"a": "ü"}),
        (b'// mine\n{"a": "http://x", /* no */ "b": [1, 2,],}', "x.json", {"a": "http://x", "b": [1, 2]}),
        (b'{"a": NaN}', "x.json", {"a": pytest.approx(float("nan"), nan_ok=True)}),
        (b"openapi: 3.0.0\ninfo: {version: 2024-01-01}\n", "x.yaml", {"openapi": "3.0.0", "info": {"version": "2024-01-01"}}),
        (b"# a comment\nopenapi: '3'\n", "stdin", {"openapi": "3"}),
        (b'{"a": 1}\n{"b": 2}\n', "x.json", [{"a": 1}, {"b": 2}]),
        (b'{\n"a": 1\n}\n{\n"b": 2\n}\n', "x.json", [{"a": 1}, {"b": 2}]),
    ],
)
def test_every_usual_form_is_read(data, name, value):
    assert parse(data, name) == (value, [])


def test_lines_that_are_no_json_are_named_and_the_others_read():
    assert parse(b'{"a": 1}\nnot json\n\n[2]\n', "x.jsonl") == ([{"a": 1}, [2]], ["line 2"])
    assert parse(b'{\n"a": 1\n} the end', "x.json") == ({"a": 1}, ["everything from character 11"])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b" \n",
        b"{secret",
        b"secret",
        b'"' * 9,
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b'{"a":' * 5000,
        b"/*" * 100_000,
        b'["' * 50_000,
    ],
)
def test_what_is_no_document_is_an_error_that_quotes_nothing(data):
    with pytest.raises(InputError) as caught:
        parse(data, "x.json")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "data",
    [
        b"a: [secret",
        b"a: &a [*b]",
        b"a: !!python/object/apply:os.system [secret]",
        b"[" * 100_000,
        b"- " * 100_000,
        b"a: 1\n  b: secret",
        b"? [a]\n: 1\n? {b: 1}\n: 2",
    ],
)
def test_what_is_no_yaml_is_an_error_that_quotes_nothing(data):
    pytest.importorskip("yaml")
    with pytest.raises(InputError) as caught:
        parse(data, "x.yaml")
    assert "secret" not in str(caught.value)


def test_bombs_are_refused_before_they_take_memory():
    pytest.importorskip("yaml")
    merges = b"a0: &a0 {k: 1}\n" + b"".join(b"a%d: &a%d\n  <<: *a%d\n  k%d: 1\n" % (i, i, i - 1, i) for i in range(1, 600))
    with pytest.raises(InputError, match="merges more than"):
        parse(merges, "x.yml")
    with pytest.raises(InputError, match="more than 4,000,000 values"):
        parse(b"[" + b"[]," * 4_000_001 + b"1]", "x.json")


def test_a_file_of_a_hundred_megabytes_is_refused_unread(tmp_path):
    path = tmp_path / "x.json"
    with path.open("wb") as file:
        file.truncate(100 << 20)  # sparse
    with pytest.raises(InputError, match="has 100 MiB, at most 64 MiB are read: split it"):
        read(path)


def test_a_fifo_a_folder_and_what_is_not_there_are_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    for path in (tmp_path / "fifo", tmp_path, tmp_path / "none", tmp_path / "a\0b"):
        with pytest.raises(InputError, match="cannot read"):
            read(path)


def test_standard_input_is_read_to_its_limit(tmp_path, monkeypatch):
    class Stdin:
        buffer = io.BytesIO(b'{"tools": []}')

    monkeypatch.setattr(sys, "stdin", Stdin)
    assert read(documents.Path("-")).value == {"tools": []}
    Stdin.buffer = io.BytesIO(b"[" + b" " * LARGEST)
    with pytest.raises(InputError, match="more than 64 MiB"):
        read(documents.Path("-"))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=20)
@given(JSON)
def test_json_comes_back_as_it_was(value):
    import json

    found = parse(json.dumps(value).encode(), "x.json").value
    assert json.dumps(found) == json.dumps(value)


@given(st.binary(max_size=200), st.sampled_from(["x.json", "x.yaml", "x.jsonl", "x"]))
def test_arbitrary_bytes_are_a_value_or_an_error(data, name):
    with suppress(InputError):
        orjson.dumps(parse(data, name).faults)
