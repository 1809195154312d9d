"""A live model: cosine before training, and after every change what a model built from scratch says."""

import copy
import inspect
import pickle
import re
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shgat import SHGAT, Catalog, CatalogError, InputError, SHGATConfig, ShgatError, Traces, TrainingConfig, features
from shgat import training as trainings
from training import planted
from worlds import SAMPLE, SETS, assert_cosine_order, catalog, cosine64, opened, pairs, real_set, records, trained, unit

PLAIN = SHGATConfig(reliability="none")


def assert_ranks_as_cosine(model, intents):
    found = model.catalog
    sides = (
        ("tools", found.tool_embeddings, found.tool_column),
        ("capabilities", found.capability_embeddings, found.capability_column),
    )
    for kind, rows, column in sides:
        if not len(rows):
            assert len(model.rank(intents[0], kind=kind)) == 0
            continue
        expected = cosine64(intents, rows)
        np.testing.assert_allclose(model.score(intents, kind), 20 * expected, rtol=1e-4, atol=2e-5)
        for x, cosine in zip(intents, expected, strict=True):
            assert_cosine_order(model.rank(x, top_k=len(rows), kind=kind).ids, cosine, column)
            assert_cosine_order(model.rank(x, top_k=3, kind=kind).ids, cosine, column)


# ---------------------------------------------------------------- untrained is cosine
@settings(deadline=None, max_examples=40)
@given(
    st.integers(0, 2**30),
    st.integers(1, 30),
    st.integers(0, 12),
    st.sampled_from([8, 12, 33, 64]),
    st.sampled_from(["gat", "gatv2"]),
)
def test_an_untrained_model_orders_as_cosine(seed, n_tools, n_capabilities, d, attention):
    rng = np.random.default_rng(seed)
    found = Catalog.from_records(*records(rng, n_tools, n_capabilities, d))
    intents = rng.standard_normal((3, d)).astype(np.float32)
    assert_ranks_as_cosine(SHGAT.from_catalog(found, SHGATConfig(attention=attention), seed), intents)


@pytest.mark.parametrize("config", [PLAIN, SHGATConfig(reliability="none", n_heads=8, d_head=64)], ids=["D = d", "D > d"])
def test_the_sample_orders_as_cosine(config):
    intents = np.load(SAMPLE / "test.npy").astype(np.float32)[:30]
    assert_ranks_as_cosine(SHGAT.from_catalog(Catalog.load(SAMPLE), config), intents)


@pytest.mark.parametrize("name", SETS)
def test_real_sets_order_as_cosine(name):
    folder = real_set(name)
    intents = np.load(folder / "test.npy")[:60].astype(np.float32)
    assert_ranks_as_cosine(SHGAT.from_catalog(Catalog.load(folder), PLAIN), intents)


def test_fewer_dimensions_than_the_embeddings_say_so(caplog):
    caplog.set_level("INFO", "shgat")
    SHGAT.from_catalog(catalog(), SHGATConfig(n_heads=2, d_head=4))
    assert "random projection" in caplog.text


# ---------------------------------------------------------------- catalogues of every shape
@pytest.mark.parametrize("attention", ["gat", "gatv2"])
@pytest.mark.parametrize(
    "sizes",
    [{"n_tools": 1, "n_capabilities": 0}, {"n_tools": 1, "n_capabilities": 1}, {"n_capabilities": 0}, {"n_capabilities": 1}, {}],
    ids=["one tool", "one of each", "no capabilities", "one capability", "three levels"],
)
def test_shapes_of_catalogues(attention, sizes):
    model = trained(config=SHGATConfig(attention=attention, node_offsets=True), **sizes)
    x = unit(np.random.default_rng(5), 16)
    for kind, ids in (("tools", model.tool_ids), ("capabilities", model.capability_ids)):
        scores = model.score(np.stack([x, -x]), kind)
        assert scores.shape == (2, len(ids))
        assert np.isfinite(scores).all()
        ranking = model.rank(x, top_k=100, kind=kind, explain=True)
        assert sorted(ranking.ids) == sorted(ids)
        assert list(ranking.scores) == sorted(ranking.scores, reverse=True)
    assert len(model.rank_sets(x)) == min(5, len(model.capability_ids))


