"""`loss_and_gradient` against the float64 twin of the whole model, and against the same model in PyTorch autograd."""

import importlib.util

import numpy as np
import pytest

from reference import model as twin
from shgat import SHGAT, SHGATConfig, Traces
from shgat.training import loss_and_gradient
from training import planted

D, N_TOOLS = 12, 6
SIZES = {"n_heads": 2, "d_head": 5, "n_message_heads": 3}
RUNS = [  # tools, outcome, weight, context, capability
    ((1, 4), 1.0, 1.0, (0, 3), None),
    ((0,), 0.0, 0.5, (), None),
    ((2, 3, 5), 0.3, 1.0, (5,), "c2"),
    ((3,), 1.0, 2.0, (), None),
    ((0, 1, 2), 0.6, 0.7, (1, 2, 0), None),  # exactly c0 of the flat graph
    ((0, 1), 0.0, 1.0, (), "c0"),
    ((5,), 1.0, 1.0, (), None),  # isolated in the flat graph
    ((), 1.0, 1.0, (2,), "c1"),
]


def some_model(members, *, attention="gatv2", similarity="cosine", offsets=False, mixing=False, runs=RUNS, seed=1):
    """(model, traces) with random parameters, gates open."""
    rng = np.random.default_rng(seed)
    catalog = planted.catalog(rng, N_TOOLS, members, D)
    model = SHGAT.from_catalog(catalog, SHGATConfig(attention=attention, similarity=similarity, node_offsets=offsets, **SIZES))
    if mixing:
        pairs = [("t0", "t1", 1.0), ("t0", "t3", 0.5), ("t1", "t0", 2.0), ("t3", "t4", 0.7), ("t5", "t0", 1.0)]
        model.set_cooccurrence(pairs)
    records = [
        planted.record(i, rng.standard_normal(D), tools, outcome=outcome, weight=weight,
                       context_tools=[f"t{t}" for t in context], capability=capability)
        for i, (tools, outcome, weight, context, capability) in enumerate(runs)
    ]  # fmt: skip
    return planted.shaken(model, rng), Traces.from_records(records, catalog)


def tools_within(catalog, c):
    inner = [tools_within(catalog, catalog.capability_column[m]) for m in catalog.capabilities[c].capabilities]
    return {catalog.tool_column[t] for t in catalog.capabilities[c].tools}.union(*inner)


def capability_targets(catalog, traces):
    """One {column: y} a trace: the named capability, else those with exactly its tools, else by Jaccard^4."""
    rows = []
    for i, named in enumerate(traces.capability.tolist()):
        ran = set(traces.tools.row(i).tolist())
        sets = [tools_within(catalog, c) for c in range(len(catalog.capabilities))]
        jaccard = {c: len(ran & s) / len(ran | s) for c, s in enumerate(sets) if ran & s}
        row = {named: 1.0} if named >= 0 else {c: 1.0 for c, s in enumerate(sets) if s == ran and s}
        row = row or {c: j**4 for c, j in jaccard.items() if j**4 >= 1e-3}
        rows.append({c: y / sum(row.values()) for c, y in row.items()})
    return rows


def csr(rows):
    return np.concatenate([[0], np.cumsum([len(r) for r in rows])]).astype(int), np.array([c for r in rows for c in r], int)


def as_twin(model, traces):
    """(params, graph, batch, settings, order of the capabilities in the stack) of the twin."""
    catalog, hierarchy = model.catalog, model.catalog.hierarchy
    order = np.argsort(hierarchy.level_of, kind="stable")
    members = [[*hierarchy.tools_of.row(c), *hierarchy.row_of[hierarchy.capabilities_of.row(c)]] for c in order]
    edges = None
    if model.state.cooccurrence is not None:
        rows = model.state.cooccurrence.incidence
        edges = rows.indptr, rows.indices, model.state.cooccurrence.weights.astype(float)
    graph = twin.Graph(planted.start_rows(model), hierarchy.n_tools, hierarchy.level_of[order], *csr(members), edges)
    place = np.argsort(order)
    wanted = [{int(place[c]): y for c, y in row.items()} for row in capability_targets(catalog, traces)]
    batch = twin.Batch(
        traces.vectors(np.arange(len(traces))).astype(float), traces.weight.astype(float), traces.outcome.astype(float),
        (traces.context.indptr, traces.context.indices), (traces.tools.indptr, traces.tools.indices),
        (*csr(wanted), np.array([y for row in wanted for y in row.values()])),
    )  # fmt: skip
    params = {name: value.astype(float) for name, value in model.params.items()}
    if "capability_offsets" in params:
        params["capability_offsets"] = params["capability_offsets"][order]
    settings = twin.Settings(SIZES["n_message_heads"], model.config.slope, model.config.similarity)
    return params, graph, batch, settings, order


def assert_same(loss, gradient, expected_loss, expected, order):
    assert loss == pytest.approx(expected_loss, rel=1e-4)
    overall = max(np.abs(g).max() for g in expected.values())
    for name, value in gradient.items():
        wanted = expected[name]
        if name == "capability_offsets":
            wanted = wanted[np.argsort(order)]
        np.testing.assert_allclose(value, wanted, rtol=0, atol=1e-4 * np.abs(wanted).max() + 1e-7 * overall, err_msg=name)


