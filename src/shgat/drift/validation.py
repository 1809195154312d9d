"""Is what came in fit to be learned from? Each check is a figure beside a limit, with what to do where it is not kept."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

import numpy as np

from .._check import number
from .._json import none_for_not_finite
from ..errors import TraceError
from ..features import validation as features_of
from ..graph import Catalog
from ..traces import Trace
from .report import Report as DriftReport
from .window import DAY, Window

Status = Literal["ok", "warn", "fail"]
_SHOWN = 5  # items of a message


@dataclass(frozen=True, kw_only=True)
class DataLimits:
    """Attributes
    ----------
    least : traces with an embedding
    min_variance : of the unit vectors of all intents, as in `shgat.features.validation.Limits`
    max_missing : share of the traces without an embedding
    max_broken : share of the records that are no trace
    max_unknown : share of the traces that name a tool which the catalogue does not have
    max_repeated : share of the traces that repeat an intent of the same principal on the same day
    max_age_hours : of the latest trace
    """

    least: int = 30
    min_variance: float = 0.01
    max_missing: float = 0.05
    max_broken: float = 0.0
    max_unknown: float = 0.05
    max_repeated: float = 0.5
    max_age_hours: float = 48.0

    def __post_init__(self) -> None:
        for field in fields(self):
            number(getattr(self, field.name), 0.0, 1e9, f"limits: {field.name}")


@dataclass(frozen=True)
class Check:
    """One check.

    Attributes
    ----------
    name : what was looked at
    status : "ok", "warn" where it is worth a look, "fail" where nothing may be learned from it
    value, limit : figures as they are compared; None where there was nothing to look at
    message : what was found, one sentence
    remedy : what to do, "" where nothing is wrong
    """

    name: str
    status: Status
    value: float | None
    limit: float | None
    message: str
    remedy: str = ""


@dataclass(frozen=True)
class Report:
    """What was found.

    Attributes
    ----------
    checks : one each
    """

    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Does no check fail? Warnings pass."""
        return all(c.status != "fail" for c in self.checks)

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        found: dict[str, Any] = none_for_not_finite({"passed": self.passed, "checks": [asdict(c) for c in self.checks]})
        return found


def validate(
    records: Sequence[Trace | Mapping[str, Any]],
    *,
    dimension: int,
    now: float,
    catalog: Catalog | None = None,
    features: features_of.Report | None = None,
    drift: DriftReport | None = None,
    limits: DataLimits | None = None,
) -> Report:
    """Checks schema, dimensions, numbers, collapse, duplicates, age, coverage, features and drift of traces.

    Parameters
    ----------
    records : traces, or mappings with the fields of `Trace`, which are checked here
    dimension : of their embeddings
    now : seconds since 1970
    catalog : whose tools they should name
    features : what `shgat.features.validation.validate` found of the features, to stand in the same report
    drift : what `compared` found of the traces; drift is worth a look, since training anew is what helps against it, and another encoder is a
        failure, since embeddings of two encoders cannot be learned from together
    """
    limits = limits or DataLimits()
    traces, broken = _read(records)
    embedded = [t for t in traces if t.embedding is not None]
    right = [t for t in embedded if t.embedding is not None and t.embedding.shape == (dimension,)]
    wrong = [t.id for t in embedded if t.embedding is None or t.embedding.shape != (dimension,)]
    checks = [
        _share("schema", len(broken), len(records), limits.max_broken, "records are no traces", broken, "mend or remove them"),
        _count(len(right), limits.least),
        _share("dimension", len(wrong), len(embedded), 0.0, f"embeddings do not have {dimension} dimensions", wrong, "embed them anew"),
        _share(
            "missing", len(traces) - len(embedded), len(traces), limits.max_missing, "traces have no embedding",
            [t.id for t in traces if t.embedding is None], "embed their texts",
        ),
        *_vectors(right, limits),
        _age(traces, now, limits.max_age_hours),
    ]  # fmt: skip
    if catalog is not None:
        known = catalog.tool_column
        strange = [t.id for t in traces if any(tool not in known for tool in t.tools)]
        said = "traces name a tool that the catalogue does not have"
        checks.append(
            _share("unknown tools", len(strange), len(traces), limits.max_unknown, said, strange, "bring the catalogue up to date")
        )
    checks += _features(features) + _drift(drift)
    return Report(tuple(checks))