def test_isolated_tools_and_empty_capabilities_keep_their_embeddings():
    model = trained()
    index = model.index()
    for t in (12, 13):  # in no capability
        np.testing.assert_array_equal(index.tools.x[t], model.catalog.tool_embeddings[t])
    moved = np.abs(index.tools.x[:12] - model.catalog.tool_embeddings[:12]).max(axis=1)
    assert (moved > 1e-3).any()


@pytest.mark.parametrize("attention", ["gat", "gatv2"])
def test_the_order_of_members_does_not_matter(attention):
    tools, capabilities = records(np.random.default_rng(3))
    rng = np.random.default_rng(4)
    turned = [{**c, "tools": rng.permutation(c["tools"]).tolist(), "capabilities": c["capabilities"][::-1]} for c in capabilities]
    config = SHGATConfig(attention=attention)
    one, other = (opened(SHGAT.from_catalog(Catalog.from_records(tools, cs), config)) for cs in (capabilities, turned))
    x = rng.standard_normal((4, 16)).astype(np.float32)
    for kind in ("tools", "capabilities"):
        np.testing.assert_array_equal(one.score(x, kind), other.score(x, kind))


def test_message_passing_can_be_left_out():
    x = unit(np.random.default_rng(1), 16)
    found = catalog()
    silent = SHGAT.from_catalog(found, SHGATConfig(message_passing=False))
    assert silent.params.layout.n_levels == 0
    np.testing.assert_allclose(silent.score(x), SHGAT.from_catalog(found).score(x), rtol=1e-6)


def test_from_capabilities_gives_tools_the_mean_of_what_contains_them():
    e = np.eye(8, dtype=np.float32)
    model = SHGAT.from_capabilities([
        {"id": "x", "embedding": e[0], "tools": ["a", "b"], "success_rate": 0.5, "uses": 3},
        {"id": "y", "embedding": e[1], "tools": ["b"], "capabilities": ["x"]},
    ])  # fmt: skip
    assert model.tool_ids == ["a", "b"]
    np.testing.assert_allclose(model.catalog.tool_embeddings, [e[0], (e[0] + e[1]) / np.sqrt(2)], rtol=1e-6)


def test_a_catalogue_without_embeddings_is_given_some_and_an_empty_one_is_refused():
    found = SHGAT.from_catalog(Catalog.from_records([{"id": "a"}], []))
    assert found.catalog.encoder == features.open_encoder("static").id
    other = SHGAT.from_catalog(Catalog.from_records([{"id": "a"}], []), encoder="hashed-words")
    assert (other.catalog.encoder, other.dimension) == (features.HashedWords().id, 800)
    with pytest.raises(CatalogError, match="no embeddings"):
        SHGAT.from_catalog(Catalog.from_records([]))


# ---------------------------------------------------------------- changing a live model
CONFIGS = {
    "gates open": SHGATConfig(),
    "gat": SHGATConfig(attention="gat"),
    "offsets": SHGATConfig(node_offsets=True),
    "dot": SHGATConfig(similarity="dot"),
}


def from_scratch(model, tools, capabilities, edges=()):
    """A model over these records with the parameters of `model`, offsets by id."""
    found = Catalog.from_records(tools, capabilities)
    fresh = SHGAT.from_catalog(found, model.config)
    for name, view in fresh.params.items():
        if name not in model.params:
            continue
        source = model.params[name]
        if name == "tool_offsets":
            source = np.stack([source[model.catalog.tool_column[t.id]] for t in found.tools])
        elif name == "capability_offsets":
            source = np.stack([source[model.catalog.capability_column[c.id]] for c in found.capabilities])
        view[:] = source
    if edges:
        fresh.set_cooccurrence(edges)
    fresh.invalidate()
    return fresh


def assert_equal_models(one, other):
    x = np.random.default_rng(9).standard_normal((5, 16)).astype(np.float32)
    assert one.tool_ids == other.tool_ids
    assert one.catalog.fingerprint == other.catalog.fingerprint
    for kind in ("tools", "capabilities"):
        np.testing.assert_allclose(one.score(x, kind), other.score(x, kind), rtol=2e-5, atol=2e-5)
        assert one.rank(x[0], kind=kind).ids == other.rank(x[0], kind=kind).ids
    np.testing.assert_allclose(
        one.score(x, context_tools=["t1", one.tool_ids[-1]]),
        other.score(x, context_tools=["t1", one.tool_ids[-1]]),
        rtol=2e-5,
        atol=2e-5,
    )


