"""Words that nobody can read, by which a ranking learns all the same: the same word always has the same number."""

import hmac
from collections.abc import Callable
from functools import lru_cache

from ..model.words import terms

DIGITS = 7  # of a number: a word in any script, which no rule for endings shortens
_KNOWN = 65_536  # words whose numbers are remembered


def blinding(secret: bytes) -> Callable[[str], str]:
    """Text -> the numbers of its words, each once, sorted: keyed hashes, which only who has the secret can make.

    Who has it can try words out. What stays hidden from all others is the vocabulary; how many words two texts share does not.
    """

    @lru_cache(_KNOWN)
    def number(word: str) -> str:
        digest = hmac.digest(secret, word.encode("utf-8", "replace"), "sha256")
        return f"{int.from_bytes(digest[:8]) % 10**DIGITS:0{DIGITS}d}"

    return lambda text: " ".join(sorted({number(word) for word in terms(text)}))


def is_blinded(text: str) -> bool:
    """Is it what `blinding` makes?"""
    return bool(text) and all(len(word) == DIGITS and word.isdecimal() for word in text.split(" "))