def _read(records: Sequence[Trace | Mapping[str, Any]]) -> tuple[list[Trace], list[str]]:
    """Traces, and what is wrong with the records that are none: NaN and infinity among it."""
    traces, broken = list[Trace](), list[str]()
    for i, record in enumerate(records):
        try:
            traces.append(Trace.from_record(record))
        except TraceError as error:
            broken.append(f"record {i}: {error}")
    return traces, broken


def _share(
    name: str, n: int, of: int, limit: float, said: str, items: Sequence[str], remedy: str, status: Status = "fail"
) -> Check:
    value = n / of if of else 0.0
    if value <= limit:
        return Check(name, "ok", value, limit, f"{n} of {of} {said}")
    return Check(name, status, value, limit, f"{n} of {of} {said}: {'; '.join(items[:_SHOWN])}", remedy)


def _count(n: int, least: int) -> Check:
    few = n < least
    return Check(
        "enough", "fail" if few else "ok", float(n), float(least), f"{n} traces can be used", "wait for more" if few else ""
    )


def _vectors(traces: Sequence[Trace], limits: DataLimits) -> list[Check]:
    """Numbers, collapse and repetitions."""
    if not traces:
        return []
    window = Window.of_traces(traces, burst=DAY)
    rows = np.stack([t.embedding for t in traces if t.embedding is not None])
    found = {f.check: f for f in features_of.embeddings([t.id for t in traces], rows, "intents")}
    nan = found["not a number"]
    items = [] if nan.ok else list(nan.items)
    checks = [
        _share("not a number", int(nan.value or 0), len(rows), 0.0, "embeddings hold NaN or infinity", items, "embed them anew")
    ]
    spread = features_of.variance(window.intents.astype(np.float64)) if nan.ok and len(window) > 1 else None
    bad = spread is not None and spread < limits.min_variance
    said = "there is nothing to compare" if spread is None else f"the variance of the intents is {spread:.3g}"
    remedy = "look at the encoder: all intents point into one direction" if bad else ""
    checks.append(Check("collapse", "fail" if bad else "ok", spread, limits.min_variance, said, remedy))
    why = "traces repeat an intent of the same principal on the same day"
    checks.append(
        _share(
            "repeated",
            window.repeated,
            len(rows),
            limits.max_repeated,
            why,
            ["they count once in tests of drift"],
            "look who repeats it",
            "warn",
        )
    )
    return checks


def _age(traces: Sequence[Trace], now: float, limit: float) -> Check:
    times = [t.timestamp for t in traces if t.timestamp is not None]
    if not times:
        return Check("staleness", "warn", None, limit, "no trace has a time", "give traces a time stamp")
    hours = (now - max(times)) / features_of.HOUR
    old = hours > limit
    remedy = "look whether feedback still reaches the store" if old else ""
    return Check("staleness", "fail" if old else "ok", hours, limit, f"the latest trace is {hours:.1f} hours old", remedy)


def _features(found: features_of.Report | None) -> list[Check]:
    checks = []
    for f in () if found is None else found.findings:
        status: Status = "ok" if f.ok else "fail" if f.fault else "warn"
        said = f"{f.check} of {f.of}" + (f": {', '.join(f.items)}" if f.items else "")
        checks.append(
            Check(f"features: {f.check} of {f.of}", status, f.value, f.limit, said, "" if f.ok else "shgat features build")
        )
    return checks


def _drift(found: DriftReport | None) -> list[Check]:
    checks = []
    for t in () if found is None else found.tests:
        moved = t.status == "drift"
        status: Status = "ok" if not moved else "fail" if t.name == "encoder" else "warn"
        items = f": {', '.join(t.items)}" if moved and t.items else ""
        remedy = (
            ""
            if not moved
            else "embed catalogue and traces by one encoder"
            if t.name == "encoder"
            else "train anew, and look at what changed"
        )
        checks.append(Check(f"drift: {t.name}", status, t.value, t.limit, f"{t.message}{items}", remedy))
    return checks
