"""URLs: what can never work is refused at once, and no error, repr or log shows a piece of a secret."""

import logging
import os
import traceback

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import URL

import special_files
from shgat.errors import InputError, StoreError, StoreURLError
from shgat.store import Store
from shgat.store.address import Address
from shgat.store.database import Database

D = 8
TOKEN = "S3cretT0ken"


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        (None, "no database URL"),
        (7, "no database URL"),
        (b"sqlite:///x.db", "no database URL"),
        ("", "no database URL"),
        ("x.db", "no database URL"),
        ("/data/x.db", "no database URL"),
        ("postgresql:user@host", "no database URL"),
        ("postgresql://h:port/x", "no database URL"),
        ("postgresql://h:99999/x", "makes no sense"),
        ("postgresql://h h/x", "makes no sense"),
        ("mysql://h/x", "mysql is not supported"),
        ("mysql+pymysql://u:p@h/x", r"mysql\+pymysql is not supported"),
        ("postgresql+psycopg2://h/x", r"psycopg2 is not supported"),
        ("sqlite+aiosqlite:///x.db", "aiosqlite is not supported"),
        ("sqlite://", "keeps nothing"),
        ("sqlite:///:memory:", "keeps nothing"),
        ("sqlite://x.db", "keeps nothing"),
        ("sqlite://data/x.db", "a path and nothing else"),
        ("sqlite:///file::memory:?uri=true", "a path and nothing else"),
        ("sqlite:///x.db?mode=ro", "a path and nothing else"),
        ("sqlite:///~/x.db", "folder .* does not exist"),
        ("sqlite:////nowhere/at/all.db", "folder /nowhere/at does not exist; create it"),
        ("sqlite:///a\0b.db", "a path and nothing else"),
        ("postgresql://h/x?passfile=a&passfile=b", "given twice"),
    ],
)
def test_what_can_never_work_is_told_from_what_may_come_back(tmp_path, monkeypatch, url, fault):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StoreURLError, match=fault):
        Store.open(url, D, timeout=0.5)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", [name for name in special_files.NAMES if name not in ("without a size", "link to itself")])
def test_an_sqlite_url_that_names_no_file(tmp_path, name):
    path = special_files.make(tmp_path, name, "x")
    with pytest.raises(StoreURLError, match=r"it is (a folder|no regular file); name a file"):
        Store.open(f"sqlite:///{path}", D)


def test_what_may_come_back_is_no_fault_of_the_url():
    with pytest.raises(StoreError, match="runs and can be reached") as caught:
        Store.open("postgresql://u@127.0.0.1:1/x", D, timeout=0.5)
    assert not isinstance(caught.value, StoreURLError)


@pytest.mark.parametrize(("user", "database"), [("postgres", "nowhere"), ("nobody", "postgres")])
def test_a_user_or_a_database_that_the_server_does_not_have(server, user, database):
    url = Address.parse(server.url("postgres")).url.set(username=user, database=database)
    with pytest.raises(StoreURLError, match="check user, password and database"):
        Store.open(url.render_as_string(hide_password=False), D, timeout=2.0)


@pytest.mark.parametrize("mask", [0o022, 0o000, 0o077])
def test_a_new_sqlite_file_and_its_journals_are_for_their_owner_alone(tmp_path, mask):
    before = os.umask(mask)
    try:
        with Store.open(f"sqlite:///{tmp_path}/x.db", D) as store, store.database.write():
            modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    finally:
        os.umask(before)
    assert modes == {"x.db": 0o600, "x.db-wal": 0o600, "x.db-shm": 0o600}


def test_the_mode_of_a_file_that_is_there_is_left_alone_and_links_are_followed(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "x.db").symlink_to(tmp_path / "folder" / "y.db")
    Store.open(f"sqlite:///{tmp_path}/x.db", D).close()
    file = tmp_path / "folder" / "y.db"
    assert file.stat().st_mode & 0o777 == 0o600
    file.chmod(0o640)
    Store.open(f"sqlite:///{tmp_path}/x.db", D).close()
    assert file.stat().st_mode & 0o777 == 0o640