@pytest.mark.parametrize("mixing", [False, True], ids=["", "v2v"])
@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_changes_equal_a_model_built_from_scratch(config, mixing):
    rng = np.random.default_rng(7)
    tools, capabilities = records(rng)
    model = opened(SHGAT.from_catalog(Catalog.from_records(tools, capabilities), config))
    edges = pairs() if mixing else []
    if mixing:
        model.set_cooccurrence(edges)
    model.rank(unit(rng, 16))

    tools.append({"id": "new", "embedding": 3 * unit(rng, 16)})
    model.add_tool(tools[-1])
    assert_equal_models(model, from_scratch(model, tools, capabilities, edges))

    capabilities.append({"id": "top", "embedding": unit(rng, 16), "tools": ["new", "t0"], "capabilities": ["c2"]})
    capabilities[-1] |= {"success_rate": 0.9, "uses": 40}
    model.add_capability(capabilities[-1])
    assert_equal_models(model, from_scratch(model, tools, capabilities, edges))

    model.remove("t0")
    tools = [t for t in tools if t["id"] != "t0"]
    capabilities = [{**c, "tools": [t for t in c["tools"] if t != "t0"]} for c in capabilities]
    edges = [e for e in edges if "t0" not in e]
    assert_equal_models(model, from_scratch(model, tools, capabilities, edges))

    model.remove("c4")
    capabilities = [{**c, "capabilities": [m for m in c["capabilities"] if m != "c4"]} for c in capabilities if c["id"] != "c4"]
    assert_equal_models(model, from_scratch(model, tools, capabilities, edges))


@pytest.mark.parametrize("mixing", [False, True], ids=["", "v2v"])
@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_many_tools_come_and_go_in_one_step(config, mixing):
    """Whether one by one or together, asked between or not: the same model as one that was built at once."""
    rng = np.random.default_rng(3)
    tools, capabilities = records(rng)
    edges = pairs() if mixing else []
    news = [{"id": f"new{i}", "embedding": 2 * unit(rng, 16)} for i in range(40)]
    for asked in (False, True):
        by_one, at_once = (opened(SHGAT.from_catalog(Catalog.from_records(tools, capabilities), config)) for _ in range(2))
        for model in (by_one, at_once):
            model.set_cooccurrence(edges)
        version = at_once.version
        at_once.add_tools(news)
        assert at_once.version == version + 1
        for tool in news:
            by_one.add_tool(tool)
            if asked:
                by_one.rank(unit(rng, 16))
        expected = from_scratch(at_once, [*tools, *news], capabilities, edges)
        assert_equal_models(by_one, expected)
        assert_equal_models(at_once, expected)
        gone = [t["id"] for t in (*tools[2:5], *news[::2])] + ["c4"]
        version = at_once.version
        at_once.remove(gone)
        assert at_once.version == version + 1
        for item in gone:
            by_one.remove(item)
        assert_equal_models(at_once, by_one)


def test_a_trained_model_takes_new_tools_as_one_that_is_moved_to_their_catalogue():
    model, traces, _ = planted.planted_model()
    assert model.fit(traces, config=TrainingConfig(epochs=2, batch_size=64, lr=3e-3), force=True).accepted
    d = model.dimension
    news = [{"id": f"new{i}", "text": f"new word{i}", "embedding": unit(np.random.default_rng(i), d)} for i in range(5)]
    tools, capabilities = model.catalog.records()
    moved = SHGAT.from_bytes(model.to_bytes(), catalog=Catalog.from_records([*tools, *news], capabilities))
    model.index()
    model.add_tools(news)
    x = np.random.default_rng(9).standard_normal((5, d)).astype(np.float32)
    for texts in (None, ["new word3"] * 5):
        np.testing.assert_allclose(model.score(x, texts=texts), moved.score(x, texts=texts), rtol=2e-4, atol=2e-4)


