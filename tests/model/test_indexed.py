"""A model with neighbours: the same answers as without, through every change, and what happens to a damaged file."""

import copy
import subprocess
import sys
import threading

import numpy as np
import pytest

from shgat import SHGAT, Catalog, InputError, SHGATConfig, Tool
from shgat.model import neighbours

RNG = np.random.default_rng(0)
N, D = 2000, 24
CENTRES = RNG.standard_normal((40, D))
ROWS = (CENTRES[RNG.integers(0, 40, N)] + 0.6 * RNG.standard_normal((N, D))).astype(np.float32)
INTENTS = (CENTRES[RNG.integers(0, 40, 30)] + 0.6 * RNG.standard_normal((30, D))).astype(np.float32)


def catalog(n=N):
    tools = [Tool(f"t{i}", f"tool {i}", "", ROWS[i]) for i in range(n)]
    edges = [
        {"id": f"c{i}", "tools": [f"t{j}" for j in RNG.integers(0, n, 5).tolist()], "embedding": RNG.standard_normal(D)}
        for i in range(5)
    ]
    return Catalog.from_records(tools, edges)


CATALOG = catalog()


@pytest.fixture
def both():
    """The same model with neighbours and without."""
    model, plain = SHGAT.from_catalog(CATALOG), SHGAT.from_catalog(CATALOG)
    model.build_neighbours(threads=1)
    return model, plain


def agreement(model, plain, **how):
    """Share of the ten best that both name; what both name has the same score."""
    shared = 0
    for x in INTENTS:
        found, all_of_it = model.rank(x, 10, **how), plain.rank(x, 10, **how)
        assert len(found) == len(all_of_it)
        scored = dict(all_of_it)
        for key, value in found:
            if key in scored:
                assert value == pytest.approx(scored[key], rel=1e-4, abs=1e-4)
        shared += len(set(found.ids) & set(all_of_it.ids)) / max(1, len(all_of_it))
    return shared / len(INTENTS)


def asked_the_graph(model):
    q = ROWS[0] / np.linalg.norm(ROWS[0])
    found = model.index().neighbours
    return found is not None and found.candidates(q, 10, None) is not None


@pytest.mark.parametrize(
    "how", [{}, {"context_tools": ["t3", "t4"]}, {"text": "tool 7"}, {"candidates": ["t9", "t1"]}, {"kind": "capabilities"}]
)
def test_answers_are_those_of_scoring_everything(both, how):
    model, plain = both
    assert asked_the_graph(model)
    assert agreement(model, plain, **how) >= 0.99


def test_words_beside_embeddings_are_in_the_keys():
    model, plain = (SHGAT.from_catalog(CATALOG, SHGATConfig(words=True)) for _ in range(2))
    model.build_neighbours(threads=1)
    assert agreement(model, plain, text="tool 7") >= 0.99


def test_filters_leave_as_many_as_there_are(both, monkeypatch):
    monkeypatch.setattr(neighbours, "FEW", 10)
    model, plain = both
    half = [f"t{i}" for i in range(0, N, 2)]
    assert agreement(model, plain, candidates=half) >= 0.99
    assert len(model.rank(INTENTS[0], 900, candidates=half)) == 900


def test_tools_come_and_go(both):
    model, plain = both
    for m in both:
        m.add_tools([Tool(f"n{i}", "", "", x + np.float32(0.01)) for i, x in enumerate(INTENTS)])
    assert [model.rank(x, 1).ids[0] for x in INTENTS] == [f"n{i}" for i in range(30)]
    assert model.neighbours_stats() == {"known": N, "loose": 30, "trouble": ""}
    gone = [plain.rank(x, 1).ids[0] for x in INTENTS[:9]] + [plain.rank(x, 2).ids[1] for x in INTENTS[:9]]
    for m in both:
        m.remove(sorted(set(gone)))
    assert asked_the_graph(model)
    assert agreement(model, plain) >= 0.99
    assert not set(gone) & {key for x in INTENTS for key in model.rank(x, 30).ids}


