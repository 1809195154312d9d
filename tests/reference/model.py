"""The whole model: forward, loss and analytic backward.

Nodes are stacked, X = [tools; capabilities sorted by level], X = X0 + offsets at the start. V->V on the tools, where
given; then for k = 0..K the level's rows gather from their members (up), and for k = K..0 the members from them (down):

    up:    S' = X[members] w_child^T,   T' = X[level k] w_parent^T,   a_up,   gate_up
    down:  S' = X[level k] w_parent^T,  T' = X[members] w_child^T,    a_down, gate_down, incidence transposed

Readout, with mean_context the mean of the final rows of the context tools (zero where there are none):

    q = (x w_intent^T + mean_context w_context^T) W_q^T,   k_n = X_n W_k^T       W_q, W_k (H, d_h, d) seen as (H d_h, d)
    cosine:  z_n = exp(log_scale) cos(q, k_n)              dot:  z_n = q . k_n / (H sqrt(d_h))

Loss over a batch, the same for the tools (y uniform over the trace's tools) and for the capabilities (y given), added:

    L = 1/B' sum_i w_i (outcome_i InfoNCE_i + (1 - outcome_i) push_down_i)       over the B' traces that have targets
"""

from dataclasses import dataclass

import numpy as np

from reference import attention, cooccurrence, losses, readout


@dataclass(frozen=True)
class Graph:
    """Frozen embeddings (n, d) of the stacked nodes; level (n_capabilities,), ascending; members of every capability
    as CSR over stacked rows; V->V as CSR over tools with weights, or None."""

    embeddings: np.ndarray
    n_tools: int
    level: np.ndarray
    indptr: np.ndarray
    indices: np.ndarray
    cooccurrence: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None


