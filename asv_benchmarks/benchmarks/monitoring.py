"""What being watched costs a request: the same ranker with and without, and taking in what was seen."""

import tempfile

import numpy as np

from shgat import Catalog
from shgat.cli.sample import SAMPLE
from shgat.monitoring import Monitor
from shgat.serving import Ranker

N = 200


class Watched:
    """200 requests by vector; the figures of both are to be compared, a fifth of a millisecond is 1 us a request."""

    params = (["unwatched", "watched"],)
    param_names = ("by",)
    timeout = 300.0

    def setup(self, by: str) -> None:
        self.folder = tempfile.TemporaryDirectory()
        url = f"sqlite:///{self.folder.name}/s.db"
        catalog = Catalog.load(SAMPLE)
        self.ranker = Ranker.open(url, catalog, mode="off")
        self.monitor = Monitor(self.ranker, url) if by == "watched" else None
        self.intents = np.random.default_rng(0).standard_normal((N, catalog.dimension)).astype(np.float32)

    def teardown(self, by: str) -> None:
        if self.monitor is not None:
            self.monitor.stop()
        self.ranker.close()
        self.folder.cleanup()

    def time_requests(self, by: str) -> None:
        for x in self.intents:
            self.ranker.rank(x, 5)

    def time_requests_and_a_scrape(self, by: str) -> None:
        """With everything that the requests left to be counted."""
        for x in self.intents:
            self.ranker.rank(x, 5)
        if self.monitor is not None:
            self.monitor.exposition.refresh()
