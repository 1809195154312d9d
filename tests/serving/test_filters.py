"""What a request may have is settled before anything is ranked."""

import numpy as np
import pytest

from shgat import Catalog
from shgat.serving.filters import NO_FILTERS, Filters, Membership

TOOLS = [
    {"id": "mail/send", "server": "mail"},
    {"id": "mail/read", "server": "mail"},
    {"id": "files/read", "server": "files"},
    {"id": "clock"},
]
CAPABILITIES = [
    {"id": "tag:reading", "tools": ["mail/read", "files/read"]},
    {"id": "category:office", "capabilities": ["tag:reading"], "tools": ["clock"]},
    {"id": "inbox", "tools": ["mail/read", "mail/send"]},
]


@pytest.fixture(scope="module")
def membership():
    return Membership(Catalog.from_records(TOOLS, CAPABILITIES))


def names(membership, filters, kind="tools", blocked=()):
    found = membership.eligible(kind, filters, blocked)
    column = {place: item for item, place in found.column.items()}
    left = list(found.column) if found.columns is None else [column[place] for place in found.columns.tolist()]
    assert all(item in found for item in [*left, *found.strangers])
    assert not any(item in found for item in set(found.column) - set(left))
    return left


@pytest.mark.parametrize(
    ("filters", "left"),
    [
        (NO_FILTERS, ["mail/send", "mail/read", "files/read", "clock"]),
        (Filters(servers=frozenset({"mail", "files"})), ["mail/send", "mail/read", "files/read"]),
        (Filters(tags=frozenset({"reading"})), ["mail/read", "files/read"]),
        (Filters(tags=frozenset({"office"})), ["mail/read", "files/read", "clock"]),
        (Filters(tags=frozenset({"inbox"})), ["mail/send", "mail/read"]),
        (Filters(servers=frozenset({"mail"}), tags=frozenset({"reading"})), ["mail/read"]),
        (Filters(candidates=("clock", "mail/send"), servers=frozenset({"mail"})), ["mail/send"]),
        (Filters(exclude=frozenset({"clock", "unknown"})), ["mail/send", "mail/read", "files/read"]),
        (Filters(servers=frozenset()), []),
    ],
)
def test_filters_meet(membership, filters, left):
    assert names(membership, filters) == left


def test_a_capability_may_be_had_where_all_its_tools_may(membership):
    assert names(membership, Filters(servers=frozenset({"mail"})), "capabilities") == ["inbox"]
    assert names(membership, NO_FILTERS, "capabilities", blocked=["mail/send"]) == ["tag:reading", "category:office"]
    assert names(membership, Filters(exclude=frozenset({"inbox"})), "capabilities") == ["tag:reading", "category:office"]
    assert names(membership, Filters(exclude=frozenset({"clock"})), "capabilities") == ["tag:reading", "inbox"]


def test_names_that_mean_nothing_are_said(membership):
    found = membership.eligible("tools", Filters(("mine", "clock"), frozenset({"slack", "mail"}), frozenset({"x"})))
    assert [why.split(":")[0] for why in found.why] == [
        "servers",
        "tags",
        "1 candidates are not in the catalogue, among them 'mine'",
    ]
    assert (found.columns.tolist(), found.strangers) == ([], ())  # whose server is unknown is of none
    assert membership.eligible("tools", Filters(("mine", "clock"))).strangers == ("mine",)
    assert membership.eligible("tools", Filters(("mine", "clock")), blocked=["mine"]).strangers == ()


def test_masks_are_kept_and_stay_as_they_were(membership):
    by_server = Filters(servers=frozenset({"mail"}))
    before = membership.eligible("tools", by_server).columns
    membership.eligible("tools", by_server, blocked=["mail/send"])
    np.testing.assert_array_equal(membership.eligible("tools", by_server).columns, before)
    for n in range(600):
        membership.eligible("tools", Filters(servers=frozenset({f"s{n}"})))
    assert len(membership._kept) <= 256
