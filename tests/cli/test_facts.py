"""Whatever a gateway says of itself is shown: no value is lost, records of one kind stand in a table."""

from hypothesis import given
from hypothesis import strategies as st

from shgat.cli.facts import grids

names = st.text("abcdef_", min_size=1, max_size=8)
plain = st.one_of(st.none(), st.booleans(), st.integers(-1000, 1000), st.text("xyz ", min_size=1, max_size=12))
values = st.dictionaries(
    names,
    st.recursive(
        plain, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(names, inner, max_size=3)), max_leaves=8
    ),
    min_size=1,
    max_size=5,
)


def leaves(value):
    if isinstance(value, dict):
        return [leaf for item in value.values() for leaf in leaves(item)]
    if isinstance(value, list):
        return [leaf for item in value for leaf in leaves(item)]
    return [value]


@given(values)
def test_every_value_is_there(value):
    text = "\n".join(cell for grid in grids(value) for row in grid.rows for cell in row)
    for leaf in leaves(value):
        shown = "-" if leaf is None else {True: "yes", False: "no"}[leaf] if isinstance(leaf, bool) else str(leaf)
        assert shown in text


def test_records_of_one_kind_are_a_table():
    success = {"mail.send": {"rate": 0.25, "uses": 8}, "mail.read": {"rate": 0.75, "uses": 4}}
    plain, table = grids({"version": "v7", "success": success, "trouble": []})
    assert plain.rows == [("version", "v7"), ("trouble", "-")]
    assert table.title == "success"
    assert [c.name for c in table.columns] == ["id", "rate", "uses"]
    assert [c.justify for c in table.columns] == ["left", "right", "right"]
    assert table.rows == [("mail.send", "0.25", "8"), ("mail.read", "0.75", "4")]


def test_nested_names_are_joined_and_lists_have_a_line_each():
    (plain,) = grids({"latency_ms": {"p50": 0.41234567, "p99": 2.0}, "trouble": ["one", "two"]})
    assert plain.rows == [("latency_ms.p50", "0.4123"), ("latency_ms.p99", "2"), ("trouble", "one\ntwo")]
