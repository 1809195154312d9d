"""Every bit of every line comes back, of events and of everything else."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shgat.errors import CorruptError
from shgat.progressive.columnar import Encoder, lines
from shgat.progressive.events import canonical, events
from shgat.progressive.history import History

HEX = st.text("0123456789abcdef", min_size=40, max_size=40) | st.text("0123456789abcdef", min_size=64, max_size=64)
WORDS = st.text(max_size=12)
NUMBER = st.integers(-(2**63), 2**63 - 1) | st.none() | st.integers(-9, 9) | st.floats(allow_nan=False) | st.booleans()
FILE = st.fixed_dictionaries({"p": WORDS, "s": WORDS, "mode": WORDS}, optional={"of": WORDS, "b64": WORDS, "x": WORDS})
EVENT = st.fixed_dictionaries(
    {
        "v": st.sampled_from([1, 1, 1, 2, True]),
        "kind": st.sampled_from(["event", "event", "other"]),
        "unit": WORDS,
        "seq": st.integers(0, 9) | NUMBER,
        "sha": HEX | WORDS,
        "parents": st.lists(HEX, max_size=3),
        "at": NUMBER,
        "ct": NUMBER,
        "an": WORDS,
        "ae": WORDS,
        "msg": WORDS,
        "files": st.lists(FILE, max_size=3),
        "n_files": st.integers(0, 9),
        "truncated": st.booleans(),
        "labels": st.lists(st.dictionaries(WORDS, st.integers(0, 9), max_size=2), max_size=2),
    },
    optional={"msg_b64": WORDS, "msg_len": st.integers(-9, 9), "boundary": st.booleans(), "unknown": WORDS},
)
JUNK = st.binary(max_size=20).map(lambda b: b.replace(b"\n", b"")) | st.dictionaries(WORDS, NUMBER, max_size=3).map(canonical)


def there_and_back(given_lines):
    encoder = Encoder()
    for line in given_lines:
        encoder.add(line)
    return list(lines(encoder.columns(), encoder.n)), encoder


@given(st.lists(EVENT.map(canonical) | JUNK, max_size=8))
def test_round_trip(found):
    assert there_and_back(found)[0] == found


def test_generated_repositories_go_into_columns_whole(planted):
    found = [canonical(e) for e in events(History.of(planted.path))]
    back, encoder = there_and_back(found)
    assert back == found
    assert encoder.columns()["rows"] == b""
    assert sum(map(len, encoder.columns().values())) < sum(map(len, found)) / 2


def test_a_line_that_is_not_canonical_stays_as_it_is(planted):
    first = next(events(History.of(planted.path)))
    odd = [orjson.dumps(dict(reversed(first.items()))), orjson.dumps(first, option=orjson.OPT_INDENT_2).replace(b"\n", b" ")]
    assert there_and_back(odd)[0] == odd
    twice = canonical(first).replace(b'"ae":', b'"ae":"x","ae":', 1)
    assert there_and_back([twice])[0] == [twice]


def test_the_same_commit_twice_and_parents_from_elsewhere(planted):
    found = [canonical(e) for e in events(History.of(planted.path))]
    found = found[50:60] + found[50:60]
    assert there_and_back(found)[0] == found


def test_columns_that_do_not_fit_together_are_an_error(planted):
    _, encoder = there_and_back([canonical(e) for e in events(History.of(planted.path))])
    columns = encoder.columns()
    for name in ("path", "ids", "lists", "texts", "form"):
        with pytest.raises(CorruptError):
            list(lines(columns | {name: b"["}, encoder.n))
