"""Which files are touched next, from counts alone: what SHGAT is set against, and what it is mixed with.

    popularity   how often a file was touched
    recency      the same, each touch worth half as much after 200 commits (`recent`: after 20)
    confidence   P(b | a) = n_ab / n_a of the file a that is asked with (Zimmermann et al., 2004), smoothed by two touches of recency
    cochange     n_ab of commits of k files weighted 1 / (k - 1), half-life 200 commits
    cosine       n_ab / sqrt(n_a n_b)
    words        the words of the message: sum over them of idf(w) P(b | w), of the messages of commits that touched b
    tfidf        cosine of the message and of all messages of b

Counts go on as commits come in, each asked before it is counted.
"""

import math
from collections.abc import Sequence

import numpy as np

from .._types import Float64
from ..model.words import words
from .changeset import Changeset

HALF_LIFE, SHORT = 200.0, 20.0  # commits
BY_FILE = ("popularity", "recency", "recent", "confidence", "cochange", "cosine")
BY_INTENT = ("popularity", "recency", "recent", "words", "tfidf")
_BACKED = 2.0  # touches of recency in a confidence


class Counts:
    """Counts of the commits so far.

    Parameters
    ----------
    n_files : identities that there will be
    """

    def __init__(self, n_files: int) -> None:
        self.n = 0
        self._touched = np.zeros(n_files)
        self._recent = {life: np.zeros(n_files) for life in (HALF_LIFE, SHORT)}  # in units that grow: see `_unit`
        self._together: list[dict[int, int]] = [{} for _ in range(n_files)]
        self._weighted: list[dict[int, float]] = [{} for _ in range(n_files)]
        self._said: dict[str, dict[int, int]] = {}
        self._commits_with: dict[str, int] = {}
        self._norm = np.zeros(n_files)  # squared length of all that was said of a file, word counts times idf at the time of asking

    def add(self, change: Changeset) -> None:
        """One more commit."""
        files = change.files
        for file in files:
            self._touched[file] += 1.0
            for life, recent in self._recent.items():
                recent[file] += self._unit(life)
        if len(files) > 1:
            weight = self._unit(HALF_LIFE) / (len(files) - 1)
            for a in files:
                together, weighted = self._together[a], self._weighted[a]
                for b in files:
                    if a != b:
                        together[b] = together.get(b, 0) + 1
                        weighted[b] = weighted.get(b, 0.0) + weight
        for word in set(words(change.message)):
            self._commits_with[word] = self._commits_with.get(word, 0) + 1
            said = self._said.setdefault(word, {})
            for file in files:
                n = said.get(file, 0)
                said[file] = n + 1
                self._norm[file] += 2 * n + 1
        self.n += 1
        if self.n % 2000 == 0:
            self._rescale()

    def of_file(self, file: int) -> dict[str, Float64]:
        """Scores of all identities for those that were touched with one; each of `BY_FILE`."""
        n = len(self._touched)
        recency = self._recent[HALF_LIFE] / self._unit(HALF_LIFE)
        share = recency / max(recency.sum(), 1e-12)
        both, weighted = _dense(self._together[file], n), _dense(self._weighted[file], n)
        return self._plain() | {
            "confidence": (both + _BACKED * share) / (self._touched[file] + _BACKED),
            "cochange": weighted / self._unit(HALF_LIFE),
            "cosine": both / np.sqrt(np.maximum(self._touched[file] * self._touched, 1.0)),
        }

    def of_intent(self, text: str) -> dict[str, Float64]:
        """Scores of all identities for a message; each of `BY_INTENT`."""
        n = len(self._touched)
        by_word, product = np.zeros(n), np.zeros(n)
        for word in sorted(set(words(text))):
            said = self._said.get(word)
            if said:
                idf = math.log((1.0 + self.n) / self._commits_with[word])
                files, counts = np.fromiter(said, np.int64, len(said)), np.fromiter(said.values(), np.float64, len(said))
                by_word[files] += idf * counts / self._commits_with[word]
                product[files] += idf * counts
        return self._plain() | {"words": by_word, "tfidf": product / np.sqrt(np.maximum(self._norm, 1.0))}

    def _plain(self) -> dict[str, Float64]:
        long, short = (self._recent[life] / self._unit(life) for life in (HALF_LIFE, SHORT))
        return {"popularity": self._touched.copy(), "recency": long, "recent": short}

    def _unit(self, life: float) -> float:
        """What a touch is worth now: more than all before it, instead of their fading."""
        return float(2.0 ** ((self.n % 2000) / life))

    def _rescale(self) -> None:
        """Begins the units anew, before they are too large."""
        for life, recent in self._recent.items():
            recent /= 2.0 ** (2000 / life)
        for row in self._weighted:
            for file in row:
                row[file] /= 2.0 ** (2000 / HALF_LIFE)


def _dense(row: dict[int, int] | dict[int, float], n: int) -> Float64:
    out = np.zeros(n)
    if row:
        out[np.fromiter(row, np.int64, len(row))] = np.fromiter(row.values(), np.float64, len(row))
    return out


def logs(scores: dict[str, Float64], names: Sequence[str], candidates: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Float64:
    """(len(names), len(candidates)) log of each score's share among the candidates; what has none has a hundredth of an even share."""
    rows = []
    for name in names:
        s = scores[name][candidates]
        total = s.sum()
        share = s / total if total > 0 else np.zeros_like(s)
        rows.append(np.log(share + 0.01 / max(len(candidates), 1)))
    return np.array(rows).reshape(len(names), len(candidates))