def test_a_store_that_is_only_looked_for_is_not_created(tmp_path):
    with pytest.raises(StoreError, match="no such store"):
        Store.open(f"sqlite:///{tmp_path}/x.db")
    assert list(tmp_path.iterdir()) == []


def everything_said(error):
    """By an error, its causes, and whoever prints them."""
    return "".join(traceback.format_exception(error)) + repr(error) + str(error.args)


def assert_no_leak(url, caplog=None):
    try:
        database = Database(url, 0.5)
    except StoreError as error:
        assert TOKEN not in everything_said(error)  # noqa: PT017
        return
    shown = [database.name, repr(database), str(database), repr(database.engine), repr(vars(database)["_address"])]
    assert TOKEN not in "".join(shown)
    try:
        with database.read():
            pass
    except StoreError as error:
        assert TOKEN not in everything_said(error)  # noqa: PT017
    finally:
        database.close()


JUNK = st.text(st.sampled_from("@:/?#%[]&=+ \\'\"\n\0é;,x"), max_size=3)


@settings(max_examples=150)
@given(JUNK, JUNK, st.sampled_from(["postgresql", "postgresql+psycopg", "mysql", "sqlite"]))
def test_a_password_that_was_not_encoded_is_shown_by_nobody(before, after, scheme):
    assert_no_leak(f"{scheme}://bob:{before}{TOKEN}{after}@127.0.0.1:1/db")
    assert_no_leak(URL.create("postgresql+psycopg", "bob", f"{before}{TOKEN}{after}", "127.0.0.1", 1, "db"))


OPTIONS = ["password", "sslpassword", "passfile", "sslkey", "sslcert", "options", "service", "nonsense", "keepalives", "krbsrvname"]


@settings(max_examples=100)
@example("service", "\0x", "")
@example("service", "\0", "-c my.token=")
@given(st.sampled_from(OPTIONS), JUNK, st.sampled_from(["", "-c my.token=", "-c statement_timeout=", "a b "]))
def test_a_secret_among_the_options_is_shown_by_nobody(option, junk, before):
    assert_no_leak(f"postgresql://bob@127.0.0.1:1/db?{option}={before}{TOKEN}{junk}")


def test_what_a_server_says_of_an_option_is_shown_without_it(server, caplog):
    caplog.set_level(logging.DEBUG)
    url = f"{server.url('postgres')}&options=-c%20statement_timeout%3D{TOKEN}"
    with pytest.raises(StoreError, match=r"\*\*\*") as caught:
        Store.open(url, D, timeout=2.0)
    assert TOKEN not in everything_said(caught.value)
    assert TOKEN not in caplog.text


@pytest.mark.parametrize(
    "option", ["autocommit", "connect_timeout", "prepare_threshold", "row_factory", "nonsense", "sslmode", "port"]
)
@pytest.mark.parametrize("value", ["x", "-1", "[]", "1e99", "é"])
def test_whatever_an_option_makes_the_driver_raise_is_a_store_error(option, value):
    with pytest.raises(StoreError), Database(f"postgresql://u@127.0.0.1:1/x?{option}={value}", 0.5).read():
        pass


@pytest.mark.parametrize("text", ["\ud800", "a\udfffb"])
def test_half_a_surrogate_pair_is_no_error_of_the_driver(store, text):
    for ask in (
        store.trace,
        store.decision,
        lambda key: store.traces_of(["a", key]),
        lambda key: store.set_priorities([key], [1.0]),
    ):
        with pytest.raises(InputError, match="lone surrogate"):
            ask(text)


def test_u_0000_is_refused_or_found_nowhere(store):
    try:
        assert store.trace("a\0b") is None
    except InputError as error:
        assert "U+0000" in str(error)  # noqa: PT017
