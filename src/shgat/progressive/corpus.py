"""Lists of repositories: a URL or a path a line. Nothing of a line is ever given to a shell, and a bad line is said and passed over."""

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from .._check import brief
from .._files import read_lines
from ..errors import InputError
from .events import digest

SCHEMES = ("https", "http", "git", "file")
_SAFE = re.compile(r"[A-Za-z0-9._~/%+@:\[\]-]+\Z")
_PORTS = {"https": 443, "http": 80, "git": 9418}
_CASELESS = ("github.com", "gitlab.com", "bitbucket.org", "codeberg.org")


@dataclass(frozen=True, slots=True)
class Source:
    """Where a repository is.

    Attributes
    ----------
    place : a URL, or an absolute path, which is read in place
    name : what people call it, as owner/name
    """

    place: str
    name: str

    @property
    def key(self) -> str:
        """Hash of the place, 16 digits."""
        return digest(self.place.encode())[:16]

    @property
    def remote(self) -> bool:
        """Is it cloned before it is read?"""
        return "://" in self.place


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a list: its number, the source, or what is wrong with it; `same` is the number of the line that has the source already."""

    number: int
    source: Source | None
    fault: str = ""
    same: int = 0


def parse(text: str, folder: Path) -> Source:
    """The source of a line; a path is relative to `folder`.

    Raises
    ------
    InputError
        that says what is wrong with it.
    """
    if re.match(r"[A-Za-z0-9+.-]+://", text):
        return _remote(text)
    if re.match(r"[A-Za-z0-9+.-]+::", text):
        raise InputError(f"{brief(text)}: remote helpers are not used; expected {', '.join(SCHEMES)}")
    if re.match(r"[\w.-]+@[\w.-]+:", text):
        raise InputError(f"{brief(text)}: ssh is not used, it would take the keys of this machine; expected {', '.join(SCHEMES)}")
    if text.startswith("-"):
        raise InputError(f"{brief(text)} begins with a hyphen; expected a URL or a path")
    try:
        path = (folder / text).resolve()
        found = path.is_dir()
    except (OSError, ValueError, RuntimeError) as error:
        raise InputError(f"{brief(text)}: {error}") from None
    if not found:
        raise InputError(f"{brief(text)} is neither a URL nor a folder")
    return Source(str(path), "/".join(path.parts[-2:]) if len(path.parts) > 2 else path.name)


def _remote(text: str) -> Source:
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError as error:
        raise InputError(f"{brief(text)}: {error}") from None
    scheme, host = url.scheme.lower(), (url.hostname or "").lower().removeprefix("www.")
    if scheme not in SCHEMES:
        raise InputError(f"{brief(scheme)}:// is not used; expected {', '.join(SCHEMES)}")
    if url.username is not None or url.password is not None:
        raise InputError("a URL with a user or a password in it is not used: it would be written down")
    if url.query or url.fragment or not _SAFE.match(url.path) or (scheme == "file") == bool(host) or host.startswith("-"):
        raise InputError(f"{brief(text)} is no URL of a repository")
    if ".." in url.path.split("/") or not url.path.strip("/"):
        raise InputError(f"{brief(text)} is no URL of a repository")
    path = "/" + "/".join(part for part in url.path.split("/") if part)
    if scheme != "file":
        path = path.removesuffix(".git")
        path = path.lower() if host in _CASELESS else path
    where = f"[{host}]" if ":" in host else host
    where += f":{port}" if port not in (None, _PORTS.get(scheme)) else ""
    name = "/".join(path.removesuffix(".git").split("/")[-2:])
    return Source(f"{scheme}://{where}{path}", name.strip("/"))


def read_list(path: Path) -> list[Line]:
    """The lines of a list that are not blank and no comments.

    Raises
    ------
    InputError
        where the file cannot be read.
    """
    found: list[Line] = []
    seen: dict[str, int] = {}
    for number, raw in read_lines(path):
        text = raw.decode("utf-8-sig" if number == 1 else "utf-8", "backslashreplace").strip()
        text = re.split(r"(?:^|\s)#", text, maxsplit=1)[0].strip()
        if not text:
            continue
        try:
            source = parse(text, path.parent)
        except InputError as error:
            found.append(Line(number, None, str(error)))
            continue
        found.append(Line(number, source, same=seen.get(source.place, 0)))
        seen.setdefault(source.place, number)
    return found
