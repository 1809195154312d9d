"""What follows a change: message passing through every open gate, then all keys; and one more tool."""

import itertools

from peers import cases, contender


class Rebuild:
    """105 capabilities on three levels, 58 tools, 8 heads x 64, d = 1024."""

    params = (["shgat", "numpy", "torch"],)
    param_names = ("by",)

    def setup(self, by: str) -> None:
        self.large = contender(by).rebuild(cases.model())
        self.tiny = contender(by).rebuild(cases.model(n_tools=4, n_capabilities=(2,), d=8, n_heads=1, d_head=8))

    def time_large(self, by: str) -> None:
        self.large()

    def time_tiny(self, by: str) -> None:
        self.tiny()

    def peakmem_large(self, by: str) -> None:
        self.large()


class AddTool:
    """One tool more in a live model, until it can be ranked."""

    params = (["shgat", "numpy", "torch"],)
    param_names = ("by",)
    number, repeat, warmup_time = 1, 100, 0.0  # every call is to meet a model of the same size

    def setup(self, by: str) -> None:
        self.large = contender(by).add_tool(cases.model())
        self.tiny = contender(by).add_tool(cases.model(n_tools=4, n_capabilities=(2,), d=8, n_heads=1, d_head=8))
        self.rows, self.rows_tiny = itertools.cycle(cases.embeddings(64, 1024)), itertools.cycle(cases.embeddings(64, 8))
        self.large(next(self.rows))
        self.tiny(next(self.rows_tiny))

    def time_large(self, by: str) -> None:
        self.large(next(self.rows))

    def time_tiny(self, by: str) -> None:
        self.tiny(next(self.rows_tiny))

    def peakmem_large(self, by: str) -> None:
        self.large(next(self.rows))
