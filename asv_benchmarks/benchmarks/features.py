"""Vectors of texts, and of a graph of tools and capabilities, and what those are worth."""

from collections.abc import Callable
from time import process_time

import numpy as np

from peers import cases, contender
from shgat.errors import ShgatError
from shgat.features import open_encoder

SAID = "find every invoice of the last quarter that nobody has paid yet and tell me the sum"


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


class Encode:
    """One text on one thread: two words, an intent of 15, a description of 60. Processor time, since others may work beside it.

    The session alone is ONNX Runtime on pieces that are there already: what is more is ours.
    """

    params = (["static", "minilm", "minilm, session alone"], [2, 15, 60])
    param_names = ("by", "words")
    timer = staticmethod(process_time)

    def setup(self, by: str, n: int) -> None:
        name, _, alone = by.partition(", ")
        try:
            encoder = open_encoder(name)
        except ShgatError as error:
            raise NotImplementedError(f"{name}: {error}") from error
        text = " ".join((SAID.split() * 4)[:n])
        self.encode: Callable[[], object] = lambda: encoder.encode([text])
        if alone:
            ids = np.array([encoder.pieces_of(text)], np.int64)
            feeds = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
            self.encode = lambda: encoder.session.run([encoder.output], feeds)

    def time_encode(self, by: str, n: int) -> None:
        self.encode()
