"""SHGAT in the loop: warm from batch to batch, once each, killed anywhere, within the quota, and every byte is looked at."""

import shutil

import numpy as np
import pytest

from shgat import SHGAT
from shgat.errors import CorruptError, QuotaError
from shgat.progressive.disk import Disk
from shgat.progressive.generator import Plan, make
from shgat.progressive.layout import Layout
from shgat.progressive.ledger import Ledger
from shgat.progressive.register import BatchTrainer, Register, load, model_path, place, registered, verify
from shgat.worker.parent import Child
from workspaces import lines_of, loop_of, sound


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    folder = tmp_path_factory.mktemp("repos")
    return [make(folder / f"{i}.git", Plan(seed=i, commits=n, adversarial=False)).path for i, n in ((1, 90), (2, 20))]


@pytest.fixture(scope="module")
def child():
    with Child() as child:
        yield child


@pytest.fixture(scope="module")
def learned(two, child, tmp_path_factory):
    """A workspace that has learned from both, a batch each, and what was told."""
    layout, told = Layout(tmp_path_factory.mktemp("ws")), []
    trainer = BatchTrainer(layout, 10**9, child, on_learned=lambda unit, what: told.append(what))
    loop_of(layout.root, batch_size=1, train=trainer).run(lines_of(*two))
    return layout, told


def test_it_learns_of_each_batch_once_and_its_parameters_fit_everywhere(learned, two, child):
    layout, told = learned
    register = registered(layout)
    assert (register.through, register.trained, len(told)) == (2, 1, 2)
    assert told[1] == "too short to be learned from"
    model = load(layout, register)
    assert len(model.catalog.tools) == 1
    assert model_path(layout, register).stat().st_size == register.bytes
    assert [p.name for p in place(layout).glob("*.safetensors")] == [f"{register.model}.safetensors"]
    if register.accepted:
        assert not np.array_equal(model.params["w_q"], SHGAT.from_catalog(model.catalog).params["w_q"])
    assert verify(layout) == []
    sound(layout.root)
    loop_of(layout.root, batch_size=1, train=BatchTrainer(layout, 10**9, child)).run(lines_of(*two))
    assert registered(layout) == register  # there was nothing new


def test_what_it_learned_does_not_depend_on_when_the_ledger_was_archived(learned, two, child, tmp_path):
    layout, _ = learned
    other = Layout(tmp_path / "ws")
    loop_of(other.root).run(lines_of(*two))  # archived before anything learns
    BatchTrainer(other, 10**9, child)(Ledger(other), [])
    assert registered(other) == registered(layout)


def test_killed_before_the_register_it_learns_the_batch_again(learned, two, child, tmp_path):
    layout, _ = learned

    class Killed(BaseException):
        pass

    def step(name):
        if name == "replace register.json":
            raise Killed

    other = Layout(tmp_path / "ws")
    loop_of(other.root).run(lines_of(*two))
    with pytest.raises(Killed):
        BatchTrainer(other, 10**9, child, Disk(step))(Ledger(other), [])
    assert registered(other) == Register()
    assert verify(other) == []
    BatchTrainer(other, 10**9, child)(Ledger(other), [])
    assert registered(other) == registered(layout)


def test_a_model_without_room_stays_away_and_the_register_where_it_was(two, child, tmp_path):
    layout = Layout(tmp_path / "ws")
    loop_of(layout.root).run(lines_of(*two))
    with pytest.raises(QuotaError, match="kernel would need"):
        BatchTrainer(layout, 20_000_000, child)(Ledger(layout), [])
    assert registered(layout) == Register()


def test_a_training_that_fails_is_passed_over(two, tmp_path):
    layout, told = Layout(tmp_path / "ws"), []
    with Child(timeout=0.01) as hurried:
        trainer = BatchTrainer(layout, 10**9, hurried, on_learned=lambda unit, what: told.append(what))
        assert loop_of(layout.root, train=trainer).run(lines_of(*two)).status == "done"
    assert told[0].startswith("passed over: ")
    assert registered(layout) == Register(through=2)


@pytest.mark.parametrize("name", ["register.json", "model"])
def test_every_byte_is_looked_at(learned, tmp_path, name):
    layout = Layout(tmp_path / "ws")
    shutil.copytree(learned[0].root, layout.root)
    path = place(layout) / name if name != "model" else model_path(layout, registered(layout))
    whole = path.read_bytes()
    for at in range(0, len(whole) - 1, max(1, len(whole) // 40)):
        data = bytearray(whole)
        data[at] ^= 1
        path.write_bytes(data)
        (fault,) = verify(layout)
        assert "not what was written" in fault.what
    if name == "model":
        with pytest.raises(CorruptError, match="learns everything anew"):
            load(layout, registered(layout))
