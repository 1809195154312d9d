"""A training that is killed and goes on gives the same bits; a checkpoint of anything else is refused and not touched."""

import dataclasses
import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import special_files
from shgat import SHGAT, ModelFileError, Traces, TrainingConfig
from shgat.model.tensor_file import pack, unpack
from shgat.traces.columns import Texts
from training import planted

CONFIG = TrainingConfig(epochs=2, batch_size=64, lr=3e-3)


class Stop(Exception):  # noqa: N818
    pass


def stop_after(n):
    seen = []

    def on_epoch(epoch):
        seen.append(epoch)
        if len(seen) == n:
            raise Stop

    return on_epoch


def kill_and_resume(folder, replay, kills, rng):
    """The final output, after `kills` children were killed at a random epoch and moment."""
    command = [sys.executable, str(Path(__file__).with_name("killed.py")), str(folder / "checkpoint"), str(folder / "out"), replay]
    for _ in range(kills):
        child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        for _ in range(rng.randint(1, 6)):
            if not child.stdout.readline():
                break
        time.sleep(rng.uniform(0.0, 0.03))
        child.kill()
        child.wait()
        child.stdout.close()
    subprocess.run(command, check=True, capture_output=True)
    return (folder / "out").read_bytes()


@pytest.mark.parametrize(("replay", "kills"), [("prioritized", 3), pytest.param("shuffle", 12, marks=pytest.mark.slow)])
def test_killed_trainings_give_the_same_bits(tmp_path, replay, kills):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    whole.mkdir()
    broken.mkdir()
    expected = kill_and_resume(whole, replay, 0, random.Random(0))
    assert kill_and_resume(broken, replay, kills, random.Random(1)) == expected
    assert sorted(p.name for p in broken.iterdir() if not p.name.startswith(".")) == ["out"]  # the checkpoint is gone at the end


@pytest.mark.parametrize("epochs", [1, 2, 3, 7, 12])
def test_interrupted_anywhere_it_goes_on_to_the_same_bits(tmp_path, epochs):
    (a, traces, _), (b, _, _), (c, _, _) = (planted.planted_model(n_traces=120, n_tools=12) for _ in range(3))
    whole = a.fit(traces, config=CONFIG)
    file = tmp_path / "checkpoint"
    before = b.params.buffer.tobytes()
    with pytest.raises(Stop):
        b.fit(traces, config=CONFIG, checkpoint=file, on_epoch=stop_after(epochs))
    assert b.params.buffer.tobytes() == before
    seen = []
    resumed = c.fit(traces, config=CONFIG, checkpoint=file, resume=True, on_epoch=seen.append)
    assert len(seen) == len(whole.epochs) - epochs
    assert c.params.buffer.tobytes() == a.params.buffer.tobytes()
    assert (resumed.losses, resumed.td_errors, resumed.weights) == (whole.losses, whole.td_errors, whole.weights)
    assert resumed.comparisons == whole.comparisons
    assert [repr((e.stage, e.loss, e.value)) for e in resumed.epochs] == [repr((e.stage, e.loss, e.value)) for e in whole.epochs]
    assert not file.exists()


def interrupted(tmp_path):
    model, traces, _ = planted.planted_model(n_traces=120, n_tools=12)
    file = tmp_path / "checkpoint"
    with pytest.raises(Stop):
        model.fit(traces, config=CONFIG, checkpoint=file, on_epoch=stop_after(3))
    return model, traces, file


def others(model, traces):
    """(what is different, model, traces, options)"""
    catalog = model.catalog
    elsewhere, records, _ = planted.rotated(np.random.default_rng(5), n_traces=120, n_tools=14)
    yield "another catalogue", SHGAT.from_catalog(elsewhere), Traces.from_records(records, elsewhere), {}
    moved = dataclasses.replace(catalog, tool_embeddings=catalog.tool_embeddings[::-1].copy())
    yield "other embeddings", SHGAT.from_catalog(moved), traces, {}
    moved = dataclasses.replace(catalog, capability_embeddings=-catalog.capability_embeddings)
    yield "other capability embeddings", SHGAT.from_catalog(moved), traces, {}
    mixed = SHGAT.from_catalog(catalog)
    mixed.set_cooccurrence([("t0", "t1", 1.0)])
    yield "co-occurrence", mixed, traces, {}
    yield "fewer traces", model, traces.take(range(100)), {}
    for name, array in (("outcome", traces.outcome * 0.9), ("weight", traces.weight * 2), ("intents", traces.intents[::-1].copy()),
                        ("timestamp", np.arange(120.0)), ("context", traces.tools), ("texts", Texts(["?"] * 120))):  # fmt: skip
        yield f"other {name}", model, dataclasses.replace(traces, **{name: array}), {}
    yield "another seed", model, traces, {"seed": 1}
    yield "another learning rate", model, traces, {"lr": 1e-3}
    yield "no validation", model, traces, {"validation": "none"}
    yield "another choice", model, traces, {"message_passing": True}


