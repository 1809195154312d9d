"""The features of capabilities, one record each, and of intents."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from .._types import Float32
from ..graph import Catalog
from .centrality import GraphFeatures
from .hybrid import hybrid
from .member_graph import MemberGraph
from .node2vec import Node2VecConfig, node2vec, unit
from .usage import Execution, Usage


@dataclass(frozen=True, eq=False, kw_only=True)
class CapabilityFeatures:
    """Of one capability, as they were known at one moment; None where there is no such thing.

    Attributes
    ----------
    capability_id : whose they are
    text_embedding : (d,) float32 of length 1
    n2v_embedding : (k,) float32 of length 1, of the graph alone; None without members and parents
    hybrid_embedding : (d,) float32 of length 1, see `hybrid`
    tool_count, capability_count : direct members
    parent_count : capabilities that list it
    level : 0 where it has tools only
    avg_execution_time_ms, success_rate : over 30 days, see `Usage`
    usage_count_1d, usage_count_7d, usage_count_30d : executions
    pagerank_score, clustering_coefficient : see `GraphFeatures`
    feature_version : embeddings of one version may be compared, n2v_embedding only within one
    computed_at : seconds since 1970; what happened later changed nothing
    """

    capability_id: str
    text_embedding: Float32 | None = None
    n2v_embedding: Float32 | None = None
    hybrid_embedding: Float32 | None = None
    tool_count: int = 0
    capability_count: int = 0
    parent_count: int = 0
    level: int = 0
    avg_execution_time_ms: float | None = None
    success_rate: float | None = None
    usage_count_1d: int = 0
    usage_count_7d: int = 0
    usage_count_30d: int = 0
    pagerank_score: float = 0.0
    clustering_coefficient: float = 0.0
    feature_version: int = 1
    computed_at: float = 0.0


@dataclass(frozen=True, eq=False, kw_only=True)
class IntentFeatures:
    """Of one intent.

    Attributes
    ----------
    intent_hash : SHA-256 of its text in hexadecimal
    embedding : (d,) float32, or None
    context_tools : ids of the tools that the session had used before
    created_at : seconds since 1970
    """

    intent_hash: str
    embedding: Float32 | None = None
    context_tools: tuple[str, ...] = ()
    created_at: float = 0.0


def capability_features(
    catalog: Catalog,
    executions: Iterable[Execution] = (),
    *,
    as_of: float,
    text_weight: float = 1.0,
    version: int = 1,
    config: Node2VecConfig | None = None,
    threads: int = 1,
) -> list[CapabilityFeatures]:
    """Of every capability of a catalogue, in its order.

    Parameters
    ----------
    executions : traces; those after `as_of` are not looked at
    as_of : seconds since 1970
    text_weight : of the hybrid, see `shgat.features.hybrid.chosen`
    """
    ids, n = [c.id for c in catalog.capabilities], len(catalog.tools)
    graph, usage = GraphFeatures.of(catalog), Usage.of_capabilities(executions, catalog, as_of)
    space = node2vec(MemberGraph.of(catalog), config, threads)
    tool_vectors, vectors = space.of("tool", [t.id for t in catalog.tools]), space.of("capability", ids)
    text = mixed = None
    if catalog.tool_embeddings is not None and catalog.capability_embeddings is not None:
        text = unit(catalog.capability_embeddings)
        both = np.concatenate([catalog.tool_embeddings, catalog.capability_embeddings])
        mixed = hybrid(both, np.concatenate([tool_vectors, vectors]), text_weight)[n:]
    return [
        CapabilityFeatures(
            capability_id=key,
            text_embedding=None if text is None else text[i],
            n2v_embedding=vectors[i] if vectors[i].any() else None,
            hybrid_embedding=None if mixed is None else mixed[i],
            tool_count=int(catalog.hierarchy.tools_of.degrees[i]),
            capability_count=int(catalog.hierarchy.capabilities_of.degrees[i]),
            parent_count=int(graph.parents[n + i]),
            level=int(graph.level[n + i]),
            avg_execution_time_ms=_known(usage.duration_ms[i]),
            success_rate=_known(usage.success_rate[i]),
            usage_count_1d=int(usage.counts[i, 0]),
            usage_count_7d=int(usage.counts[i, 1]),
            usage_count_30d=int(usage.counts[i, 2]),
            pagerank_score=float(graph.pagerank[n + i]),
            clustering_coefficient=float(graph.clustering[n + i]),
            feature_version=version,
            computed_at=as_of,
        )
        for i, key in enumerate(ids)
    ]


def _known(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
