"""What every registry does, with its files in SQLite, in PostgreSQL and in MLflow."""

import pytest

from shgat.errors import ConflictError, InputError, StoreError
from shgat.registry import Version


def filled(registry, files, facts):
    return [registry.add(data, {**facts, "parent": i}).number for i, data in enumerate(files)]


def test_a_version_comes_back_as_it_went(registry, files, facts):
    assert registry.versions() == []
    first, second = (registry.add(data, facts) for data in files[:2])
    for version, data in ((first, files[0]), (second, files[1])):
        assert registry.data(version.number) == data
        assert registry.version(version.number) == version
        assert (version.facts, version.size, version.name) == (facts, len(data), f"v{version.number}")
    listed = registry.versions()
    assert [(v.number, v.size, v.created_at) for v in listed] == [(v.number, v.size, v.created_at) for v in (first, second)]
    assert {name: listed[0].facts[name] for name in ("catalog", "parent", "trained_at")} == {
        name: facts[name] for name in ("catalog", "parent", "trained_at")
    }
    assert registry.aliases() == {}
    assert registry.moves() == []


def test_aliases_move_and_every_move_is_written_down(registry, files, facts):
    a, b, c, _ = filled(registry, files, facts)
    registry.move("production", a, expected=None, action="promote", who="ann", why="first", figures={"recall@5": 0.5})
    registry.move("production", b, expected=a, action="promote", who="bob", why="better")
    registry.move("canary", c, who="bob", why="to see", terms={"percent": 5.0})
    assert registry.aliases() == {"production": b, "canary": c}
    assert registry.terms("canary") == (c, {"percent": 5.0})
    assert registry.terms("shadow") is None
    later, earlier = registry.moves("production")
    assert (earlier.number, earlier.before, earlier.after, earlier.who, earlier.why) == (1, None, a, "ann", "first")
    assert (later.number, later.before, later.after, later.figures) == (2, a, b, None)
    assert earlier.figures == {"recall@5": 0.5}
    assert len(registry.moves()) == 3


def test_who_saw_something_else_moves_nothing(registry, files, facts):
    a, b, *_ = filled(registry, files, facts)
    registry.move("production", a)
    with pytest.raises(ConflictError, match=f"production is v{a} and not v{b}"):
        registry.move("production", b, expected=b)
    assert registry.aliases() == {"production": a}
    assert len(registry.moves()) == 1


def test_there_is_no_way_to_a_version_that_is_not_there(registry, files, facts):
    (number, *_) = filled(registry, files[:1], facts)
    for call in (registry.version, registry.data, lambda n: registry.move("staging", n)):
        with pytest.raises(StoreError, match=f"version {number + 90}"):
            call(number + 90)
    assert registry.aliases() == {}


def test_a_rollback_goes_back_one_version_after_another(registry, files, facts):
    a, b, c, d = filled(registry, files, facts)
    with pytest.raises(StoreError, match="no earlier version"):
        registry.rollback(who="ann")
    for number in (a, b, b, c):
        registry.move("production", number)
    assert registry.rollback(who="ann", why="it is worse").after == b
    assert registry.rollback(who="ann").after == a
    with pytest.raises(StoreError, match="no earlier version that production could go back to"):
        registry.rollback(who="ann")
    registry.move("production", d)
    back = registry.rollback(who="ann", why="again", figures={"n": 1})
    assert (back.before, back.after, back.action, back.who, back.why, back.figures) == (d, a, "rollback", "ann", "again", {"n": 1})
    log = registry.moves("production")[::-1]
    assert [m.number for m in log] == list(range(1, len(log) + 1))
    assert [m.before for m in log] == [None, *(m.after for m in log[:-1])]


def test_a_rollback_of_another_alias_empties_it_at_last(registry, files, facts):
    a, b, *_ = filled(registry, files, facts)
    registry.move("canary", a)
    registry.move("canary", b)
    assert registry.rollback("canary", who="ann").after == a
    assert registry.rollback("canary", who="ann").after is None
    assert registry.aliases() == {}
    with pytest.raises(StoreError, match="no earlier version that canary"):
        registry.rollback("canary", who="ann")


def test_names_of_versions(registry, files, facts):
    (number, *_) = filled(registry, files[:1], facts)
    registry.move("staging", number)
    assert {registry.named(name) for name in (number, str(number), f"v{number}", "staging")} == {number}
    for name in ("production", "vv1", "-1", ""):
        with pytest.raises(InputError, match=r"there is no version .* or one of: staging"):
            registry.named(name)


def test_a_version_is_known_by_its_number():
    assert Version(7, 0.0, 1, {}).name == "v7"