@pytest.mark.parametrize("similarity", ["cosine", "dot"])
@pytest.mark.parametrize("attention", ["gat", "gatv2"])
@pytest.mark.parametrize("mixing", [False, True], ids=["", "v2v"])
@pytest.mark.parametrize("offsets", [False, True], ids=["", "offsets"])
@pytest.mark.parametrize("members", [planted.FLAT, planted.DEEP], ids=["flat", "deep"])
def test_loss_and_every_gradient_match_the_twin(members, offsets, mixing, attention, similarity):
    model, traces = some_model(members, attention=attention, similarity=similarity, offsets=offsets, mixing=mixing)
    params, graph, batch, settings, order = as_twin(model, traces)
    expected_loss, expected = twin.loss_and_gradient(params, graph, batch, settings)
    loss, gradient = loss_and_gradient(model.state, traces)
    assert_same(loss, gradient, expected_loss, expected, order)
    silent = {name for name, g in gradient.items() if not g.any()}
    assert silent == ({"log_scale"} if similarity == "dot" else set()) | (
        set() if mixing else {"residual_logit", "temperature_logit"}
    )


@pytest.mark.parametrize("outcome", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("bare", [False, True], ids=["", "no context, no capability"])
def test_one_outcome(outcome, bare):
    runs = [(t, outcome, w, () if bare else context, None if bare else c) for t, _, w, context, c in RUNS if t]
    model, traces = some_model(planted.DEEP, runs=runs)
    params, graph, batch, settings, order = as_twin(model, traces)
    loss, gradient = loss_and_gradient(model.state, traces)
    assert_same(loss, gradient, *twin.loss_and_gradient(params, graph, batch, settings), order)
    assert gradient["w_context"].any() != bare


@pytest.mark.parametrize("members", [[], [((), ())], [((), ()), ((), (0,))]], ids=["no capability", "an empty one", "nested empty"])
def test_graphs_without_an_edge_to_a_tool(members):
    runs = [(t, o, w, c, None) for t, o, w, c, _ in RUNS if t]
    model, traces = some_model(members, runs=runs)
    params, graph, batch, settings, order = as_twin(model, traces)
    loss, gradient = loss_and_gradient(model.state, traces)
    assert_same(loss, gradient, *twin.loss_and_gradient(params, graph, batch, settings), order)


def test_the_gradient_predicts_the_loss_along_random_directions():
    model, traces = some_model(planted.DEEP, offsets=True, mixing=True)
    _, gradient = loss_and_gradient(model.state, traces)
    rng, buffer = np.random.default_rng(0), model.params.buffer
    kept = buffer.copy()
    for _ in range(5):
        u = rng.standard_normal(buffer.size).astype(np.float32)
        u += gradient.buffer * np.float32(20.0 / np.linalg.norm(gradient.buffer))
        u *= np.float32(3e-3 / np.linalg.norm(u))
        buffer[:] = kept + u
        above, _ = loss_and_gradient(model.state, traces)
        buffer[:] = kept - u
        below, _ = loss_and_gradient(model.state, traces)
        buffer[:] = kept
        assert (above - below) / 2.0 == pytest.approx(float(u @ gradient.buffer), rel=0.01, abs=1e-6)


def test_it_is_deterministic_and_leaves_the_model_alone():
    model, traces = some_model(planted.DEEP, offsets=True)
    kept, version = model.params.buffer.tobytes(), model.version
    (first, a), (second, b) = loss_and_gradient(model.state, traces), loss_and_gradient(model.state, traces)
    assert first == second
    assert a.buffer.tobytes() == b.buffer.tobytes()
    assert (model.params.buffer.tobytes(), model.version) == (kept, version)


def test_the_weight_scales_loss_and_gradient_alike():
    model, traces = some_model(planted.DEEP)
    traces.weight[:] = 1.0
    loss, gradient = loss_and_gradient(model.state, traces)
    traces.weight[:] = 0.25
    quarter, small = loss_and_gradient(model.state, traces)
    assert quarter == pytest.approx(0.25 * loss, rel=1e-6)
    np.testing.assert_allclose(small.buffer, 0.25 * gradient.buffer, rtol=1e-3, atol=1e-7)


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed")
@pytest.mark.parametrize("similarity", ["cosine", "dot"])
@pytest.mark.parametrize("attention", ["gat", "gatv2"])
def test_gradients_match_autograd(attention, similarity):
    model, traces = some_model(planted.DEEP, attention=attention, similarity=similarity, offsets=True, mixing=True)
    expected_loss, expected = autograd(model, traces)
    loss, gradient = loss_and_gradient(model.state, traces)
    assert_same(loss, gradient, expected_loss, expected, np.arange(len(model.catalog.capabilities)))


def autograd(model, traces):
    """Loss and gradients of the same model, written for PyTorch from the equations, one node at a time."""
    import torch

    torch.set_grad_enabled(True)  # a benchmark peer may have switched it off in this process

    catalog, config, hierarchy = model.catalog, model.config, model.catalog.hierarchy
    p = {n: torch.tensor(v, dtype=torch.float64, requires_grad=True) for n, v in model.params.items()}
    n_tools, heads = len(catalog.tools), SIZES["n_message_heads"]
    tools = list((torch.tensor(catalog.tool_embeddings, dtype=torch.float64) + p["tool_offsets"]).unbind())
    edges = list((torch.tensor(catalog.capability_embeddings, dtype=torch.float64) + p["capability_offsets"]).unbind())
    if model.state.cooccurrence is not None:
        h, rows = torch.stack(tools), model.state.cooccurrence.incidence
        unit = torch.nn.functional.normalize(h, dim=1)
        for i in range(n_tools):
            near = rows.row(i).tolist()
            if near:
                w = torch.tensor(model.state.cooccurrence.weights[rows.indptr[i] : rows.indptr[i + 1]], dtype=torch.float64)
                alpha = torch.softmax(unit[near] @ unit[i] * w / p["temperature_logit"].exp(), dim=0)
                mixed = h[i] + torch.sigmoid(p["residual_logit"]) * (alpha @ h[near])
                tools[i] = mixed / mixed.norm()
    x = tools + edges  # catalogue order

    def leaky(v):
        return torch.nn.functional.leaky_relu(v, config.slope)

    def attend(target, sources, w_source, w_target, a, gate):
        if not sources:
            return target
        s = torch.stack([(w_source @ v).view(heads, -1) for v in sources])  # (m, H, d_m)
        t = (w_target @ target).view(1, heads, -1).expand_as(s)
        u = (a * leaky(s + t)).sum(-1) if config.attention == "gatv2" else (a[:heads] * leaky(s) + a[heads:] * leaky(t)).sum(-1)
        message = torch.nn.functional.elu((torch.softmax(u, dim=0)[..., None] * s).sum(0)).reshape(-1)
        g = gate[0] * torch.sigmoid(gate[1] * np.log1p(len(sources)) + gate[2])
        return (1.0 - g) * target + g * message

    members = [[*hierarchy.tools_of.row(c).tolist(), *(n_tools + hierarchy.capabilities_of.row(c)).tolist()]
               for c in range(len(catalog.capabilities))]  # fmt: skip
    for k in range(len(hierarchy.levels)):
        own = np.flatnonzero(hierarchy.level_of == k)
        up = {n_tools + c: attend(x[n_tools + c], [x[m] for m in members[c]], p[f"level{k}.w_child"], p[f"level{k}.w_parent"],
                                  p[f"level{k}.a_up"], p[f"level{k}.gate_up"]) for c in own}  # fmt: skip
        x = [up.get(i, v) for i, v in enumerate(x)]
    for k in reversed(range(len(hierarchy.levels))):
        own = np.flatnonzero(hierarchy.level_of == k)
        down = {m: attend(x[m], [x[n_tools + c] for c in own if m in members[c]], p[f"level{k}.w_parent"], p[f"level{k}.w_child"],
                          p[f"level{k}.a_down"], p[f"level{k}.gate_down"]) for m in {m for c in own for m in members[c]}}  # fmt: skip
        x = [down.get(i, v) for i, v in enumerate(x)]
    x = torch.stack(x)
    context = torch.stack(
        [x[traces.context.row(i).tolist()].sum(0) / max(1, traces.context.degrees[i]) for i in range(len(traces))]
    )
    seen = torch.tensor(traces.intents, dtype=torch.float64) @ p["w_intent"].T + context @ p["w_context"].T
    q = torch.einsum("hed,bd->bhe", p["w_q"], seen)
    k = torch.einsum("hed,nd->nhe", p["w_k"], x)
    z = torch.einsum("bhe,nhe->bn", q, k)
    if config.similarity == "dot":
        z = z / (q.shape[1] * np.sqrt(q.shape[2]))
    else:
        z = z * p["log_scale"].exp() / (q.flatten(1).norm(dim=1)[:, None] * k.flatten(1).norm(dim=1))
    total = torch.zeros((), dtype=torch.float64)
    tools = [{t: 1.0 / len(row) for t in row} for row in (traces.tools.row(i).tolist() for i in range(len(traces)))]
    for part, wanted in ((z[:, :n_tools], tools), (z[:, n_tools:], capability_targets(catalog, traces))):
        rows = max(1, sum(bool(row) for row in wanted))
        for i, row in enumerate(wanted):
            outcome, weight = float(traces.outcome[i]), float(traces.weight[i])
            for c, y in row.items():
                total = total - weight / rows * y * outcome * torch.log_softmax(part[i], dim=0)[c]
                total = total + weight / rows * y * (1.0 - outcome) * torch.nn.functional.softplus(part[i, c])
    total.backward()
    gradient = {n: np.zeros(v.shape) if v.grad is None else v.grad.numpy() for n, v in p.items()}
    return total.item(), gradient
