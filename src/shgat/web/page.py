"""The page at /ui: files of this package, under a policy that lets nothing else in."""

from collections.abc import Mapping
from pathlib import Path

from .problems import Problem

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS: Mapping[str, str] = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cache-control": "no-cache",
}
_KINDS = {"html": "text/html; charset=utf-8", "css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8",
          "svg": "image/svg+xml"}  # fmt: skip


class Page:
    """The files, read once."""

    def __init__(self) -> None:
        folder = Path(__file__).parent / "static"
        self._files = {f.name: f.read_bytes() for f in folder.iterdir() if f.suffix[1:] in _KINDS}

    def file(self, name: str) -> tuple[bytes, str]:
        """Content and media type of a file; Problem where there is none of that name."""
        if name not in self._files:
            raise Problem("not-found", f"the page has no file {name!r:.60}")
        return self._files[name], _KINDS[name.rpartition(".")[2]]