def test_of_many_tools_all_come_or_none_and_every_fault_is_named():
    model = trained()
    version, state = model.version, model.state
    e = np.ones(16, np.float32)
    with pytest.raises(CatalogError) as caught:
        model.add_tools([{"id": "ok", "embedding": e}, {"id": "t1", "embedding": e}, {"id": "n"}, {"id": "ok", "embedding": e * 0}])
    assert caught.value.faults == [
        "the id 't1' is taken",
        "the id 'ok' is taken",
        "tool 'n' has no embedding",
        "the embedding of tool 'ok' is zero everywhere",
    ]
    with pytest.raises(InputError, match="unknown tool or capability 'x'"):
        model.remove(["t1", "x"])
    with pytest.raises(InputError, match="tools are a list of records"):
        model.add_tools({"id": "ok", "embedding": e})
    model.add_tools([])
    model.remove([])
    assert "ok" not in model.catalog.tool_column
    model.add_tool({"id": "ok", "embedding": e})
    with pytest.raises(CatalogError, match="'ok' is taken"):
        model.add_tool({"id": "ok", "embedding": e})
    with pytest.raises(CatalogError, match="'ok' is taken"):
        model.add_capability({"id": "ok", "embedding": e})
    assert len(state.catalog.tools) == 14
    assert model.version > version


def test_what_is_wrong_changes_nothing():
    model = trained(config=SHGATConfig(node_offsets=True))
    version, state = model.version, model.state
    e = np.ones(16, np.float32)
    wrong = [
        (model.add_tool, {"id": "t1", "embedding": e}, "'t1' is taken"),
        (model.add_tool, {"id": "c1", "embedding": e}, "'c1' is taken"),
        (model.add_tool, {"id": "n"}, "'n' has no embedding"),
        (model.add_tool, {"id": "n", "embedding": e[:9]}, r"'n' has shape \(9,\), expected \(16,\)"),
        (model.add_tool, {"id": "n", "embedding": e * np.nan}, "'n' holds NaN"),
        (model.add_tool, {"id": "n", "embedding": e * 0}, "'n' is zero"),
        (model.add_capability, {"id": "c1", "embedding": e}, "'c1' is taken"),
        (model.add_capability, {"id": "n", "embedding": e, "tools": ["x"]}, "unknown tool 'x'"),
        (model.add_capability, {"id": "n", "embedding": e, "capabilities": ["n"]}, "cycle: 'n' -> 'n'"),
        (model.add_capability, {"id": "n"}, "no embedding"),
        (model.remove, "x", "unknown tool or capability 'x'"),
        (model.set_cooccurrence, [("t1", "x", 1.0)], "'x'"),
        (model.import_params, {"headParams": []}, "headParams"),
    ]
    for change, argument, message in wrong:
        with pytest.raises(InputError, match=message):
            change(argument)
    assert (model.version, model.state) == (version, state)


def test_a_write_to_the_parameters_counts_after_invalidate():
    model = SHGAT.from_catalog(catalog())
    x = unit(np.random.default_rng(0), 16)
    before = model.score(x)
    model.params["w_intent"][:] *= -1
    np.testing.assert_array_equal(model.score(x), before)
    model.invalidate()
    np.testing.assert_allclose(model.score(x), -before, rtol=1e-5, atol=1e-6)


# ---------------------------------------------------------------- text as intent
def test_text_is_an_intent_where_its_encoder_is_known():
    rows = [{"id": "mail.send", "text": "Sends an email"}, {"id": "files.read", "text": "Reads a file"}]
    model = SHGAT.from_catalog(features.embedded(Catalog.from_records(rows)))
    expected = model.rank(model.encoder.encode(["read the file"])[0], text="read the file")
    found = model.rank("read the file")
    assert (found.ids, found.ids[0]) == (expected.ids, "files.read")
    assert model.why_not("read the file", "mail.send").above[0][0] == "files.read"
    with pytest.raises(InputError, match="intent is zero"):
        model.rank("?!")
    with pytest.raises(InputError, match="not text: give what the catalogue's encoder makes of the text"):
        SHGAT.from_catalog(catalog()).rank("read the file")


