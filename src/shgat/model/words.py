"""Words of texts in any script: what every channel that reads text reads.

Unicode says what a letter, a mark and a digit is. Nothing is cut between a letter and its marks, and composed, decomposed, wide and
narrow forms of a text give the same words.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

READ = 20_000  # characters of a text that are read; about 3 000 English words
CUT = 7  # letters by which words of scripts with two cases are told apart: what follows is mostly inflection

# Scripts written without spaces between words (Hangul: with particles that hang on), by how Unicode calls their letters.
_UNSPACED = frozenset(("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO", "IDEOGRAPHIC", "YI", "THAI", "LAO", "KHMER", "MYANMAR"))
_CASES = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z][A-Za-z])")  # readFile, PDFToText; but not IDs
_RUN = re.compile(r"[A-Za-z0-9]+")
_WORD = re.compile(r"[a-z0-9]+")
# The same on the classes of characters: a piece of an unspaced script, an acronym before a word, a word, an acronym.
_PIECE = re.compile(r"(?P<unspaced>(?:cm*)+)|(?:Um*)+(?=Um*lm*[lU])|(?:Um*)*(?:[ld]m*)+|(?:Um*)+")
_LETTER = re.compile(r"cm*")

_ASIDE = """a again against also am an and any are as at be because been being both but by can cannot could d did do does doing done
    for from further had has have having he her here hers him his how i if in into is it its itself just ll m may me might more most
    must my myself no nor not now of on once only or other our ours own please re s same shall she should so some such t than that the
    their theirs them then there these they this those to too until us ve very via was we were what when where which while who whom
    whose why will with would you your yours"""
# What requests are made of whatever they are about; a request that holds nothing else is looked up by them.
ASIDE = frozenset(_ASIDE.split())


class _Classes(dict[int, str]):
    """Code point -> U upper case, l other letter, c letter of an unspaced script, m mark, d digit, x left out, or a space."""

    MOST = 65_536  # remembered

    def __missing__(self, point: int) -> str:
        if len(self) >= self.MOST:
            self.clear()
        self[point] = found = _class(chr(point))
        return found


def _class(character: str) -> str:
    kind, name = unicodedata.category(character), unicodedata.name(character, "")
    if kind in ("Cf", "Me") or "VARIATION SELECTOR" in name or "ARABIC TATWEEL" in name:
        return "x"
    if kind in ("Mn", "Mc"):
        # Points of Arabic and Hebrew: most writers leave them out.
        return "x" if name.startswith(("ARABIC FATHA", "ARABIC DAMMA", "ARABIC KASRA", "ARABIC SHADDA", "ARABIC SUKUN",
                                       "HEBREW POINT", "HEBREW ACCENT")) else "m"  # fmt: skip
    if kind == "Nd":
        return "d"
    if kind[0] != "L" and kind != "Nl":
        return " "
    if re.split("[ -]", name)[0] in _UNSPACED:
        return "c"
    return "U" if kind in ("Lu", "Lt") and character.casefold() != character else "l"


_CLASSES = _Classes()


def words(text: str) -> list[str]:
    """Words and numbers in lower case, in the order of the text.

    camelCase, snake_case, kebab-case and dotted.names are taken apart. Scripts without spaces give pairs of neighbouring letters, one
    letter where it stands alone. Punctuation, symbols, pictures and what Unicode does not know separate words and are none.
    """
    if text.isascii():
        return _WORD.findall(_CASES.sub(" ", text).lower())
    return [word for parts, _ in _runs(text) for word in parts]


def terms(text: str) -> list[str]:
    """What an index of texts holds: the stem of each word, and of each name in camelCase as a whole too (GitHub: git, hub, github)."""
    return [stem(word) for word in _spoken(text)]


def asked(text: str) -> list[str]:
    """What a request is looked up by: its terms, without words that say nothing of what it is about (`ASIDE`)."""
    spoken = _spoken(text)
    return [stem(word) for word in [word for word in spoken if word not in ASIDE] or spoken]


def _spoken(text: str) -> list[str]:
    """The words at the head of a text, and behind each name of several words the whole name."""
    text = text[:READ]
    if text.isascii():
        if not _CASES.search(text):
            return _WORD.findall(text.lower())
    else:
        text = unicodedata.normalize("NFKC", text)[:READ]  # one ligature can stand for a sentence
    spoken: list[str] = []
    for parts, is_name in _runs(text):
        spoken += parts
        if is_name and len(parts) > 1:
            spoken.append("".join(parts))
    return spoken


def _runs(text: str) -> Iterator[tuple[list[str], bool]]:
    """(words that nothing separates, whether they are one name) for each stretch of letters and digits."""
    if text.isascii():
        for run in _RUN.findall(text):
            yield ([run] if run.islower() else [part.lower() for part in _CASES.split(run)]), True
        return
    text, classes = _classified(unicodedata.normalize("NFKC", text))
    name: list[str] = []
    end = -1
    for piece in _PIECE.finditer(classes):
        start, stop = piece.span()
        if name and (start != end or piece["unspaced"]):
            yield name, True
            name = []
        if piece["unspaced"]:
            letters = [text[slice(*m.span())] for m in _LETTER.finditer(classes, start, stop)]
            yield [a + b for a, b in pairwise(letters)] or letters, False
        else:
            name.append(_folded(text[start:stop]))
        end = stop
    if name:
        yield name, True


def _classified(text: str) -> tuple[str, str]:
    """The text without what is left out, and the class of each of its characters."""
    classes = text.translate(_CLASSES)
    if "x" in classes:
        kept = "".join(character for character, kind in zip(text, classes, strict=True) if kind != "x")
        text = unicodedata.normalize("NFKC", kept)
        classes = text.translate(_CLASSES)
    return text, classes


def _folded(word: str) -> str:
    """A word without case, its digits those of ASCII."""
    if not word.isascii():
        word = "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in word)
    return unicodedata.normalize("NFKC", word.casefold())


@lru_cache(maxsize=65_536)
def stem(word: str) -> str:
    """English endings (-s, -es, -ies, -ing, -ed, -e) taken off, then the first 7 letters; of a script without cases the whole word."""
    if not word.isalpha() or word == word.upper():
        return word
    if word.isascii():
        before = ""
        while before != word:
            before, word = word, _ending_off(word)
    return word[:CUT]


def _ending_off(word: str) -> str:
    if len(word) < 4:
        return word
    if word.endswith(("ies", "ied")) and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith("s"):
        return word[:-2] if word.endswith(("sses", "shes", "ches", "xes", "zes")) else word if word[-2] in "us" else word[:-1]
    for ending in ("ing", "ed"):
        bare = word.removesuffix(ending)
        if bare != word and len(bare) >= 3 and not word.endswith("eed") and any(c in "aeiouy" for c in bare):
            return bare[:-1] if bare[-1] == bare[-2] and bare[-1] not in "lsz" else bare
    return word[:-1] if word.endswith("e") else word
