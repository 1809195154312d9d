"""Rankings, sets and explanations agree with the scores, and bad questions are named."""

import numpy as np
import pytest

from shgat import SHGAT, Catalog, InputError, SHGATConfig
from worlds import catalog, records, unit
from worlds import trained as some_model

X = unit(np.random.default_rng(11), 16)
CONFIGS = [SHGATConfig(), SHGATConfig(similarity="dot"), SHGATConfig(fusion="sigmoid"), SHGATConfig(n_heads=2, d_head=5)]
IDS = ["cosine", "dot", "sigmoid", "projection"]


@pytest.mark.parametrize("config", CONFIGS, ids=IDS)
@pytest.mark.parametrize("context", [(), ("t3", "t0")], ids=["", "context"])
@pytest.mark.parametrize("kind", ["tools", "capabilities"])
def test_rank_sorts_by_score(config, kind, context):
    model = some_model(config=config)
    scores = model.score(X, kind, context_tools=context)[0]
    ids = model.tool_ids if kind == "tools" else model.capability_ids
    ranking = model.rank(X, 5, kind, context_tools=context)
    np.testing.assert_allclose(ranking.scores, np.sort(scores)[::-1][:5], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose([scores[ids.index(i)] for i in ranking.ids], ranking.scores, rtol=1e-4, atol=1e-5)
    assert (ranking.kind, ranking.model_version, len(ranking)) == (kind, model.version, 5)
    if context:
        assert not np.allclose(scores, model.score(X, kind)[0])


def test_the_order_of_context_tools_does_not_matter():
    model = some_model()
    one, other = (model.score(X, context_tools=c) for c in (["t1", "t2"], ["t2", "t1", "t1"]))
    np.testing.assert_array_equal(one, other)


def test_candidates():
    model = some_model()
    everything = model.rank(X, 100)
    chosen = ["t7", "t2", "t13", "t2"]
    few = model.rank(X, 100, candidates=chosen)
    assert few.ids == tuple(i for i in everything.ids if i in chosen)
    assert model.rank(X, candidates=[]).ids == ()
    assert model.rank(X, 1, candidates=iter(chosen)).ids == few.ids[:1]


def test_sets_hold_the_tools_of_members_of_members():
    e = np.eye(8, dtype=np.float32)
    tools = [{"id": i, "embedding": e[k]} for k, i in enumerate("abcd")]
    capabilities = [
        {"id": "low", "embedding": e[4], "tools": ["c", "a"]},
        {"id": "mid", "embedding": e[5], "tools": ["b"], "capabilities": ["low"]},
        {"id": "top", "embedding": e[6], "capabilities": ["mid", "low"]},
        {"id": "none", "embedding": e[7]},
    ]
    sets = SHGAT.from_catalog(Catalog.from_records(tools, capabilities)).rank_sets(e[6] + 0.1 * e[5], 4)
    assert [s.id for s in sets][:2] == ["top", "mid"]
    by_id = {s.id: s.tools for s in sets}
    assert by_id == {"top": ("a", "b", "c"), "mid": ("a", "b", "c"), "low": ("a", "c"), "none": ()}


def test_shares_are_the_attention_of_the_version_that_answers():
    model = some_model()
    index = model.index()
    containing = index.catalog.hierarchy.containing
    assert index.shares.shape == (containing.nnz,)
    assert (index.shares > 0).all()
    assert (index.shares <= 1).all()
    assert SHGAT.from_catalog(catalog()).index().shares is None
    # a tool whose capabilities all stand on one level shares itself out among them
    level = index.catalog.hierarchy.level_of
    for t in range(12):
        if len(set(level[containing.row(t)].tolist())) == 1:
            np.testing.assert_allclose(index.shares[containing.indptr[t] : containing.indptr[t + 1]].sum(), 1.0, rtol=1e-5)


def test_reliability_moves_a_capability_by_the_logarithm_of_its_factor():
    tools, capabilities = records(np.random.default_rng(2))
    capabilities[3] |= {"success_rate": 0.1, "uses": 50}
    capabilities[5] |= {"success_rate": 0.95, "uses": 50}
    found = Catalog.from_records(tools, capabilities)
    plain = SHGAT.from_catalog(found, SHGATConfig(reliability="none"))
    steps = SHGAT.from_catalog(found, SHGATConfig(reliability="steps"))
    difference = (steps.score(X, "capabilities") - plain.score(X, "capabilities"))[0]
    expected = np.zeros(10)
    expected[[3, 5]] = np.log([0.5, 1.2])
    np.testing.assert_allclose(difference, expected, atol=1e-5)
    np.testing.assert_array_equal(steps.score(X), plain.score(X))
    why = steps.rank(X, 10, "capabilities", explain=True)
    factors = dict(zip(why.ids, (e.reliability for e in why.explanations), strict=True))
    assert factors["c3"] == pytest.approx(0.5)
    assert factors["c0"] == 1.0


@pytest.mark.parametrize("context", [(), ("files.read_file", "files.write_file")], ids=["", "context"])
@pytest.mark.parametrize("with_texts", [False, True], ids=["", "texts"])
def test_probabilities_are_those_of_rank(trained, context, with_texts):
    intents, texts = trained.test.vectors(np.arange(6)), [trained.test.texts[i] for i in range(6)] if with_texts else None
    found = trained.model.probabilities(intents, texts=texts, context_tools=context)
    assert (found.shape, found.dtype) == ((6, 83), np.float32)
    for i, (x, row) in enumerate(zip(intents, found, strict=True)):
        ranking = trained.model.rank(x, 83, text=texts and texts[i], context_tools=context)
        expected = dict(zip(ranking.ids, ranking.probabilities, strict=True))
        np.testing.assert_allclose(row, [expected[t] for t in trained.model.tool_ids], rtol=1e-4, atol=1e-6)
    alone = trained.model.probabilities(intents[0], texts=texts and texts[:1], context_tools=context)
    np.testing.assert_allclose(alone, found[:1], rtol=1e-4, atol=1e-6)


def test_probabilities_need_a_training(trained):
    with pytest.raises(InputError, match="no calibrated probabilities"):
        some_model().probabilities(X)
    with pytest.raises(InputError, match="min_score needs calibrated probabilities"):
        some_model().rank(X, min_score=0.5)
    with pytest.raises(InputError, match="min_score needs calibrated probabilities of tools"):
        trained.model.rank(np.ones(384), kind="capabilities", min_score=0.5)


@pytest.mark.parametrize("least", [0.0, 0.2, 0.9, 1.0])
def test_min_score_leaves_out_what_is_less_probable(trained, least):
    x, text = trained.test.vectors(np.array([4]))[0], trained.test.texts[4]
    everything, chosen = trained.model.rank(x, 83, text=text), trained.model.tool_ids[::3]
    probable = [i for i, p in zip(everything.ids, everything.probabilities, strict=True) if p >= least]
    assert list(trained.model.rank(x, 83, text=text, min_score=least).ids) == probable
    few = trained.model.rank(x, 83, text=text, min_score=least, candidates=chosen)
    assert list(few.ids) == [i for i in probable if i in chosen]


def test_empty_batches():
    model = some_model()
    assert model.score(np.zeros((0, 16), np.float32)).shape == (0, 14)


@pytest.mark.parametrize("dtype", [np.float16, np.float64, np.float32])
def test_intents_of_any_float(dtype):
    model, x = some_model(), X.astype(np.float16)
    np.testing.assert_array_equal(model.rank(x.astype(dtype)).scores, model.rank(x).scores)
    assert model.rank(x.astype(dtype).tolist()).ids == model.rank(x).ids
    strided = np.zeros(32, np.float32)
    strided[::2] = x
    assert model.rank(strided[::2]).ids == model.rank(x).ids


BAD = np.where(np.arange(16) == 3, np.nan, 0.1)
HUGE = np.full(16, 3e38, np.float32)


@pytest.mark.parametrize("config", CONFIGS[:3], ids=IDS[:3])
@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda m: m.rank(X[:15]), r"intent has shape \(15,\), expected \(16,\)"),
        (lambda m: m.rank(np.stack([X, X])), r"intent has shape \(2, 16\)"),
        (lambda m: m.rank(BAD), "intent holds NaN or infinity at position 3"),
        (lambda m: m.rank(BAD.astype(np.float32)), "intent holds NaN or infinity at position 3"),
        (lambda m: m.rank([1e300] * 16), "intent holds NaN or infinity at position 0"),
        (lambda m: m.rank([None] * 16), "intent is not an array of numbers"),
        (lambda m: m.rank("find me a tool"), "intent is an embedding, not text"),
        (lambda m: m.rank(b"find me a tool"), "intent is an embedding, not text"),
        (lambda m: m.rank(X * 0), "intent is zero: it has no direction"),
        (lambda m: m.rank_many([X, X * 0]), "intents: row 1 is zero: it has no direction"),
        (lambda m: m.score(X, texts="a"), "texts is a list of strings"),
        (lambda m: m.score(X, texts=[7]), r"texts\[0\] is a string, not int"),
        (lambda m: m.rank(X, text=7), "text is a string or None, not int"),
        (lambda m: m.rank(X, explain="yes"), "explain is True or False"),
        (lambda m: m.rank(X, kind=np.ones(3)), "kind is one of"),
        (lambda m: m.rank(None), "intent is not an array of numbers"),
        (lambda m: m.rank(HUGE), "intent has an entry of size 3e.38 at position 0"),
        (lambda m: m.score(np.stack([X, HUGE])), "intents has an entry of size 3e.38 in row 1"),
        (lambda m: m.score([X.tolist(), [1.0]]), "intents is not an array of numbers"),
        (lambda m: m.score(np.ones((2, 17))), r"intents has shape \(2, 17\), expected \(B, 16\)"),
        (lambda m: m.score(np.stack([X, BAD])), "intents holds NaN or infinity in row 1"),
        (lambda m: m.score(X, texts=["a", "b"]), "texts: 2 for 1 intents"),
        (lambda m: m.probabilities(np.stack([X, BAD])), "intents holds NaN or infinity in row 1"),
        (lambda m: m.why_not(HUGE, "t1"), "intent has an entry of size 3e.38 at position 0, at most 1e.15 can be used"),
        (lambda m: m.score(X, "sets"), "kind is one of tools, capabilities, not 'sets'"),
        (lambda m: m.rank(X, kind=None), "kind is one of"),
        (lambda m: m.rank(X, 0), "top_k is a whole number of at least 1, not 0"),
        (lambda m: m.rank(X, 2.5), "top_k"),
        (lambda m: m.rank(X, True), "top_k"),
        (lambda m: m.rank(X, context_tools=["t1", "gone"]), "context_tools: unknown id 'gone'"),
        (lambda m: m.rank(X, context_tools="t1"), "context_tools is a list of ids"),
        (lambda m: m.rank(X, context_tools=[["t1"]]), "context_tools: unknown id"),
        (lambda m: m.rank(X, candidates=["c1"]), "tools: unknown id 'c1'"),
        (lambda m: m.rank(X, candidates=3), "tools is a list of ids"),
        (lambda m: m.rank_sets(X, -1), "top_k"),
    ],
)
def test_bad_input_is_named(config, ask, message):
    model = some_model(config=config)
    with pytest.raises(InputError, match=message):
        ask(model)