@dataclass(frozen=True)
class Batch:
    """Intents (B, d), importance weights and outcomes (B,); context and target tools as CSR (indptr, indices) over
    tools; target capabilities as CSR (indptr, indices, y) over capabilities, y summing to 1 per row."""

    intents: np.ndarray
    weight: np.ndarray
    outcome: np.ndarray
    context: tuple[np.ndarray, np.ndarray]
    tools: tuple[np.ndarray, np.ndarray]
    capabilities: tuple[np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Settings:
    """Heads of the message passing (the readout's: first axis of w_q), LeakyReLU slope, similarity, temperature tau."""

    heads: int
    slope: float = 0.2
    similarity: str = "cosine"
    tau: float = 1.0


def parameter_shapes(d, n_levels, *, heads, readout_heads, d_head, attention="gatv2", offsets=None):
    """Name -> shape, in the order of the flat buffer; offsets = (n_tools, n_capabilities) or None."""
    shapes = {"w_intent": (d, d), "w_context": (d, d)}
    shapes |= {"w_q": (readout_heads, d_head, d), "w_k": (readout_heads, d_head, d)}
    shapes |= {"log_scale": (1,), "residual_logit": (1,), "temperature_logit": (1,)}
    a = (heads if attention == "gatv2" else 2 * heads, d // heads)
    for k in range(n_levels):
        shapes |= {f"level{k}.w_child": (d, d), f"level{k}.w_parent": (d, d)}
        shapes |= {f"level{k}.a_up": a, f"level{k}.a_down": a, f"level{k}.gate_up": (3,), f"level{k}.gate_down": (3,)}
    if offsets is not None:
        shapes |= {"tool_offsets": (offsets[0], d), "capability_offsets": (offsets[1], d)}
    return shapes


def forward(params, graph, settings):
    """X (n, d) after one pass, and what `forward_backward` needs."""
    x = graph.embeddings.copy()
    if "tool_offsets" in params:
        x += np.concatenate([params["tool_offsets"], params["capability_offsets"]])
    mixed = None
    if graph.cooccurrence is not None:
        beta, temperature = attention.sigmoid(params["residual_logit"][0]), np.exp(params["temperature_logit"][0])
        x[: graph.n_tools], mixed = cooccurrence.mix(x[: graph.n_tools].copy(), *graph.cooccurrence, beta, temperature)
    phases = []
    for phase in _phases(graph):
        sources, targets, indptr, indices, source_weight, target_weight, a, gate = phase
        before = x
        out, cache = attention.attend(
            before[sources] @ params[source_weight].T,
            before[targets] @ params[target_weight].T,
            params[a],
            indptr,
            indices,
            settings.slope,
            params[gate],
            before[targets],
            heads=settings.heads,
        )
        x = before.copy()
        x[targets] = out
        phases.append((phase, before, cache))
    return x, (mixed, phases)


def forward_backward(d_x, params, graph, cache, gradient):
    """Adds to the gradient (a dict like params) what follows from d_x (n, d), the gradient of the final rows."""
    mixed, phases = cache
    d_x = d_x.copy()
    for (sources, targets, _, _, source_weight, target_weight, a, gate), before, phase_cache in reversed(phases):
        d_s, d_t, d_a, d_gate, d_target = attention.attend_backward(d_x[targets], phase_cache)
        gradient[a] += d_a
        gradient[gate] += d_gate
        gradient[source_weight] += d_s.T @ before[sources]
        gradient[target_weight] += d_t.T @ before[targets]
        d_x[targets] = d_target + d_t @ params[target_weight]
        d_x[sources] += d_s @ params[source_weight]
    if mixed is not None:
        d_x[: graph.n_tools], d_beta, d_temperature = cooccurrence.mix_backward(d_x[: graph.n_tools], mixed)
        gradient["residual_logit"] += d_beta * mixed.beta * (1.0 - mixed.beta)
        gradient["temperature_logit"] += d_temperature * mixed.temperature
    if "tool_offsets" in params:
        gradient["tool_offsets"] += d_x[: graph.n_tools]
        gradient["capability_offsets"] += d_x[graph.n_tools :]


def score(params, x, intents, context, settings):
    """z (B, n) of every intent against every stacked node, and what `score_backward` needs."""
    mean = losses.dense(*context, np.ones(len(context[1])), (len(intents), len(x)))
    mean /= np.maximum(np.diff(context[0]), 1)[:, None]
    d = x.shape[1]
    w_q, w_k = params["w_q"].reshape(-1, d), params["w_k"].reshape(-1, d)
    mean_context = mean @ x
    seen = intents @ params["w_intent"].T + mean_context @ params["w_context"].T
    q, k = seen @ w_q.T, x @ w_k.T
    if settings.similarity == "dot":
        heads, d_head, _ = params["w_q"].shape
        return q @ k.T / (heads * np.sqrt(d_head)), (mean, mean_context, seen, q, k, None, None)
    unit_q, q_norms = readout.normalize_rows(q)
    unit_k, k_norms = readout.normalize_rows(k)
    z = np.exp(params["log_scale"][0]) * unit_q @ unit_k.T
    return z, (mean, mean_context, seen, unit_q, unit_k, q_norms, k_norms)


def score_backward(d_z, params, x, intents, cache, gradient):
    """Adds to the gradient, returns d_x (n, d)."""
    mean, mean_context, seen, q, k, q_norms, k_norms = cache
    d = x.shape[1]
    w_q, w_k = params["w_q"].reshape(-1, d), params["w_k"].reshape(-1, d)
    if q_norms is None:
        heads, d_head, _ = params["w_q"].shape
        scale = 1.0 / (heads * np.sqrt(d_head))
        d_q, d_k = scale * d_z @ k, scale * d_z.T @ q
    else:
        scale = np.exp(params["log_scale"][0])
        gradient["log_scale"] += scale * (d_z * (q @ k.T)).sum()
        d_q = readout.normalize_rows_backward(scale * d_z @ k, q, q_norms)
        d_k = readout.normalize_rows_backward(scale * d_z.T @ q, k, k_norms)
    d_seen = d_q @ w_q
    gradient["w_q"] += (d_q.T @ seen).reshape(gradient["w_q"].shape)
    gradient["w_k"] += (d_k.T @ x).reshape(gradient["w_k"].shape)
    gradient["w_intent"] += d_seen.T @ intents
    gradient["w_context"] += d_seen.T @ mean_context
    return d_k @ w_k + mean.T @ (d_seen @ params["w_context"])


def loss(z, batch, graph, tau):
    """L and d_z (B, n): the tools' part on the first n_tools columns, the capabilities' part on the others."""
    tools = (*batch.tools, np.repeat(1.0 / np.maximum(np.diff(batch.tools[0]), 1), np.diff(batch.tools[0])))
    total, d_z = 0.0, np.zeros_like(z)
    kinds = (slice(graph.n_tools), tools, losses.info_nce_apart), (slice(graph.n_tools, None), batch.capabilities, losses.info_nce)
    for part, targets, pull in kinds:
        rows = np.count_nonzero(np.diff(targets[0]))
        if rows == 0:
            continue
        pulled, d_pulled, _ = pull(z[:, part], *targets, batch.weight * batch.outcome / rows, tau)
        pushed, d_pushed = losses.push_down(z[:, part], *targets, batch.weight * (1.0 - batch.outcome) / rows, tau)
        total += pulled.sum() + pushed.sum()
        d_z[:, part] = d_pulled + d_pushed
    return total, d_z


def loss_and_gradient(params, graph, batch, settings):
    """L and a dict like params."""
    gradient = {name: np.zeros_like(value) for name, value in params.items()}
    x, passed = forward(params, graph, settings)
    z, scored = score(params, x, batch.intents, batch.context, settings)
    total, d_z = loss(z, batch, graph, settings.tau)
    d_x = score_backward(d_z, params, x, batch.intents, scored, gradient)
    forward_backward(d_x, params, graph, passed, gradient)
    return total, gradient


def _phases(graph):
    """(sources, targets, indptr, indices, source weight, target weight, attention vector, gate) per phase, in order."""
    up, down = [], []
    for k in range(graph.level.max(initial=-1) + 1):
        capabilities = np.flatnonzero(graph.level == k)
        edges = [graph.indices[graph.indptr[c] : graph.indptr[c + 1]] for c in capabilities]
        members, indices = np.unique(np.concatenate([*edges, []]).astype(int), return_inverse=True)
        rows, parents = graph.n_tools + capabilities, np.repeat(np.arange(len(edges)), [len(e) for e in edges])
        by_member = np.argsort(indices, kind="stable")
        child, parent = f"level{k}.w_child", f"level{k}.w_parent"
        up_indptr, down_indptr = _indptr(parents, len(rows)), _indptr(indices, len(members))
        up.append((members, rows, up_indptr, indices, child, parent, f"level{k}.a_up", f"level{k}.gate_up"))
        down.append((rows, members, down_indptr, parents[by_member], parent, child, f"level{k}.a_down", f"level{k}.gate_down"))
    return up + down[::-1]


def _indptr(targets, n):
    return np.concatenate([[0], np.cumsum(np.bincount(targets, minlength=n))])
