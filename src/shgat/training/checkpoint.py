"""The state of a training between two epochs, in one file: after a kill it goes on from there, bit for bit.

Checksums say that a file is whole, not who wrote it: what is in it is checked against the training that is to go on.
"""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from .. import _check
from .._files import write_atomically
from .._json import none_for_not_finite
from ..errors import ModelFileError
from ..model.params import Params
from ..model.tensor_file import Tensors, pack, read, unpack
from .trainer import Epoch, Progress, Trainer
from .validation import Score

_MOST = 10**9  # epochs and steps


class Checkpoint:
    """Finished stages and the one under way.

    Parameters
    ----------
    identity : what the training is of; a file of another training is refused
    keep : leave the file where it is once the training is over
    """

    def __init__(self, path: Path, identity: dict[str, Any], keep: bool = False) -> None:
        self._path, self._identity, self._keep = path, identity, keep
        self._stages: dict[str, tuple[Tensors, dict[str, Any]]] = {}

    @classmethod
    def open(cls, path: Path, identity: dict[str, Any], resume: bool, keep: bool = False) -> "Checkpoint":
        """A checkpoint at `path`; with `resume` its content is read if it is there, without it the file is replaced at the first save."""
        checkpoint = cls(path, identity, keep)
        if resume and path.exists():
            tensors, manifest = unpack(read(path), str(path))
            saved = manifest.get("identity")
            for name, value in identity.items():
                if not isinstance(saved, Mapping) or saved.get(name) != value:
                    raise ModelFileError(f"{path} is a checkpoint of another training: its {name} is not this one's")
            try:
                for i, stage in enumerate(manifest["stages"]):
                    own = {key.split("/", 1)[1]: array for key, array in tensors.items() if key.startswith(f"{i}/")}
                    checkpoint._stages[_check.text(stage["name"], "the name of a stage")] = (own, stage)
            except Exception as error:  # whatever a foreign manifest makes the code raise that takes it apart
                raise checkpoint._fault("its stages", error) from None
        return checkpoint

    def save(self, stage: str, progress: Progress) -> None:
        """Keeps the state of a stage, beside the results of the stages before it."""
        self._stages[stage] = _state(stage, progress)
        self.write()

    def write(self) -> None:
        """Brings the file up to date."""
        tensors = {f"{i}/{key}": a for i, (own, _) in enumerate(self._stages.values()) for key, a in own.items()}
        manifest = {"identity": self._identity, "stages": [described for _, described in self._stages.values()]}
        write_atomically(self._path, pack(tensors, manifest))

    def restore(self, stage: str, trainer: Trainer) -> None:
        """Puts the saved state of a stage into the trainer's progress, if there is one.

        Raises
        ------
        ModelFileError
            where it is no state of such a training; nothing has changed then.
        """
        if stage in self._stages:
            try:
                _restore(*self._stages[stage], trainer)
            except Exception as error:
                raise self._fault(stage, error) from None

    def finish(self, stage: str, results: Tensors, history: list[Epoch]) -> None:
        """A stage is over: from now on its results stand in the place of its state, which is many times as large."""
        self._stages[stage] = (
            results,
            {"name": stage, "finished": True, "history": [none_for_not_finite(asdict(e)) for e in history]},
        )

    def has_finished(self, stage: str) -> bool:
        """Is the stage over?"""
        return "finished" in self._stages.get(stage, ({}, {}))[1]

    def finished(self, stage: str, shapes: Mapping[str, tuple[int, ...]]) -> tuple[Tensors, list[Epoch]] | None:
        """What `finish` was given, None where the stage is not over. `shapes` are those of its results, which are float32.

        Raises
        ------
        ModelFileError
            where the file holds something else.
        """
        results, described = self._stages.get(stage, ({}, {}))
        if "finished" not in described:
            return None
        try:
            found = {name: _floats(results, name, shape, np.float32) for name, shape in shapes.items()}
            return found, [_epoch(e) for e in described["history"]]
        except Exception as error:
            raise self._fault(stage, error) from None

    def done(self) -> None:
        """The training is over: removes the file, unless it is to be kept."""
        if not self._keep:
            self._path.unlink(missing_ok=True)

    def _fault(self, stage: str, error: Exception) -> ModelFileError:
        what = f"it has no {error}" if isinstance(error, KeyError) else str(error)
        return ModelFileError(f"{self._path} is no checkpoint of this training: {_check.brief(stage)}: {what}")


def _state(stage: str, p: Progress) -> tuple[Tensors, dict[str, Any]]:
    tensors: Tensors = {
        "params": p.params.buffer.copy(), "m": p.optimizer.m.copy(), "v": p.optimizer.v.copy(), "td": p.td.copy(),
        "losses": np.array(p.losses, np.float64),
    }  # fmt: skip
    if p.best is not None:
        tensors["best"] = p.best.buffer.copy()
    if p.best_score is not None:
        tensors["best_rows"] = p.best_score.rows
    if p.replay is not None:
        tensors["replay"] = p.replay.tree.copy()
    described = {
        "name": stage,
        "step_count": p.optimizer.step_count,
        "epoch": p.epoch,
        "best_epoch": p.best_epoch,
        "best_metrics": None if p.best_score is None else p.best_score.metrics,
        "best_hit": None if p.best_score is None or np.isnan(p.best_score.hit_at_1) else p.best_score.hit_at_1,
        "history": [none_for_not_finite(asdict(e)) for e in p.history],
        "group_norms": p.group_norms,
        "accuracy": p.accuracy,
        "stopped": p.stopped,
        "rng": orjson.dumps(_as_text(p.rng.bit_generator.state)).decode(),
    }
    return tensors, described