def test_a_checkpoint_of_another_training_is_refused_and_kept(tmp_path):
    model, traces, file = interrupted(tmp_path)
    data, before = file.read_bytes(), model.params.buffer.tobytes()
    for what, other, given, options in others(model, traces):
        with pytest.raises(ModelFileError, match="checkpoint of another training"):
            other.fit(given, config=CONFIG, checkpoint=file, resume=True, **options)
        assert file.read_bytes() == data, what
    assert model.params.buffer.tobytes() == before
    assert model.fit(traces, config=CONFIG, checkpoint=file, resume=True).accepted


def test_a_torn_or_altered_checkpoint_is_refused_and_kept(tmp_path):
    model, traces, file = interrupted(tmp_path)
    data, before = file.read_bytes(), model.params.buffer.tobytes()
    rng = np.random.default_rng(0)
    flipped = [bytearray(data) for _ in range(8)]
    for copy, at in zip(flipped, rng.integers(0, len(data), 8).tolist(), strict=True):
        copy[at] ^= 1 << int(rng.integers(8))
    for wrong in (b"", b"{}", data[:-1], data[: len(data) // 2], data[:7], data + b"x", b"\0" * len(data), *map(bytes, flipped)):
        file.write_bytes(wrong)
        with pytest.raises(ModelFileError, match="checkpoint"):
            model.fit(traces, config=CONFIG, checkpoint=file, resume=True)
        assert file.read_bytes() == wrong
    assert model.params.buffer.tobytes() == before
    file.write_bytes(data)
    assert model.fit(traces, config=CONFIG, checkpoint=file, resume=True).accepted


@pytest.fixture(scope="module")
def half(tmp_path_factory):
    """A model, its traces, and the file of a training of it that has finished a stage and begun another."""
    model, traces, file = interrupted(tmp_path_factory.mktemp("half"))
    return model, traces, file.read_bytes()


FIELDS = {
    "name": [None, 7, ["x"]],
    "step_count": [-1, 1.5, True, "3", None, 2**62],
    "epoch": [-1, 0, 2**40, "1", None],
    "best_epoch": [None, -1, 0.5],
    "best_metrics": [[], {"all": 1}, {"all": {"hit@1": "x"}}, None],
    "best_hit": ["x", 2, []],
    "history": [None, {}, [], [{}], ["x"], 3],
    "group_norms": [None, [{}], [], [{"W": "x"}]],
    "accuracy": [None, "x", 2],
    "stopped": [None, 0, ["x"]],
    "rng": [
        "",
        "{}",
        "null",
        7,
        '{"bit_generator": "MT19937"}',
        '{"bit_generator": "PCG64", "state": {"state": "#x", "inc": "#1"}}',
    ],
}


@pytest.mark.parametrize(("field", "value"), [(name, value) for name, values in FIELDS.items() for value in values], ids=repr)
def test_a_checkpoint_with_right_checksums_and_wrong_numbers(half, tmp_path, field, value):
    model, traces, data = half
    tensors, manifest = unpack(data, "c")
    stages = manifest["stages"]
    assert [("finished" in stage) for stage in stages] == [True, False]
    stages[1][field] = value
    if field in ("name", "history"):
        stages[0][field] = value
    (tmp_path / "c").write_bytes(pack(tensors, {"identity": manifest["identity"], "stages": stages}))
    with pytest.raises(ModelFileError, match="no checkpoint of this training"):
        model.fit(traces, config=CONFIG, checkpoint=tmp_path / "c", resume=True)


CHANGES = {
    "one for all": lambda a: a.reshape(-1)[:1],  # which NumPy would spread over the whole
    "one less": lambda a: a[..., :-1],
    "an axis more": lambda a: a[None],
    "integers": lambda a: np.zeros(a.shape, np.int64),
    "infinity": lambda a: np.full_like(a, np.inf),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", ["0/tools", "0/capabilities", "1/params", "1/m", "1/v", "1/td", "1/best", "1/best_rows"])
def test_a_checkpoint_with_right_checksums_and_wrong_arrays(half, tmp_path, name, change):
    model, traces, data = half
    tensors, manifest = unpack(data, "c")
    tensors[name] = np.ascontiguousarray(CHANGES[change](tensors[name]))
    (tmp_path / "c").write_bytes(pack(tensors, {"identity": manifest["identity"], "stages": manifest["stages"]}))
    with pytest.raises(ModelFileError, match="no checkpoint of this training"):
        model.fit(traces, config=CONFIG, checkpoint=tmp_path / "c", resume=True)


@pytest.mark.parametrize("stages", [None, 7, {}, {"a": 1}, ["x"], [{}], [[]]])
def test_a_checkpoint_whose_stages_are_none(half, tmp_path, stages):
    model, traces, data = half
    tensors, manifest = unpack(data, "c")
    (tmp_path / "c").write_bytes(pack(tensors, {"identity": manifest["identity"], "stages": stages}))
    if stages == {}:  # no stage has begun
        assert model.fit(traces, config=CONFIG, checkpoint=tmp_path / "c", resume=True).accepted
        return
    with pytest.raises(ModelFileError, match="no checkpoint of this training"):
        model.fit(traces, config=CONFIG, checkpoint=tmp_path / "c", resume=True)


@pytest.mark.parametrize("tree", [np.zeros(64), np.ones(64), np.arange(64.0), -np.ones(64)])
def test_priorities_that_do_not_add_up_are_refused(tmp_path, tree):
    config = dataclasses.replace(CONFIG, replay="prioritized")
    model, traces, _ = planted.planted_model(n_traces=120, n_tools=12)
    file = tmp_path / "checkpoint"
    with pytest.raises(Stop):
        model.fit(traces, config=config, checkpoint=file, on_epoch=stop_after(1))
    tensors, manifest = unpack(file.read_bytes(), "c")
    (name,) = [name for name in tensors if name.endswith("replay")]
    tensors[name] = np.resize(tree, tensors[name].shape)
    file.write_bytes(pack(tensors, {"identity": manifest["identity"], "stages": manifest["stages"]}))
    with pytest.raises(ModelFileError, match="replay holds no priorities"):
        model.fit(traces, config=config, checkpoint=file, resume=True)


@pytest.mark.parametrize("name", [name for name in special_files.NAMES if name != "link to itself"])
def test_what_is_no_file_is_refused_at_once(tmp_path, name):
    model, traces, _ = planted.planted_model(n_traces=120, n_tools=12)
    with pytest.raises(ModelFileError, match="cannot read"):
        model.fit(traces, config=CONFIG, checkpoint=special_files.make(tmp_path, name, "c"), resume=True)


def test_a_model_is_no_checkpoint(tmp_path):
    model, traces, _ = planted.planted_model(n_traces=120, n_tools=12)
    model.save(tmp_path / "checkpoint")
    with pytest.raises(ModelFileError, match="checkpoint of another training"):
        model.fit(traces, config=CONFIG, checkpoint=tmp_path / "checkpoint", resume=True)


def test_files_that_cannot_be_read_or_written(tmp_path):
    model, traces, _ = planted.planted_model(n_traces=120, n_tools=12)
    before = model.params.buffer.tobytes()
    with pytest.raises(ModelFileError, match="cannot read"):
        model.fit(traces, config=CONFIG, checkpoint=tmp_path, resume=True)
    with pytest.raises(ValueError, match="cannot write"):
        model.fit(traces, config=CONFIG, checkpoint=tmp_path / "no" / "such" / "folder")
    assert model.params.buffer.tobytes() == before


def test_a_kept_checkpoint_gives_the_same_model_again_at_once(tmp_path):
    (a, traces, _), (b, _, _) = (planted.planted_model(n_traces=120, n_tools=12) for _ in range(2))
    file = tmp_path / "checkpoint"
    first = a.fit(traces, config=CONFIG, checkpoint=file, keep_checkpoint=True)
    assert file.exists()
    seen = []
    again = b.fit(traces, config=CONFIG, checkpoint=file, resume=True, on_epoch=seen.append)
    assert seen == []
    assert a.params.buffer.tobytes() == b.params.buffer.tobytes()
    assert (first.comparisons, first.trials, first.td_errors) == (again.comparisons, again.trials, again.td_errors)
    assert not file.exists()


def test_resume_without_a_file_begins(tmp_path):
    model, traces, _ = planted.planted_model(n_traces=120, n_tools=12)
    assert model.fit(traces, config=CONFIG, checkpoint=tmp_path / "new", resume=True).accepted


def test_a_refused_training_leaves_no_checkpoint(tmp_path):
    of, records, _ = planted.rotated(np.random.default_rng(2), n_traces=120, n_tools=12, rotation=np.eye(16), noise=0.0)
    report = SHGAT.from_catalog(of).fit(Traces.from_records(records, of), config=CONFIG, checkpoint=tmp_path / "c")
    assert not report.accepted
    assert not (tmp_path / "c").exists()  # the training is over: nothing is left to go on with
