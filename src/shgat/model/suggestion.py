"""What to use next: an intent made of what was used, where nobody says one, and no repetition of the last step."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from .._types import Float32
from ..errors import InputError
from ..graph import Catalog
from .ranking import Ranking

RECENT = 3  # tools that a suggestion without an intent goes by


def intent_of(catalog: Catalog, used: Sequence[str]) -> Float32:
    """(d,) mean embedding of the latest three tools, ids, the latest last.

    Raises
    ------
    InputError
        where nothing was used, a tool is unknown, or their embeddings add up to nothing.
    """
    if not used:
        raise InputError("a suggestion needs what was used before, context_tools, or an intent; give one of them")
    unknown = next((key for key in used if key not in catalog.tool_column), None)
    if unknown is not None:
        raise InputError(f"context_tools: unknown tool {unknown!r:.100}")
    assert catalog.tool_embeddings is not None
    mean = catalog.tool_embeddings[[catalog.tool_column[key] for key in used[-RECENT:]]].mean(axis=0)
    if not mean.any():
        raise InputError(f"the embeddings of {', '.join(used[-RECENT:])} add up to nothing: give an intent")
    return np.asarray(mean, np.float32)


def without(ranking: Ranking, tool: str | None, k: int) -> Ranking:
    """The first k of a ranking that are not this tool."""
    keep = [i for i, key in enumerate(ranking.ids) if key != tool][:k]
    return replace(
        ranking,
        ids=tuple(ranking.ids[i] for i in keep),
        scores=ranking.scores[keep],
        probabilities=None if ranking.probabilities is None else ranking.probabilities[keep],
        explanations=None if ranking.explanations is None else tuple(ranking.explanations[i] for i in keep),
    )
