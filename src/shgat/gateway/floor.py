"""How near a tool has to be to a query to be an answer: nearer than the catalogue's nearest tool is to sentences that no tool is for."""

import numpy as np

from ..serving import Ranker
from ..serving.service import Nearest

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


class Floor:
    """Of a ranker's catalogue as it is, whatever its encoder is; made anew when the catalogue changed."""

    def __init__(self, ranker: Ranker) -> None:
        self._ranker = ranker
        self._of, self._alone, self._with_words = "", HIGHEST, HIGHEST

    def reached(self, nearest: Nearest) -> bool:
        """Is the nearest tool near enough? Without an embedding: does it share a word?"""
        if nearest.vector is None or nearest.cosine < -0.5:
            return nearest.words > 0.0
        self._renew()
        return nearest.cosine >= (self._with_words if nearest.words > 0.0 else self._alone)

    def _renew(self) -> None:
        now = self._ranker.catalog.checksum
        if now == self._of:
            return
        best = [self._ranker.nearest(sentence).cosine for sentence in EVERYDAY]
        alone, with_words = np.quantile(best, (ALONE, WITH_WORDS)).tolist()
        self._alone, self._with_words, self._of = min(HIGHEST, alone), min(HIGHEST, with_words), now
