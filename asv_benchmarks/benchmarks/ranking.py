"""One request: from an intent to the ten best."""

from pathlib import Path

import numpy as np

import shgat
from peers import cases, contender

SAMPLE = Path(shgat.__file__).parent / "sample"


class Rank:
    """105 capabilities, 58 tools, 8 heads x 64, d = 1024, keys and folded maps warm."""

    params = (["shgat", "numpy", "torch"], ["capabilities", "tools"])
    param_names = ("by", "kind")

    def setup(self, by: str, kind: str) -> None:
        self.large = contender(by).rank(cases.model(), kind)
        self.tiny = contender(by).rank(cases.model(n_tools=4, n_capabilities=(2,), d=8, n_heads=1, d_head=8), kind)
        self.x, self.x_tiny = cases.intent(1024), cases.intent(8)

    def time_large(self, by: str, kind: str) -> None:
        self.large(self.x)

    def time_tiny(self, by: str, kind: str) -> None:
        self.tiny(self.x_tiny)

    def peakmem_large(self, by: str, kind: str) -> None:
        self.large(self.x)


class RankTenThousand:
    """10 000 tools x 1024, beside the bare product of the same bytes: the keys, and the map of the intent."""

    params = (["shgat", "numpy", "torch"],)
    param_names = ("by",)

    def setup(self, by: str) -> None:
        model = cases.model(n_tools=10_000, n_capabilities=(4,), n_heads=8, d_head=128)
        self.rank, self.product = contender(by).rank(model, "tools"), contender(by).products(model)
        self.x = cases.intent(1024)

    def time_large(self, by: str) -> None:
        self.rank(self.x)

    def time_products(self, by: str) -> None:
        self.product(self.x)

    def peakmem_large(self, by: str) -> None:
        self.rank(self.x)


class RankTrained:
    """The sample catalogue after `fit`: up to seven channels, those that read words where the intent has its text."""

    params = (["vector", "text"],)
    param_names = ("by",)

    def setup(self, by: str) -> None:
        catalog = shgat.Catalog.load(SAMPLE)
        train, test = (shgat.load_traces(SAMPLE / f"{name}.jsonl", catalog) for name in ("train", "test"))
        self.model = shgat.SHGAT.from_catalog(catalog)
        self.model.fit(train)
        self.intents = test.vectors(np.arange(len(test)))
        self.texts = [str(text) if by == "text" else None for text in test.texts]

    def time_hundred(self, by: str) -> None:
        for intent, text in zip(self.intents, self.texts, strict=True):
            self.model.rank(intent, 10, text=text)
