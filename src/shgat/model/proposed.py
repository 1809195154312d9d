"""Requests to a version with neighbours: candidates of the graph, scored exactly, in place of the whole catalogue."""

from .._types import Float32, Int32
from .index import Index
from .memory import highest
from .neighbours import scores
from .question import Question
from .ranking import Ranking


def rank(question: Question, top_k: int, columns: Int32 | None) -> Ranking | None:
    """The top_k tools of one intent by similarity among the columns, None for all; None where the whole is to be scored."""
    index = question.index
    if index.neighbours is None or index.state.config.fusion == "sigmoid" or not len(index.tools.ids):
        return None
    q = question.q[0]
    found = index.neighbours.candidates(q, top_k, columns)
    if found is None:
        return None
    return _best(index, found, scores(q, index.tools, found, index.scale), top_k)


def _best(index: Index, columns: Int32, z: Float32, top_k: int) -> Ranking:
    where, best = highest(z, min(top_k, len(z)))
    names = index.tools.ids
    return Ranking("tools", tuple([names[i] for i in columns[where].tolist()]), best, index.version, None)
