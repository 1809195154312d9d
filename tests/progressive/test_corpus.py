"""Lists: one spelling, once, and nothing that could be taken for something else."""

import pytest

from shgat.errors import InputError
from shgat.progressive.corpus import parse, read_list


@pytest.mark.parametrize(
    "text",
    [
        "https://github.com/Encode/HTTPX",
        "https://github.com/encode/httpx.git",
        "https://www.github.com/encode/httpx/",
        "HTTPS://GitHub.com:443//encode/httpx",
    ],
)
def test_spellings_of_one_place(text, tmp_path):
    source = parse(text, tmp_path)
    assert (source.place, source.name, source.remote) == ("https://github.com/encode/httpx", "encode/httpx", True)
    assert source.key == parse("https://github.com/encode/httpx", tmp_path).key


def test_places_of_other_kinds(tmp_path, git):
    (tmp_path / "repo").mkdir()
    assert parse("repo", tmp_path).place == str(tmp_path / "repo")
    assert not parse("./repo", tmp_path).remote
    assert parse(f"file://{tmp_path}/repo.git/", tmp_path).place == f"file://{tmp_path}/repo.git"
    assert parse("http://[::1]:8080/a/next.js", tmp_path).place == "http://[::1]:8080/a/next.js"
    assert parse("git://host/A/B", tmp_path).place == "git://host/A/B"
    assert parse("https://github.com/vercel/next.js", tmp_path).name == "vercel/next.js"


@pytest.mark.parametrize(
    "text",
    [
        "https://user:secret@host/a",
        "https://token@host/a",
        "ssh://host/a",
        "git@github.com:a/b",
        "ext::sh -c id",
        "fd::17",
        "--upload-pack=touch /tmp/x",
        "https://host/$(id)",
        "https://host/a b",
        "https://host/a?x=1",
        "https://host/a#b",
        "https://host/../a",
        "https://host/",
        "https:///a",
        "https://-host/a",
        "https://host:x/a",
        "https://host:99999/a",
        "file://host/a",
        "ftp://host/a",
        "$(id)",
        "no/such/folder",
        "a\0b",
        "x" * 5000,
    ],
)
def test_what_is_refused(text, tmp_path):
    with pytest.raises(InputError) as refused:
        parse(text, tmp_path)
    assert "secret" not in str(refused.value)
    assert "token" not in str(refused.value)


def test_a_list_with_everything_in_it(tmp_path):
    (tmp_path / "repo").mkdir()
    path = tmp_path / "list.txt"
    path.write_bytes(
        b"\xef\xbb\xbf# made by hand\r\nhttps://github.com/a/b\r\n\r\n   \n  repo  # here\n\nhttps://github.com/A/B.git\nnot there\n\xff\xfe\n"
    )
    found = read_list(path)
    assert [(line.number, line.source.place if line.source else None, line.same) for line in found] == [
        (2, "https://github.com/a/b", 0),
        (5, str(tmp_path / "repo"), 0),
        (7, "https://github.com/a/b", 2),
        (8, None, 0),
        (9, None, 0),
    ]
    with pytest.raises(InputError):
        read_list(tmp_path / "none")