# ---------------------------------------------------------------- teaching it
@pytest.mark.parametrize("name", ["fit", "partial_fit"])
def test_the_door_has_every_option_of_training(name):
    door, inner = inspect.signature(getattr(SHGAT, name)), inspect.signature(getattr(trainings, name))
    assert [*door.parameters][1:] == [*inner.parameters][1:]
    for key in [*inner.parameters][2:]:
        assert door.parameters[key].default == inner.parameters[key].default
        assert re.search(rf"^[a-z_, ]*\b{key}\b[a-z_, ]* : ", inspect.getdoc(getattr(SHGAT, name)), re.MULTILINE)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seed": -1}, "seed is a whole number of at least 0"),
        ({"seed": 1.5}, "seed is a whole number"),
        ({"epochs": 0}, "epochs is a whole number of at least 1"),
        ({"epochs": "3"}, "epochs is a whole number"),
        ({"batch_size": 0}, "batch_size is a whole number"),
        ({"lr": 0.0}, "lr lies in"),
        ({"config": {"epochs": 3}}, "config is a TrainingConfig, not dict"),
        ({"on_epoch": 7}, "int cannot be called"),
    ],
)
def test_what_no_training_can_mean_is_refused(options, message):
    model = SHGAT.from_catalog(catalog())
    rows = [{"id": f"r{i}", "tools": ["t1"], "embedding": np.ones(16)} for i in range(3)]
    for teach in (model.fit, model.partial_fit):
        with pytest.raises(InputError, match=message):
            teach(rows, **options)


@pytest.mark.parametrize("options", [{"message_passing": "yes"}, {"node_offsets": 1}, {"force": None}, {"checkpoint": 7},
                                     {"channels": "cosine"}, {"channels": []}, {"validation": None}])  # fmt: skip
def test_what_no_fit_can_mean_is_refused(options):
    with pytest.raises(InputError, match=next(iter(options))):
        SHGAT.from_catalog(catalog()).fit([{"id": "r", "tools": ["t1"], "embedding": np.ones(16)}], **options)


def test_it_learns_from_records_as_from_columns():
    one, other = SHGAT.from_catalog(catalog()), SHGAT.from_catalog(catalog())
    rng = np.random.default_rng(0)
    rows = [{"id": f"r{i}", "tools": [f"t{i % 12}"], "embedding": unit(rng, 16)} for i in range(24)]
    one.partial_fit(rows, epochs=2)
    other.partial_fit(Traces.from_records(rows, other.catalog), epochs=2)
    np.testing.assert_array_equal(one.params.buffer, other.params.buffer)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SHGAT.from_catalog("folder"), "catalog is a Catalog, not str"),
        (lambda: SHGAT.from_catalog(catalog(), {"n_heads": 2}), "config is an SHGATConfig, not dict"),
        (lambda: SHGAT.from_catalog(catalog(), seed=-1), "seed is a whole number of at least 0"),
    ],
)
def test_what_makes_no_model_is_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()


# ---------------------------------------------------------------- from many threads
def changes(rng):
    """What to do to a model, in order."""
    steps = []
    for i in range(30):
        e, m = unit(rng, 16), unit(rng, 16)
        steps.append(lambda model, i=i, e=e: model.add_tool({"id": f"new{i}", "embedding": e}))
        capability = {"id": f"cap{i}", "embedding": m, "tools": [f"new{i}", "t3"], "capabilities": ["c0"]}
        steps.append(lambda model, capability=capability: model.add_capability(capability))
        steps.append(lambda model: model.invalidate())
        if i % 3 == 1:
            steps.append(lambda model, i=i: model.remove(f"new{i - 1}"))
            steps.append(lambda model, i=i: model.remove(f"cap{i - 1}"))
        if i % 7 == 3:
            steps.append(lambda model, i=i: model.set_cooccurrence(pairs() if i % 2 else []))
    return steps


def ask(model, x):
    ranking = model.rank(x, 6, explain=True)
    return ranking.model_version, ranking.ids, ranking.scores.tobytes(), ranking.explanations


def beside(work, *tasks):
    """Runs `work` while a thread for each of the tasks repeats it, and once more after it: what each task gave."""
    done, answers, errors = threading.Event(), [[] for _ in tasks], []

    def repeat(task, heard):
        try:
            while not done.is_set():
                heard.append(task())
            heard.append(task())
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=repeat, args=pair) for pair in zip(tasks, answers, strict=True)]
    for thread in threads:
        thread.start()
    try:
        work()
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert not errors
    return answers


def change(model, steps):
    for step in steps:
        step(model)


