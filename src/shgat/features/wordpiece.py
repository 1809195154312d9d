"""WordPiece as BERT's uncased models read text (Wu et al., 2016; Devlin et al., 2019): words without case and accents, and their pieces."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache

LONGEST = 100  # characters of a word; a longer one is unknown
UNKNOWN, FIRST, LAST = "[UNK]", "[CLS]", "[SEP]"
_ASCII = re.compile(r"[a-z0-9]+|[!-/:-@\[-`{-~]")
_REMEMBERED = 65_536  # words
_IDEOGRAPHS = ((0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2FA1F), (0xF900, 0xFAFF))


class WordPiece:
    """Texts to numbers of pieces.

    Parameters
    ----------
    vocabulary : pieces by number; `##` begins one that goes on within a word
    """

    def __init__(self, vocabulary: Sequence[str]) -> None:
        self.number = {piece: i for i, piece in enumerate(vocabulary)}
        self.unknown, self.first, self.last = (self.number[name] for name in (UNKNOWN, FIRST, LAST))
        self._pieces = lru_cache(_REMEMBERED)(self._taken_apart)

    def __call__(self, text: str, most: int | None = None) -> list[int]:
        """The numbers of a text's pieces, without the marks of its ends; the first `most` of them."""
        found: list[int] = []
        for word in _words(text):
            found += self._pieces(word)
            if most is not None and len(found) >= most:
                return found[:most]
        return found

    def framed(self, text: str, most: int) -> list[int]:
        """The same between the marks of both ends, `most` in all."""
        return [self.first, *self(text, most - 2), self.last]

    def _taken_apart(self, word: str) -> tuple[int, ...]:
        """The longest piece that the word begins with, then the longest of the rest, and so on; unknown where there is none."""
        if len(word) > LONGEST:
            return (self.unknown,)
        found, start = [], 0
        while start < len(word):
            mark = "##" if start else ""
            for stop in range(len(word), start, -1):
                number = self.number.get(mark + word[start:stop])
                if number is not None:
                    break
            else:
                return (self.unknown,)
            found.append(number)
            start = stop
        return tuple(found)


def _words(text: str) -> Iterator[str]:
    """Words and single marks of punctuation, without case and accents."""
    if text.isascii():
        return (m.group() for m in _ASCII.finditer(_without_controls(text).lower()))
    spaced = "".join(_spaced(character) for character in text)
    bare = "".join(c.lower() for c in unicodedata.normalize("NFD", spaced) if unicodedata.category(c) != "Mn")  # sigma has one form
    return (word for run in bare.split() for word in _apart(run))


def _without_controls(text: str) -> str:
    return text if text.isprintable() else "".join(c for c in text if c.isprintable() or c in "\t\n\r")


def _spaced(character: str) -> str:
    """Nothing for what cannot be seen, ideographs as words of their own."""
    point = ord(character)
    if character in "\t\n\r":
        return " "
    if point in (0, 0xFFFD) or unicodedata.category(character) in ("Cc", "Cf", "Cn", "Co", "Cs"):
        return ""
    return f" {character} " if any(low <= point <= high for low, high in _IDEOGRAPHS) else character


def _apart(run: str) -> Iterator[str]:
    """A stretch without blanks, its punctuation apart."""
    start = 0
    for i, character in enumerate(run):
        if _is_punctuation(character):
            if start < i:
                yield run[start:i]
            yield character
            start = i + 1
    if start < len(run):
        yield run[start:]


def _is_punctuation(character: str) -> bool:
    return character in "$+<=>^`|~" or unicodedata.category(character).startswith("P")
