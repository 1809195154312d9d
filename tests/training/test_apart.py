"""Folds and variants in other processes: the same bits as here, whatever ends in the middle."""

import os
import signal
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from shgat import SHGAT, Traces
from shgat.executor import Processes
from shgat.training import Examples, TrainingConfig
from shgat.training.apart import Ground, Stage, held_out, predict
from shgat.training.checkpoint import Checkpoint
from shgat.training.selection import Variant
from training import planted


@pytest.fixture(scope="module")
def world():
    of, records, _ = planted.rotated(np.random.default_rng(3), n_tools=24, n_traces=240, d=16)
    return of, Traces.from_records(records, of)


@pytest.fixture(scope="module")
def executor():
    with Processes(2) as made:
        yield made


def fitted(world, executor=None, **options):
    of, traces = world
    model = SHGAT.from_catalog(of)
    report = model.fit(traces, epochs=2, lr=1e-2, seed=5, force=True, executor=executor, **options)
    return model, report


@pytest.fixture(scope="module")
def here(world):
    return fitted(world)


def assert_same(ours, theirs):
    (a, r), (b, s) = ours, theirs
    np.testing.assert_array_equal(a.params.buffer, b.params.buffer)
    assert a.learned.fusion == b.learned.fusion
    assert r.validation == s.validation
    assert r.trials == s.trials
    epochs = [[(e.stage, e.number, e.loss, repr(e.value), e.run) for e in report.epochs] for report in (r, s)]
    assert epochs[0] == epochs[1]
    assert list(r.seconds) == list(s.seconds)


def test_two_processes_give_the_bits_of_one_and_every_epoch_is_told_once(world, executor, here):
    told = []
    assert_same(fitted(world, executor, on_epoch=told.append), here)
    stages = [(e.stage, e.number) for e in told]
    assert sorted(stages) == sorted((e.stage, e.number) for e in here[1].epochs)


def test_a_process_that_is_killed_in_the_middle_changes_nothing(world, here):
    with Processes(2) as executor:
        killed = []

        def kill(epoch):
            if not killed:
                children = Path(f"/proc/self/task/{threading.main_thread().native_id}/children").read_text().split()
                workers = [int(pid) for pid in children if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]
                os.kill(workers[-1], signal.SIGKILL)
                killed.append(workers[-1])
                time.sleep(0.2)

        told = []
        assert_same(fitted(world, executor, on_epoch=lambda epoch: (told.append(epoch), kill(epoch))), here)
        assert killed
        assert len({(e.stage, e.number) for e in told}) == len(told)


def test_what_was_done_in_processes_is_in_the_checkpoint(world, executor, here, tmp_path):
    file = tmp_path / "c"
    assert_same(fitted(world, executor, checkpoint=file, keep_checkpoint=True), here)
    trained = []
    ours = fitted(world, executor, checkpoint=file, resume=True, on_epoch=trained.append)
    np.testing.assert_array_equal(ours[0].params.buffer, here[0].params.buffer)
    assert not trained
    assert not file.exists()


def test_a_stage_says_whether_it_is_over(tmp_path):
    kept = Checkpoint(tmp_path / "c", {})
    assert not kept.has_finished("plain, fold 1/3")
    kept.finish("plain, fold 1/3", {"tools": np.zeros((1, 1), np.float32)}, [])
    assert kept.has_finished("plain, fold 1/3")
    kept.write()
    assert Checkpoint.open(tmp_path / "c", {}, resume=True).has_finished("plain, fold 1/3")


def test_a_task_is_a_training_and_what_it_says_of_the_held_out(world):
    of, traces = world
    state = SHGAT.from_catalog(of).state
    settings = TrainingConfig.for_fit(len(traces), TrainingConfig(epochs=2))
    ground = Ground(Examples.build(of, traces), None, state.config, settings, 0, 3)
    rows, held, told = np.arange(200), np.arange(200, 240), []
    found = predict(ground, Stage("plain", 2, Variant(False, False), rows, held), told.append)
    assert found.tools.shape == (40, 24)
    assert [(e.stage, e.run, e.runs, e.number) for e in told] == [("plain", 2, 3, 1), ("plain", 2, 3, 2)]
    assert found.history == told
    part = held_out(of, traces, rows, held)
    assert part.traces.ids.tolist() == traces.ids[200:].tolist()
    assert not set(part.channels.memory.ids) & set(part.traces.ids.tolist())
