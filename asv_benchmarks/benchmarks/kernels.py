"""The kernels by themselves."""

from peers import cases, contender


class Attention:
    """One phase: 20 000 edges from 2 000 sources to 1 000 targets, 8 heads x 64; tiny: one edge."""

    params = (["shgat", "numpy", "torch"],)
    param_names = ("by",)

    def setup(self, by: str) -> None:
        self.large = contender(by).attend(cases.phase(1000, 2000, 20, 8, 64))
        self.tiny = contender(by).attend(cases.phase(1, 1, 1, 1, 8))

    def time_large(self, by: str) -> None:
        self.large()

    def time_tiny(self, by: str) -> None:
        self.tiny()

    def peakmem_large(self, by: str) -> None:
        self.large()


class Softmax:
    """InfoNCE and its gradient, which is a softmax: 128 intents x 10 000 candidates; tiny: 1 x 8."""

    params = (["shgat", "numpy", "torch"],)
    param_names = ("by",)

    def setup(self, by: str) -> None:
        self.large = contender(by).info_nce(*cases.logits(128, 10_000))
        self.tiny = contender(by).info_nce(*cases.logits(1, 8))

    def time_large(self, by: str) -> None:
        self.large()

    def time_tiny(self, by: str) -> None:
        self.tiny()

    def peakmem_large(self, by: str) -> None:
        self.large()


class Replay:
    """Prioritised replay of 100 000 traces: draw 128, set their priorities; tiny: 1 of 2. The peers search a cumulative sum."""

    params = (["shgat", "numpy", "torch"],)
    param_names = ("by",)

    def setup(self, by: str) -> None:
        self.large = contender(by).replay(*cases.priorities(100_000, 128))
        self.tiny = contender(by).replay(*cases.priorities(2, 1))

    def time_large(self, by: str) -> None:
        self.large()

    def time_tiny(self, by: str) -> None:
        self.tiny()

    def peakmem_large(self, by: str) -> None:
        self.large()


class TopK:
    """The 10 best of 100 000 scores; tiny: 2 of 4."""

    params = (["shgat", "numpy", "torch"],)
    param_names = ("by",)

    def setup(self, by: str) -> None:
        self.large = contender(by).top_k(cases.scores(100_000), 10)
        self.tiny = contender(by).top_k(cases.scores(4), 2)

    def time_large(self, by: str) -> None:
        self.large()

    def time_tiny(self, by: str) -> None:
        self.tiny()

    def peakmem_large(self, by: str) -> None:
        self.large()
