"""How near a tool has to be to a query to be an answer: nearer than the catalogue's nearest tool is to sentences that no tool is for."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .._types import Float32
from ..graph import Catalog
from ..model.words import asked
from .plain import PlainRanking

LEAST_PROBABILITY = 0.02  # of the best tool, once scores are calibrated probabilities; below it nothing is offered
ALONE, WITH_WORDS = 0.5, 0.1  # quantile of the sentences' best cosines that has to be reached; where a word is shared, too
HIGHEST = 0.25  # cosine that always does: a tool that is near to everything must not hide the others
EVERYDAY = (
    "The sun sets early in winter.", "My grandmother used to tell us old stories.", "He scored the winning goal in the last minute.",
    "Simmer the onions until they are golden.", "The river flooded the valley after the storm.", "She plays the violin in a small orchestra.",
    "Dinosaurs died out millions of years ago.", "A good night's sleep is important for your health.",
    "The train to the mountains leaves from platform nine.", "Cats like to sleep in warm places.",
    "The king was crowned in the old cathedral.", "Add two spoons of sugar and stir well.", "The stars look brighter in the desert.",
    "He broke his arm when he fell from the horse.", "The garden is full of roses in June.", "The volcano has not erupted for a century.",
    "They danced until midnight.", "The new stadium seats sixty thousand people.", "My tooth hurts when I drink cold water.",
    "The moon has no atmosphere.", "Grapes are harvested in autumn.", "The team lost every match this season.",
    "Her dress was made of blue silk.", "The bridge was built by the Romans.", "Penguins cannot fly but swim very well.",
    "The soup needs more salt.", "Snow covered the roofs of the village.", "The actor forgot his lines on stage.",
    "Whales sing to each other across oceans.", "The baby learned to walk last week.", "A fast car needs good tyres.",
    "The museum shows paintings from the Renaissance.",
)  # fmt: skip


MOST_LOOKED_AT = 50  # tools whose servers are named


class Nearest(NamedTuple):
    """How near the nearest tools are to a text.

    Attributes
    ----------
    vector : (d,) of the text, None where nothing can make one
    cosine : the best one, -1 where there is none
    words : the best BM25 of the text's words, 0 where no tool shares one
    servers : whose tools are nearest, the nearest first
    """

    vector: Float32 | None
    cosine: float
    words: float
    servers: tuple[str, ...]

    @classmethod
    def of(
        cls, catalog: Catalog, plain: PlainRanking, text: str, vector: Float32 | None, places: npt.NDArray[np.integer]
    ) -> "Nearest":
        """Among the tools at some places of a catalogue.

        Parameters
        ----------
        vector : (d,) of the text, None where nothing can make one
        """
        if not len(places):
            return cls(vector, -1.0, 0.0, ())
        words = float(plain.said.index.scores(asked(text))[places].max())
        if vector is None or not vector.any() or plain.rows is None:
            return cls(None, -1.0, words, ())
        cosine = plain.cosine(vector)[places]
        order = places[np.argsort(-cosine, kind="stable")]
        homes = dict.fromkeys(catalog.tools[i].server for i in order[:MOST_LOOKED_AT].tolist())
        return cls(vector, float(cosine.max()), words, tuple(h for h in homes if h))


class Floor:
    """Of a catalogue as it is, whatever its encoder is; made anew when the catalogue changed.

    Parameters
    ----------
    nearest : how near a text is to the tools
    catalog : as it is now
    """

    def __init__(self, nearest: Callable[[str], Nearest], catalog: Callable[[], Catalog]) -> None:
        self._nearest, self._catalog = nearest, catalog
        self._of, self._alone, self._with_words = "", HIGHEST, HIGHEST

    def reached(self, nearest: Nearest) -> bool:
        """Is the nearest tool near enough? Without an embedding: does it share a word?"""
        if nearest.vector is None or nearest.cosine < -0.5:
            return nearest.words > 0.0
        self._renew()
        return nearest.cosine >= (self._with_words if nearest.words > 0.0 else self._alone)

    def passed(self, calibrated: bool, scores: Sequence[float]) -> bool:
        """Is what was ranked worth offering, once scores are probabilities?"""
        return not calibrated or not scores or scores[0] >= LEAST_PROBABILITY

    def _renew(self) -> None:
        now = self._catalog().checksum
        if now == self._of:
            return
        best = [self._nearest(sentence).cosine for sentence in EVERYDAY]
        alone, with_words = np.quantile(best, (ALONE, WITH_WORDS)).tolist()
        self._alone, self._with_words, self._of = min(HIGHEST, alone), min(HIGHEST, with_words), now
