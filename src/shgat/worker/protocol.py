"""The messages of a training child: one JSON job in, one JSON line out.

    job     capabilities[{id, embedding, toolsUsed, successRate?, uses?, children?, parents?, origin?}], toolEmbeddings?{id: [..]},
            existingParams?; or modelPath (a model file); or storeUrl (catalogue, newest model and traces of a store)
            examples[{intentEmbedding, contextTools?, candidateId?, toolsUsed?, outcome, negativeCapIds?, traceId?, intent?}]
            or examplesPath (traces as JSON lines, embeddings in the .npy beside them)
            config?{epochs, batchSize, learningRate, temperature, usePER, useCurriculum, fromScratch, seed, maxTraces}
            paramsPath?  where to write the trained model; without it the parameters come back inline
    result  success, finalLoss, finalAccuracy, params | paramsPath, tdErrors and traceIds (aligned with the examples),
            accepted (were the trained parameters kept?), changed (or the memory at least?), reason, seconds,
            healthCheck{baselineAccuracy, bestAccuracy, finalAccuracy, degradationDetected, earlyStopEpoch}
            or success = false and error

A path under /dev/shm is shared memory: arrays of any size travel by such a file and never as JSON.
"""

import math
import resource
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from .. import _check
from .._json import refuse_not_finite
from ..errors import InputError

