"""A training that is tracked, beside the same one that is not."""

import shutil
import tempfile

from shgat import SHGAT, Catalog, load_traces
from shgat.cli.runs import told
from shgat.cli.sample import SAMPLE
from shgat.tracking import open_tracker


class Tracked:
    """`fit` on the sample, three epochs, whose epochs are kept in a folder or not at all."""

    params = (["untracked", "folder"],)
    param_names = ("by",)
    timeout = 300.0

    def setup(self, by: str) -> None:
        self.catalog = Catalog.load(SAMPLE)
        self.traces = load_traces(SAMPLE / "train.jsonl", self.catalog)
        self.folder = tempfile.mkdtemp()

    def teardown(self, by: str) -> None:
        shutil.rmtree(self.folder)

    def time_fit(self, by: str) -> None:
        model = SHGAT.from_catalog(self.catalog)
        if by == "untracked":
            model.fit(self.traces, epochs=3, validation="none")
            return
        with open_tracker(self.folder).run("asv") as run:
            model.fit(self.traces, epochs=3, validation="none", on_epoch=lambda epoch: told(run, epoch))
