"""Repositories that the tests make, and git for those that are made by hand."""

import hashlib
import os
import subprocess
from pathlib import Path

import pytest

from shgat.progressive.disk import Disk
from shgat.progressive.extraction import extract
from shgat.progressive.generator import Plan, make
from shgat.progressive.history import History
from shgat.progressive.layout import Layout
from shgat.progressive.ledger import Ledger
from workspaces import lines_of, loop_of, sound

VARIABLES = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    **{
        f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in (("NAME", "A"), ("EMAIL", "a@example.org"))
    },
    "GIT_AUTHOR_DATE": "1500000000 +0000",
    "GIT_COMMITTER_DATE": "1500000000 +0000",
}


def run_git(folder, *arguments, given=b"", **variables):
    command = ["git", "-C", os.fspath(folder), *arguments]
    done = subprocess.run(command, env=VARIABLES | variables, input=given, capture_output=True, check=True)
    return done.stdout.decode("utf-8", "replace").strip()


def contents(folder: Path) -> dict[str, str]:
    """Each file of a folder and the digest of its bytes."""
    return {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.rglob("*")) if p.is_file()
    }


@pytest.fixture
def git():
    return run_git


@pytest.fixture
def tree():
    return contents


@pytest.fixture
def work(tmp_path):
    """A work tree without a commit."""
    folder = tmp_path / "work"
    folder.mkdir()
    run_git(folder, "init", "-q", "--initial-branch=main", "--template=")
    return folder


@pytest.fixture
def commit(work):
    """Commits files (path -> content, None to remove) in `work`, and returns the id."""

    def do(message="m", files=None, **variables):
        for name, content in (files or {}).items():
            path = Path(os.fsdecode(os.path.join(os.fsencode(work), os.fsencode(name))))  # noqa: PTH118
            if content is None:
                path.unlink()
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
        run_git(work, "add", "-A")
        message = message.encode() if isinstance(message, str) else message
        more = ["--allow-empty", "--allow-empty-message", "--cleanup=verbatim"]
        run_git(work, "-c", "gc.auto=0", "commit", "-q", *more, "-F", "-", given=message, **variables)
        return run_git(work, "rev-parse", "HEAD")

    return do


@pytest.fixture(scope="session")
def planted(tmp_path_factory):
    """A generated repository with everything bad in it."""
    return make(tmp_path_factory.mktemp("planted") / "planted.git", Plan(seed=7, commits=160))


@pytest.fixture(scope="session")
def three(tmp_path_factory):
    """Three generated repositories."""
    folder = tmp_path_factory.mktemp("three")
    return [make(folder / f"r{s}.git", Plan(seed=s, commits=40)).path for s in (1, 2, 3)]


@pytest.fixture
def layout(tmp_path):
    found = Layout(tmp_path / "ws")
    found.make()
    return found


@pytest.fixture
def filled(layout, three):
    """A ledger with a segment of each of the three."""
    disk = Disk()
    ledger = Ledger(layout, disk)
    for i, path in enumerate(three):
        found = extract(History.of(path), layout.part(i), f"{i:016x}", path.name, disk, 1 << 30)
        ledger.seal(layout.part(i), found.measured, found.owner)
    return ledger


@pytest.fixture(scope="session")
def uninterrupted(three, tmp_path_factory):
    """Root and chain of a run over the three that nothing interrupted, and the names of its steps."""
    steps = []
    root = tmp_path_factory.mktemp("whole") / "ws"
    report = loop_of(root, disk=Disk(steps.append)).run(lines_of(*three))
    assert (report.root, report.chain) == sound(root)
    return report.root, report.chain, steps
