"""What may not be told: credentials are taken out of everything that is shown or written."""

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

MASK = "***"
_SHORT = 6  # characters of a value that could as well be a word: it is masked only where it stands alone
# How usual credentials begin, and what stands behind the words that announce one.
_TOKENS = re.compile(
    r"\b(?:sk|pk|rk|xox[abprs]|gh[opsur]|github_pat|glpat|hf|npm|pypi|AKIA|ASIA|AIza|ya29|eyJ)[-_.]?[A-Za-z0-9][-\w.]{14,}"
    r"|(?i:\b(?:bearer|basic|token)\s+)[-\w.~+/=]{12,}"
    r"|(?i:\b(?:api[-_]?key|access[-_]?token|auth[-_]?token|secret|password|passwd|token)[\"']?\s*[=:]\s*[\"']?)[^\s\"',;&]{6,}"
    r"|(?<=://)[^/\s@]+@"
)
_SECRET_PART = re.compile(r"(?=.*\d)(?=.*[A-Za-z])[-\w.~=+%]{16,}|[-\w.~=+%]{32,}")


def masked(text: str, known: Iterable[str] = ()) -> str:
    """The text with *** for what is known to be secret, and for what looks like a credential.

    Parameters
    ----------
    known : values that may not be told, longer than one character
    """
    for value in sorted({v for v in known if len(v) > 1}, key=len, reverse=True):
        alone = rf"(?<!\w){re.escape(value)}(?!\w)"
        text = re.sub(alone, MASK, text) if len(value) < _SHORT else text.replace(value, MASK)
    return _TOKENS.sub(MASK, text)


def shown_url(url: str) -> str:
    """Scheme, host, port and path of a URL; no user, no query, and *** for a part of the path that looks like a key."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return MASK
    path = "/".join(MASK if _SECRET_PART.fullmatch(part) else part for part in parts.path.split("/"))
    return f"{parts.scheme}://{host}{'' if port is None else f':{port}'}{path}"
