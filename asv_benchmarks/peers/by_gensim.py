"""gensim's skip-gram on the walks that shgat takes."""

from collections.abc import Callable

import numpy as np
from gensim.models import Word2Vec

from shgat.features.member_graph import MemberGraph
from shgat.features.node2vec import Node2VecConfig, random_walks


def node2vec(graph: MemberGraph) -> Callable[[], np.ndarray]:
    """(n, 64) vectors of length 1; one pass, one worker, as the code of node2vec's authors does."""
    config = Node2VecConfig()

    def run() -> np.ndarray:
        walks = random_walks(graph, config, np.arange(len(graph), dtype=np.int32))
        sentences = [[str(v) for v in walk if v >= 0] for walk in walks.tolist()]
        found = Word2Vec(sentences, vector_size=64, window=5, min_count=0, sg=1, negative=5, workers=1, epochs=1, seed=1)
        rows = found.wv[[str(i) for i in range(len(graph))]]
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))

    return run
