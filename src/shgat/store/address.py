"""Where a database is: a URL that was checked, and that no error and no log shows the secrets of."""

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, quote_plus

from sqlalchemy.engine import URL, make_url

from ..errors import StoreURLError

FORMS = "expected sqlite:///path.db or postgresql+psycopg://user:password@host/database"
_ENCODE = "write @ : / ? # in a user or password as %40 %3A %2F %3F %23"
_DRIVERS = ("sqlite", "sqlite+pysqlite", "postgresql+psycopg")
_HOST = re.compile(r"[\w.-]*|[0-9A-Fa-f:.]+(%[\w.-]+)?")
_SHOWN = {"host", "hostaddr", "port", "dbname", "sslmode", "connect_timeout", "application_name", "target_session_attrs"}
_PIECES = re.compile(r"""[\s=,;'"\\\0]+""")  # at U+0000, too: to the driver's C library a value ends there
_MASK = "***"
_SHORTEST = 3  # characters of what is masked in messages, whose own letters would go else


@dataclass(frozen=True, repr=False)
class Address:
    """A database.

    Attributes
    ----------
    url : without the options that may hold a secret
    name : how messages call it
    options : those options, for the driver
    file : of an SQLite database, links followed, else None
    secrets : what no message may hold, longest first
    """

    url: URL
    name: str
    options: dict[str, str]
    file: Path | None
    secrets: tuple[str, ...]

    @classmethod
    def parse(cls, url: object) -> "Address":
        """Raises StoreURLError, which quotes nothing of a URL that makes no sense, for what can never work."""
        try:
            text = url.render_as_string(hide_password=False) if isinstance(url, URL) else url
            if not isinstance(text, str):
                raise TypeError
            parsed = make_url(text)
            rest = text.split("://", 1)[1]
        except Exception:  # a port that is no number is quoted with all that follows it
            raise StoreURLError(f"this is no database URL; {FORMS}; {_ENCODE}") from None
        if parsed.drivername in ("postgresql", "postgres"):
            parsed = parsed.set(drivername="postgresql+psycopg")
        if parsed.drivername not in _DRIVERS:
            raise StoreURLError(f"{parsed.drivername:.40} is not supported; {FORMS}")
        if parsed.get_backend_name() == "sqlite":
            return cls(parsed, f"{parsed.drivername}:///{parsed.database}", {}, _file(parsed), ())
        if rest.count("@") > 1 or not _HOST.fullmatch(parsed.host or "") or not 0 <= (parsed.port or 0) < 1 << 16:
            raise StoreURLError(f"the host of this PostgreSQL URL makes no sense; {_ENCODE}")
        return cls._of_postgresql(parsed, rest)

    @classmethod
    def _of_postgresql(cls, url: URL, text: str) -> "Address":
        options: dict[str, str] = {}
        for name, value in url.query.items():
            if name not in _SHOWN:
                if not isinstance(value, str):
                    raise StoreURLError("an option of this PostgreSQL URL is given twice")
                options[name] = value
        bare = url.difference_update_query(options)
        shown = bare.update_query_dict(dict.fromkeys(options, _MASK)) if options else bare
        given = [part for part in (url.password, *options.values()) if part]
        raw = re.match(r"[^:/@]*:([^@]*)@", text)
        pieces = [piece for value in options.values() for piece in _PIECES.split(value)] + (url.password or "").split("\0")
        secrets = {*given, *pieces, *map(quote, given), *map(quote_plus, given), *((raw[1],) if raw else ())}
        kept = sorted((s for s in secrets if len(s) >= _SHORTEST), key=len, reverse=True)
        return cls(bare, shown.render_as_string(hide_password=True), options, None, tuple(kept))

    def scrubbed(self, message: str) -> str:
        """The message, in one line, without any secret."""
        for secret in self.secrets:
            message = message.replace(secret, _MASK)
        return " ".join(message.split())

    def create_file(self) -> None:
        """Creates the SQLite file where there is none, for its owner alone: SQLite gives its journals the mode of the file."""
        if self.file is not None:
            try:
                os.close(os.open(self.file, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
            except OSError:  # it is there, or SQLite says why it cannot be
                return


def _file(url: URL) -> Path:
    """The file of an SQLite URL; StoreURLError where none can be."""
    name = f"{url.drivername}:///{url.database}"
    if url.database in (None, "", ":memory:"):
        raise StoreURLError(f"a store in memory keeps nothing; {FORMS}")
    if url.host or url.username or url.password or url.port or url.query or "\0" in str(url.database):
        raise StoreURLError(f"an SQLite URL has a path and nothing else; {FORMS} (four slashes for a path from the root)")
    file = Path(os.path.realpath(str(url.database)))
    try:
        if not file.parent.is_dir():
            raise StoreURLError(f"{name}: its folder {file.parent} does not exist; create it")
        if file.exists() and not stat.S_ISREG(file.stat().st_mode):
            raise StoreURLError(f"{name}: it is {'a folder' if file.is_dir() else 'no regular file'}; name a file in a folder")
    except (OSError, ValueError) as error:
        raise StoreURLError(f"{name}: {getattr(error, 'strerror', None) or error}") from None
    return file
