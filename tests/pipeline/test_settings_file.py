"""The file is read with every key known, and the example is what the defaults are."""

import pytest

from shgat.errors import InputError
from shgat.pipeline.settings import Settings
from shgat.pipeline.settings_file import example, of_table, read_settings, store_url, write_example


def test_the_example_is_the_defaults(tmp_path):
    write_example(tmp_path / "pipeline.toml")
    found = read_settings(tmp_path / "pipeline.toml")
    assert found == Settings(store="env:SHGAT_STORE_URL", state=tmp_path / "pipeline-runs")
    with pytest.raises(InputError, match="there already"):
        write_example(tmp_path / "pipeline.toml")


def test_the_example_names_every_key():
    settings = Settings(store="env:X", state=None).to_dict()
    names = {key for value in settings.values() if isinstance(value, dict) for key in value} | {*settings, "state"}
    names |= set(settings["data"]["limits"])
    assert [name for name in names if name not in example()] == []


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ({"stroe": "x"}, "the file has the unknown key 'stroe': did you mean 'store'?"),
        ({"canary": {"percnt": 5}}, "canary has the unknown key 'percnt': did you mean 'percent'?"),
        (
            {"data": {"limits": {"max_misssing": 0.1}}},
            "data.limits has the unknown key 'max_misssing': did you mean 'max_missing'?",
        ),
        ({"gate": {"xyzzy": 1}}, "gate has the unknown key 'xyzzy': it may be one of floors, least"),
        ({"canary": 5}, "canary is a section, not 5"),
        ({"user": {"name": "x"}}, "user is a value, not a section"),
        ({"data": {"limits": {"max_missing": "few"}}}, "limits: max_missing is a number"),
        ({"catalog": 5}, "catalog is a non-empty string"),
    ],
)
def test_an_unknown_key_is_refused_with_the_nearest_known_one(tmp_path, table, says):
    with pytest.raises(InputError) as error:
        of_table({"store": "env:X", **table}, tmp_path)
    assert says in str(error.value)


def test_places_are_those_of_the_files_folder(tmp_path):
    found = of_table({"store": "env:X", "state": "runs", "catalog": "../tools"}, tmp_path)
    assert (found.state, found.catalog) == (tmp_path / "runs", tmp_path / "../tools")
    with pytest.raises(InputError, match="there is no store"):
        of_table({}, tmp_path)


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"store = ", "is no TOML"), (b"\xff", "cannot read"), (b'store = "env:X"\n[canary]\npercent = "x"', "p.toml: ")],
)
def test_a_file_that_is_none(tmp_path, content, says):
    (tmp_path / "p.toml").write_bytes(content)
    with pytest.raises(InputError, match=says):
        read_settings(tmp_path / "p.toml")


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match="pipeline init"):
        read_settings(tmp_path / "p.toml")


def test_the_environment_holds_the_url(tmp_path, monkeypatch):
    settings = of_table({"store": "env:TOWN_URL"}, tmp_path)
    with pytest.raises(InputError, match="'TOWN_URL' is not set"):
        store_url(settings)
    monkeypatch.setenv("TOWN_URL", "sqlite:///town.db")
    assert store_url(settings) == "sqlite:///town.db"
