"""What those who made a commit say that it is, where they begin its message with a customary word: `fix:`, `feat(api):`, `DOC:`, `[TST]`.

The word is a label that costs nothing, and it is taken away before anything is learned from the rest of the message.
"""

import re

_WORDS = {
    "bugfix": "fix|bugfix|hotfix|bug",
    "dependency": "deps|dep|build|pkg",
    "documentation": "docs|doc",
    "feature": "feat|feature|enh|new",
    "maintenance": "chore|maint|mnt|ci|style|sty|rel|release|bld|revert|rev",
    "performance": "perf|benchmark|bench",
    "refactor": "refactor|ref|api|clean",
    "test": "tests|test|tst",
}
_LABEL = {word: label for label, words in _WORDS.items() for word in words.split("|")}
_PREFIX = re.compile(rf"\s*(?:\[(?P<b>{'|'.join(_LABEL)})\]|(?P<a>{'|'.join(_LABEL)})(?:\([^)\n]*\))?!?:)\s*", re.IGNORECASE)
NAMES = tuple(_WORDS)


def prefixed(message: str) -> tuple[str, str]:
    """(label, message without what said so); the label is "" where nothing did."""
    found = _PREFIX.match(message)
    if found is None:
        return "", message
    return _LABEL[(found["a"] or found["b"]).lower()], message[found.end() :]
