"""Vectors of a graph of tools and capabilities, and what they are worth."""

from peers import cases, contender


class Node2Vec:
    """4 000 nodes, 40 walks of 15 from each, 64 dimensions, one thread; tiny: 8 nodes. gensim learns by skip-gram from the same walks."""

    params = (["shgat", "shgat, skip-gram", "gensim"],)
    param_names = ("by",)
    timeout = 600

    def setup(self, by: str) -> None:
        name, _, method = by.partition(", ")
        options = {"method": method} if method else {}
        self.case = cases.members(3000, 1000, 60)
        self.large = contender(name).node2vec(self.case.graph, **options)
        self.tiny = contender(name).node2vec(cases.members(5, 3, 1).graph, **options)

    def time_large(self, by: str) -> None:
        self.large()

    def time_tiny(self, by: str) -> None:
        self.tiny()

    def peakmem_large(self, by: str) -> None:
        self.large()

    def track_auc_of_held_out_links(self, by: str) -> float:
        return self.case.auc(self.large())

    track_auc_of_held_out_links.unit = "1"


class GraphFeatures:
    """PageRank and clustering of 4 000 nodes. networkx is the peer that the tests compare with."""

    def setup(self) -> None:
        self.large = contender("shgat").graph_features(cases.members(3000, 1000, 60).rows, 3000)

    def time_large(self) -> None:
        self.large()
