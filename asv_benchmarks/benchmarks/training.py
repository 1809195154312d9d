"""Training: whole epochs, message passing and its backward in every step, beside the same steps in PyTorch eager."""

from peers import cases, contender


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