def test_where_too_many_are_loose_the_graph_is_made_anew_beside_the_answers(both):
    model, plain = both
    new = [Tool(f"n{i}", "", "", x) for i, x in enumerate(RNG.standard_normal((400, D)).astype(np.float32))]
    for m in both:
        m.add_tools(new)
    assert agreement(model, plain) == 1.0
    thread = model._renewing
    if thread is not None:
        thread.join()
    assert model.neighbours_stats() == {"known": N + 400, "loose": 0, "trouble": ""}
    assert agreement(model, plain) >= 0.99


def test_copies_and_moved_models_share_the_graph(both):
    model, plain = both
    for other in (copy.copy(model), model.over(catalog(1900))):
        assert asked_the_graph(other)
        assert other.index().neighbours.graph is model.index().neighbours.graph
    assert agreement(model.over(CATALOG.without("t1", "t2")), plain.over(CATALOG.without("t1", "t2"))) >= 0.99


def test_they_are_saved_beside_the_model_and_opened_with_it(both, tmp_path):
    model, plain = both
    model.save(tmp_path / "m.shgat")
    assert {p.name for p in tmp_path.iterdir()} == {"m.shgat", "m.shgat.neighbours"}
    loaded = SHGAT.load(tmp_path / "m.shgat")
    assert asked_the_graph(loaded)
    assert loaded.neighbours_stats()["trouble"] == ""
    for x in INTENTS:
        assert loaded.rank(x).ids == model.rank(x).ids
    plain.save(tmp_path / "m.shgat")
    assert {p.name for p in tmp_path.iterdir()} == {"m.shgat"}


def test_damaged_ones_are_named_made_anew_and_cost_no_answer(both, tmp_path, caplog):
    model, plain = both
    model.save(tmp_path / "m.shgat")
    beside = tmp_path / "m.shgat.neighbours"
    data = bytearray(beside.read_bytes())
    data[-len(data) // 3] ^= 8
    beside.write_bytes(data)
    loaded = SHGAT.load(tmp_path / "m.shgat")
    assert agreement(loaded, plain) >= 0.99
    assert "does not match its checksum" in caplog.text
    thread = loaded._renewing
    if thread is not None:
        thread.join()
    assert loaded.neighbours_stats() == {"known": N, "loose": 0, "trouble": ""}
    assert asked_the_graph(loaded)


def test_without_the_extra_all_tools_are_scored_and_the_extra_is_named(both, tmp_path):
    both[0].save(tmp_path / "m.shgat")
    script = (
        "import sys; sys.modules['usearch'] = None\n"
        "import numpy as np, shgat\n"
        "m = shgat.SHGAT.load(sys.argv[1])\n"
        "print(len(m.rank(np.ones(24, np.float32), 3)), m.neighbours_trouble)\n"
        "try: m.build_neighbours()\n"
        "except shgat.MissingExtraError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, tmp_path / "m.shgat"], capture_output=True, text=True, check=True)
    first, second = done.stdout.splitlines()
    assert first.startswith("3 usearch is not installed")
    assert ".[ann]" in second


def test_the_library_goes_with_that_of_the_encoders():
    """Some versions of usearch end a process that loads onnxruntime after them."""
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (extra embed)")
    script = "from shgat.model.neighbours import empty; print(len(empty(8))); import onnxruntime"
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)


def test_a_similarity_of_keys_that_have_lengths_is_refused():
    with pytest.raises(InputError, match="this model has 'dot'"):
        SHGAT.from_catalog(CATALOG, SHGATConfig(similarity="dot")).build_neighbours()


def test_threads_ask_while_tools_come_and_go(both):
    model, _ = both
    stop, wrong = threading.Event(), list[BaseException]()

    def ask():
        try:
            while not stop.is_set():
                for x in INTENTS:
                    assert len(model.rank(x, 10)) == 10
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for t in threads:
        t.start()
    for i in range(20):
        model.add_tool(Tool(f"m{i}", "", "", INTENTS[i]))
        assert model.rank(INTENTS[i], 1).ids == (f"m{i}",)
        if i % 5 == 4:
            model.remove(f"m{i}")
    stop.set()
    for t in threads:
        t.join()
    assert not wrong
