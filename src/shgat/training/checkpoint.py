"""The state of a training between two epochs, in one file: after a kill it goes on from there, bit for bit."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from .._files import write_atomically
from .._json import none_for_not_finite
from ..errors import ModelFileError
from ..model.model_file import Tensors, pack, unpack
from ..model.params import Params
from .trainer import Epoch, Progress
from .validation import Score


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
            try:
                data = path.read_bytes()
            except OSError as error:
                raise ModelFileError(f"cannot read {path}: {error.strerror or error}") from None
            tensors, manifest = unpack(data, str(path))
            for name, value in identity.items():
                if manifest.get("identity", {}).get(name) != value:
                    raise ModelFileError(f"{path} is a checkpoint of another training: its {name} is not this one's")
            for i, stage in enumerate(manifest["stages"]):
                own = {key.split("/", 1)[1]: array for key, array in tensors.items() if key.startswith(f"{i}/")}
                checkpoint._stages[stage["name"]] = (own, stage)
        return checkpoint

    def save(self, stage: str, progress: Progress) -> None:
        """Keeps the state of a stage, beside the results of the stages before it."""
        self._stages[stage] = _state(stage, progress)
        tensors = {f"{i}/{key}": a for i, (own, _) in enumerate(self._stages.values()) for key, a in own.items()}
        manifest = {"identity": self._identity, "stages": [described for _, described in self._stages.values()]}
        write_atomically(self._path, pack(tensors, manifest))

    def restore(self, stage: str, progress: Progress) -> None:
        """Puts the saved state of a stage into `progress`, if there is one."""
        if stage in self._stages:
            _restore(*self._stages[stage], progress)

    def finish(self, stage: str, results: Tensors, history: list[Epoch]) -> None:
        """A stage is over: from now on its results stand in the place of its state, which is many times as large."""
        self._stages[stage] = (
            results,
            {"name": stage, "finished": True, "history": [none_for_not_finite(asdict(e)) for e in history]},
        )

    def finished(self, stage: str) -> tuple[Tensors, list[Epoch]] | None:
        """What `finish` was given, None where the stage is not over."""
        results, described = self._stages.get(stage, ({}, {}))
        return (results, [_epoch(e) for e in described["history"]]) if "finished" in described else None

    def done(self) -> None:
        """The training is over: removes the file, unless it is to be kept."""
        if not self._keep:
            self._path.unlink(missing_ok=True)


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


def _restore(tensors: Tensors, described: dict[str, Any], p: Progress) -> None:
    p.params.buffer[:] = tensors["params"]
    p.optimizer.m[:], p.optimizer.v[:] = tensors["m"], tensors["v"]
    p.optimizer.step_count = described["step_count"]
    p.td[:] = tensors["td"]
    p.losses = tensors["losses"].tolist()
    if "best" in tensors:
        p.best = Params(p.params.layout, tensors["best"].copy())
    if "best_rows" in tensors:
        hit = described["best_hit"]
        p.best_score = Score(tensors["best_rows"], described["best_metrics"], float("nan") if hit is None else hit)
    if p.replay is not None:
        p.replay.tree[:] = tensors["replay"]
    p.epoch, p.best_epoch = described["epoch"], described["best_epoch"]
    p.history = [_epoch(e) for e in described["history"]]
    p.group_norms, p.accuracy, p.stopped = described["group_norms"], described["accuracy"], described["stopped"]
    p.rng.bit_generator.state = _as_numbers(orjson.loads(described["rng"]))


def _epoch(values: dict[str, Any]) -> Epoch:
    filled: dict[str, Any] = {k: float("nan") if v is None else v for k, v in values.items()}
    return Epoch(**filled)


def _as_text(value: Any) -> Any:
    """PCG64's state has integers of 128 bits, which JSON libraries do not take."""
    if isinstance(value, dict):
        return {key: _as_text(item) for key, item in value.items()}
    return f"#{value}" if isinstance(value, int) else value


def _as_numbers(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _as_numbers(item) for key, item in value.items()}
    return int(value[1:]) if isinstance(value, str) and value.startswith("#") else value