MAX_BYTES = 256 << 20  # of one message
MAX_ITEMS = 1_000_000  # capabilities, or examples
PARSED = 24  # bytes of memory that parsing takes, at the most, for a byte of JSON
_JOB = {
    "capabilities", "toolEmbeddings", "existingParams", "modelPath", "storeUrl", "examples", "examplesPath", "config", "paramsPath",
}  # fmt: skip
_CAPABILITY = {"id", "embedding", "toolsUsed", "successRate", "uses", "children", "parents", "text", "origin"}
_EXAMPLE = {
    "intentEmbedding", "contextTools", "candidateId", "toolsUsed", "outcome", "negativeCapIds", "traceId", "intent", "timestamp",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class JobConfig:
    """How to train.

    Attributes
    ----------
    epochs, batch_size : passes over the examples, examples a step; None: as `TrainingConfig` has it for the occasion
    learning_rate : peak, None: the same
    temperature : of the softmax over cosines, (first, last); None: learned
    use_per, use_curriculum : prioritised replay, negatives that grow harder
    from_scratch : learn anew from these traces alone and choose channel weights, where many are given; otherwise go on
    seed : of everything random
    max_traces : traces taken from a store, the most urgent ones
    """

    epochs: int | None = None
    batch_size: int | None = None
    learning_rate: float | None = None
    temperature: tuple[float, float] | None = None
    use_per: bool = False
    use_curriculum: bool = False
    from_scratch: bool = False
    seed: int = 0
    max_traces: int = 500


@dataclass(frozen=True, eq=False, kw_only=True)
class Job:
    """A job whose shape is checked; what its ids and numbers mean is checked where they are used."""

    config: JobConfig
    capabilities: list[Mapping[str, Any]] | None = None
    tool_embeddings: Mapping[str, Any] = field(default_factory=dict)
    existing_params: Mapping[str, Any] | None = None
    model_path: str | None = None
    store_url: str | None = None
    examples: list[Mapping[str, Any]] | None = None
    examples_path: str | None = None
    params_path: str | None = None


def _room() -> float:
    """Bytes of address space that the process may still take."""
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit == resource.RLIM_INFINITY:
        return math.inf
    return limit - int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def parse(message: bytes) -> Job:
    """The job of one message.

    Raises
    ------
    InputError
        for anything that is no such job: what was expected, and where.
    MemoryError
        where the process's limit leaves too little room for the message; the parser itself would crash there.
    """
    if len(message) > MAX_BYTES:
        raise InputError(f"the job has more than {MAX_BYTES} bytes; send large arrays by file")
    if len(message) * PARSED > _room():
        raise MemoryError
    try:
        value = orjson.loads(message)
    except orjson.JSONDecodeError as error:
        raise InputError(f"the job is not JSON: {error}") from None
    job = _record(value, _JOB, "the job")
    sources = [name for name in ("capabilities", "modelPath", "storeUrl") if job.get(name) is not None]
    if len(sources) != 1:
        raise InputError(f"a job has exactly one of capabilities, modelPath and storeUrl, not {sources or 'none'}")
    given = [name for name in ("examples", "examplesPath") if job.get(name) is not None]
    if len(given) != (sources[0] != "storeUrl"):
        raise InputError(f"a job has exactly one of examples and examplesPath, and none with storeUrl, not {given or 'none'}")
    for name in ("toolEmbeddings", "existingParams"):
        if job.get(name) is not None and sources[0] != "capabilities":
            raise InputError(f"{name} goes with capabilities, not with {sources[0]}")
    return Job(
        config=_config(job.get("config", {})),
        capabilities=_records(job, "capabilities", _CAPABILITY, ("id", "embedding", "toolsUsed")),
        tool_embeddings=_mapping(job.get("toolEmbeddings", {}), "toolEmbeddings"),
        existing_params=_mapping(job["existingParams"], "existingParams") if job.get("existingParams") is not None else None,
        examples=_records(job, "examples", _EXAMPLE, ("intentEmbedding", "outcome")),
        **{key: _path(job, name) for key, name in _PATHS.items()},
    )


_PATHS = {"model_path": "modelPath", "store_url": "storeUrl", "examples_path": "examplesPath", "params_path": "paramsPath"}


def dump(result: Mapping[str, Any]) -> bytes:
    """One line; a number that JSON does not have is an InputError that says where."""
    refuse_not_finite(
        result, "result", ("params", "existingParams")
    )  # those are checked where they were exported, and where they arrive
    return orjson.dumps(result) + b"\n"


def failure(error: BaseException) -> bytes:
    """The line that says what went wrong."""
    if isinstance(error, MemoryError):
        text = "out of memory: raise the memory limit, or train on fewer traces"
    else:
        text = " ".join(str(error).split()) or type(error).__name__
        text = text if isinstance(error, (InputError, OSError)) else f"{type(error).__name__}: {text}"
    return orjson.dumps({"success": False, "error": text[:2000].encode(errors="replace").decode()}) + b"\n"


def _config(value: object) -> JobConfig:
    names = {"epochs", "batchSize", "learningRate", "temperature", "usePER", "useCurriculum", "fromScratch", "seed", "maxTraces"}
    config = _record(value, names, "config")
    chosen: dict[str, Any] = {}
    for name, key, most in (
        ("epochs", "epochs", 10_000),
        ("batchSize", "batch_size", 1 << 20),
        ("maxTraces", "max_traces", MAX_ITEMS),
    ):
        if name in config:
            chosen[key] = _check.positive_integer(config[name], f"config.{name}")
            _check.number(chosen[key], 1, most, f"config.{name}")
    if "learningRate" in config:
        chosen["learning_rate"] = _check.number(config["learningRate"], 1e-8, 1.0, "config.learningRate")
    if "temperature" in config:
        given = config["temperature"]
        pair = given if isinstance(given, list) else [given, given]
        if len(pair) != 2:
            raise InputError(f"config.temperature is a number or [first, last], not {_check.brief(given)}")
        chosen["temperature"] = tuple(_check.number(t, 1e-3, 1e3, "config.temperature") for t in pair)
    for name, key in (("usePER", "use_per"), ("useCurriculum", "use_curriculum"), ("fromScratch", "from_scratch")):
        if not isinstance(config.get(name, False), bool):
            raise InputError(f"config.{name} is true or false, not {_check.brief(config[name])}")
        chosen[key] = config.get(name, False)
    if "seed" in config:
        seed = config["seed"]
        if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**63:
            raise InputError(f"config.seed is a whole number of at least 0, not {_check.brief(seed)}")
        chosen["seed"] = seed
    return JobConfig(**chosen)


def _records(job: Mapping[str, Any], name: str, known: set[str], needed: tuple[str, ...]) -> list[Mapping[str, Any]] | None:
    value = job.get(name)
    if value is None:
        return None
    if not isinstance(value, list) or not 0 < len(value) <= MAX_ITEMS:
        raise InputError(f"{name} is a list of 1 to {MAX_ITEMS} records, not {_brief(value)}")
    records = [_record(item, known, f"{name}[{i}]") for i, item in enumerate(value)]
    for i, record in enumerate(records):
        missing = [key for key in needed if record.get(key) is None]
        if missing:
            raise InputError(f"{name}[{i}] has no {missing[0]}")
    return records


def _record(value: object, known: set[str], what: str) -> Mapping[str, Any]:
    record = _mapping(value, what)
    unknown = sorted(key for key in record if key not in known)
    if unknown:
        raise InputError(f"{what} has the unknown field {_check.brief(unknown[0])}")
    return record


def _mapping(value: object, what: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise InputError(f"{what} is an object, not {_brief(value)}")
    return value


def _path(job: Mapping[str, Any], name: str) -> str | None:
    value = job.get(name)
    return None if value is None else _check.text(value, name)


def _brief(value: object) -> str:
    return f"a list of {len(value)}" if isinstance(value, list) else _check.brief(value)
