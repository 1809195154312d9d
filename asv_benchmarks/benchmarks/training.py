"""Training: whole epochs, message passing and its backward in every step, beside the same steps in PyTorch eager."""

import time
from pathlib import Path

import numpy as np

import shgat
from benchmarks.sizes import sized
from peers import cases, contender
from shgat import SHGAT, Capability, Catalog, Tool, Traces, load_traces
from shgat.executor import Processes
from shgat.graph import Incidence
from shgat.traces.columns import Texts


class ThreeEpochs:
    """500 traces x 3 epochs, batches of 16: 105 capabilities, 58 tools, 8 heads x 64, d = 1024."""

    params = (["shgat", "torch"],)
    param_names = ("by",)
    number, repeat, warmup_time, timeout = 1, (3, 7, 60.0), 0.0, 300.0

    def setup(self, by: str) -> None:
        model = cases.model(n_capabilities=(105,))
        self.large = contender(by).train(model, cases.traces(model, 500), 3, 16)
        tiny = cases.model(n_tools=4, n_capabilities=(2,), d=8, n_heads=1, d_head=8)
        self.tiny = contender(by).train(tiny, cases.traces(tiny, 64), 1, 16)

    def time_large(self, by: str) -> None:
        self.large()

    def time_tiny(self, by: str) -> None:
        self.tiny()

    def peakmem_large(self, by: str) -> None:
        self.large()


class ManyNodes:
    """Two steps of 256 traces over 5 000 nodes, d = 384."""

    params = (["shgat", "torch"],)
    param_names = ("by",)
    number, repeat, warmup_time, timeout = 1, (3, 5, 60.0), 0.0, 300.0

    def setup(self, by: str) -> None:
        model = cases.model(n_tools=2000, n_capabilities=(3000,), d=384, n_heads=6, d_head=64)
        self.run = contender(by).train(model, cases.traces(model, 1024), 1, 256)

    def time_epoch(self, by: str) -> None:
        self.run()


class Fit:
    """A whole `fit` of the sample: folds, variants, the choice and the last training; in this process and in two."""

    params = ([1, 2],)
    param_names = ("jobs",)
    number, repeat, warmup_time, timeout = 1, (2, 3, 60.0), 0.0, 300.0

    def setup(self, jobs: int) -> None:
        sample = Path(shgat.__file__).parent / "sample"
        self.model = SHGAT.from_catalog(Catalog.load(sample))
        self.traces = load_traces(sample / "train.jsonl", self.model.catalog)
        self.executor = None if jobs == 1 else Processes(jobs)
        self.model.fit(self.traces, epochs=1, executor=self.executor)  # the processes are there

    def teardown(self, jobs: int) -> None:
        if self.executor is not None:
            self.executor.close()

    def time_sample(self, jobs: int) -> None:
        self.model.fit(self.traces, executor=self.executor)


class Growth:
    """A `fit` with one epoch a run, d = 384: linear in traces and in tools."""

    params = (sized([(10_000, 1000), (100_000, 1000), (10_000, 10_000), (100_000, 10_000), (10_000, 100_000)], [(500, 100)]),)
    param_names = ("traces_and_tools",)
    number, repeat, warmup_time, timeout = 1, 1, 0.0, 900.0

    def setup(self, size: tuple[int, int]) -> None:
        n_traces, n_tools = size
        rng, rows = np.random.default_rng(0), cases.embeddings(n_tools, 384)
        tools = [Tool(f"t{i}", embedding=row) for i, row in enumerate(rows)]
        members = (tuple(f"t{10 * j + i}" for i in range(5)) for j in range(n_tools // 10))
        capabilities = [Capability(f"c{j}", tools=m, embedding=rows[10 * j], origin="declared") for j, m in enumerate(members)]
        self.model = SHGAT.from_catalog(Catalog.from_records(tools, capabilities))
        ran = rng.integers(0, n_tools, n_traces)
        x = (rows[ran] + 0.08 * rng.standard_normal((n_traces, 384), dtype=np.float32)).astype(np.float16)
        ones, none = np.ones(n_traces, np.float32), Incidence(np.zeros(n_traces + 1, np.int32), np.zeros(0, np.int32))
        self.traces = Traces(
            np.array([f"x{i}" for i in range(n_traces)]), x, Texts([""] * n_traces),
            Incidence(np.arange(n_traces + 1, dtype=np.int32), ran.astype(np.int32)), np.full(n_traces, -1, np.int32), ones, ones,
            np.full(n_traces, np.nan), none,
        )  # fmt: skip

    def track_processor_time(self, size: tuple[int, int]) -> float:
        began = time.process_time()
        self.model.fit(self.traces, epochs=1, force=True)
        return time.process_time() - began

    def peakmem_before(self, size: tuple[int, int]) -> None:
        """Catalogue and traces alone: subtract from the next."""

    def peakmem_fit(self, size: tuple[int, int]) -> None:
        self.model.fit(self.traces, epochs=1, force=True)

    track_processor_time.unit = "seconds"