def _restore(tensors: Tensors, described: dict[str, Any], trainer: Trainer) -> None:
    """Everything is read first, and put in place then."""
    p, held = trainer.progress, trainer.held
    size = p.params.buffer.shape
    params, m, v = (_floats(tensors, name, size, np.float32) for name in ("params", "m", "v"))
    td = _floats(tensors, "td", p.td.shape, np.float32, nan=True)
    losses = _floats(tensors, "losses", tensors["losses"].shape, np.float64, nan=True)
    best = Params(p.params.layout, _floats(tensors, "best", size, np.float32).copy()) if "best" in tensors else None
    score = None
    if "best_rows" in tensors:
        hit = described["best_hit"]
        rows = _floats(tensors, "best_rows", (0 if held is None else len(held.rows),), np.float64, nan=True)
        score = Score(
            rows, _metrics(described["best_metrics"]), float("nan") if hit is None else _check.number(hit, 0, 1, "best_hit")
        )
    tree = None if p.replay is None else _tree(tensors, p.replay.tree, len(p.replay))
    steps, epoch, best_epoch = (_whole(described[name], name) for name in ("step_count", "epoch", "best_epoch"))
    history, stopped = [_epoch(e) for e in described["history"]], described["stopped"]
    norms = [{name: _check.number(n[name], 0, np.inf, "group_norms") for name in trainer.groups} for n in described["group_norms"]]
    accuracy = _check.number(described["accuracy"], 0, 1, "accuracy")
    if not isinstance(stopped, str) or len(history) != epoch or len(norms) != epoch:
        raise ValueError(f"{epoch} epochs with {len(history)} reports")
    rng = np.random.default_rng()
    rng.bit_generator.state = _as_numbers(orjson.loads(described["rng"]))
    p.params.buffer[:], p.optimizer.m[:], p.optimizer.v[:], p.optimizer.step_count = params, m, np.abs(v), steps
    p.td[:], p.losses, p.best, p.best_score = td, losses.reshape(-1).tolist(), best, score
    if p.replay is not None and tree is not None:
        p.replay.tree[:] = tree
    p.epoch, p.best_epoch, p.history, p.group_norms, p.accuracy, p.stopped = epoch, best_epoch, history, norms, accuracy, stopped
    p.rng.bit_generator.state = rng.bit_generator.state


def _floats(tensors: Tensors, name: str, shape: tuple[int, ...], dtype: npt.DTypeLike, nan: bool = False) -> npt.NDArray[Any]:
    array = tensors[name]
    if array.dtype != dtype or array.shape != shape:
        raise ValueError(f"{name} is {array.dtype} {array.shape}, expected {np.dtype(dtype)} {shape}")
    if np.isinf(array).any() or (not nan and np.isnan(array).any()):
        raise ValueError(f"{name} is not finite")
    return array


def _tree(tensors: Tensors, own: npt.NDArray[np.float64], n: int) -> npt.NDArray[np.float64]:
    """A sum tree in which every sum is right, so that every draw ends at one of the first n leaves."""
    tree = _floats(tensors, "replay", own.shape, np.float64)
    leaves, nodes = len(tree) // 2, np.arange(1, len(tree) // 2)
    sums = np.allclose(tree[nodes], tree[2 * nodes] + tree[2 * nodes + 1], rtol=1e-9, atol=0.0)
    if not sums or (tree < 0.0).any() or not (tree[leaves : leaves + n] > 0.0).all() or tree[leaves + n :].any():
        raise ValueError("replay holds no priorities")
    return tree


def _whole(value: object, name: str) -> int:
    if type(value) is not int or not 0 <= value <= _MOST:
        raise ValueError(f"{name} is a whole number, not {_check.brief(value)}")
    return value


def _metrics(values: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    return {
        _check.text(part, "part"): {_check.text(name, "metric"): _figure(value, name) for name, value in metrics.items()}
        for part, metrics in values.items()
    }


def _figure(value: object, name: str) -> float:
    """A number that may be NaN, which JSON writes as null."""
    return float("nan") if value is None else _check.number(value, -np.inf, np.inf, name)


def _epoch(values: Mapping[str, Any]) -> Epoch:
    checked: dict[str, Any] = {name: _whole(values[name], name) for name in ("number", "of", "run", "runs")}
    checked |= {name: _figure(values[name], name) for name in ("loss", "lr", "gradient_norm", "value", "seconds")}
    if not isinstance(values["stage"], str):
        raise ValueError("the stage of an epoch is its name")
    return Epoch(**checked, stage=values["stage"], validation=_metrics(values["validation"]))


def _as_text(value: Any) -> Any:
    """PCG64's state has integers of 128 bits, which JSON libraries do not take."""
    if isinstance(value, dict):
        return {key: _as_text(item) for key, item in value.items()}
    return f"#{value}" if isinstance(value, int) else value


def _as_numbers(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _as_numbers(item) for key, item in value.items()}
    return int(value[1:]) if isinstance(value, str) and value.startswith("#") else value