@pytest.mark.parametrize("config", [SHGATConfig(), SHGATConfig(node_offsets=True, similarity="dot")], ids=["default", "offsets"])
def test_answers_beside_changes_are_those_of_a_replay(config):
    rng = np.random.default_rng(0)
    intents, steps = [unit(rng, 16) for _ in range(8)], changes(rng)
    model, replay = trained(config=config), trained(config=config)
    answers = beside(lambda: change(model, steps), *[lambda x=x: ask(model, x) for x in intents])
    expected = {replay.version: [ask(replay, x) for x in intents]}
    for step in steps:
        step(replay)
        expected[replay.version] = [ask(replay, x) for x in intents]
    for n, heard in enumerate(answers):
        versions = [a[0] for a in heard]
        assert versions == sorted(versions)
        assert versions[-1] == replay.version
        for answer in heard:
            assert answer == expected[answer[0]][n]


def test_what_is_saved_beside_changes_is_one_version(tmp_path):
    config, path = SHGATConfig(node_offsets=True), tmp_path / "model.safetensors"
    steps = changes(np.random.default_rng(0))[:60]
    model, replay = trained(config=config), trained(config=config)

    def saved():
        model.save(path)
        return path.read_bytes()

    contents = beside(lambda: change(model, steps), model.to_bytes, model.to_bytes, saved)
    place = {replay.to_bytes(): 0}
    for n, step in enumerate(steps, 1):
        step(replay)
        place.setdefault(replay.to_bytes(), n)
    for written in contents:
        places = [place[content] for content in written]  # every one is some version, whole
        assert places == sorted(places)
    for content in set().union(*contents):
        again = SHGAT.from_bytes(content)
        assert len(again.params["tool_offsets"]) == len(again.catalog.tool_embeddings) == len(again.tool_ids)
        assert len(again.params["capability_offsets"]) == len(again.catalog.capability_embeddings) == len(again.capability_ids)


def test_a_model_that_was_changed_while_it_was_trained_keeps_both():
    model = SHGAT.from_catalog(catalog())
    rng = np.random.default_rng(0)
    rows = [{"id": f"r{i}", "tools": [f"t{i % 12}"], "embedding": unit(rng, 16)} for i in range(24)]
    traces = Traces.from_records(rows, model.catalog)

    def in_the_middle(epoch):
        if epoch.number == 1 and "new" not in model.tool_ids:
            model.add_tool({"id": "new", "embedding": unit(rng, 16)})
            model.remove("t0")
            model.set_cooccurrence(pairs()[1:3])

    report = model.fit(traces, epochs=1, force=True, on_epoch=in_the_middle)
    assert report.accepted
    assert model.tool_ids == [*(f"t{i}" for i in range(1, 14)), "new"]
    assert model.learned is not None
    assert model.state.cooccurrence.incidence.nnz == 2
    assert "new" in model.rank(unit(rng, 16), 14).ids


@pytest.mark.parametrize("make", [copy.copy, copy.deepcopy, lambda m: copy.deepcopy({"a": [m]})["a"][0]])
def test_a_copy_is_a_model_of_its_own(make):
    model, x = trained(), unit(np.random.default_rng(0), 16)
    twin, before = make(model), model.score(x)
    np.testing.assert_array_equal(twin.score(x), before)
    twin.params.buffer[:] *= 0.5
    twin.invalidate()
    twin.remove("t1")
    np.testing.assert_array_equal(model.score(x), before)
    assert "t1" in model.tool_ids


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_is_refused_with_what_to_do_instead(protocol):
    with pytest.raises(ShgatError, match=r"to_bytes\(\).*SHGAT\.from_bytes"):
        pickle.dumps({"model": trained()}, protocol)


# ---------------------------------------------------------------- over another catalogue
def test_a_model_over_another_catalogue_is_one_of_its_own():
    model = trained()
    x = unit(np.random.default_rng(0), 16)
    before = model.score(x)
    less = model.catalog.without("t3")
    moved = model.over(less)
    assert moved.tool_ids == [i for i in model.tool_ids if i != "t3"]
    assert moved.catalog is less
    np.testing.assert_array_equal(model.score(x), before)
    with pytest.raises(CatalogError, match="8 dimensions"):
        model.over(Catalog.from_records([{"id": "a", "embedding": np.ones(8)}]))
