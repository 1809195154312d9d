"""Are features sound? Each check is a figure beside a limit."""

import math
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from .._check import number
from .._types import Float32, Float64
from .capability import CapabilityFeatures

_EMBEDDINGS = ("text_embedding", "n2v_embedding", "hybrid_embedding")
_NUMBERS = (
    "tool_count", "capability_count", "parent_count", "level", "avg_execution_time_ms", "success_rate", "usage_count_1d",
    "usage_count_7d", "usage_count_30d", "pagerank_score", "clustering_coefficient", "computed_at",
)  # fmt: skip
_SHOWN = 5  # items of a finding
_BLOCK = 1024  # rows compared at a time
HOUR = 3600.0  # seconds


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Attributes
    ----------
    norm_tolerance : of the length of an embedding from 1
    min_variance : of unit vectors in all, 1 - |mean|^2, below which they have collapsed into one direction
    max_age_hours : since they were computed
    max_missing : share of the capabilities without an embedding
    near_duplicate : cosine of two tools, above which they can hardly be told apart
    """

    norm_tolerance: float = 0.01
    min_variance: float = 0.01
    max_age_hours: float = 24.0
    max_missing: float = 0.05
    near_duplicate: float = 0.98

    def __post_init__(self) -> None:
        for field in fields(self):
            number(getattr(self, field.name), 0.0, 1e9, f"limits: {field.name}")


@dataclass(frozen=True)
class Finding:
    """One check.

    Attributes
    ----------
    check, of : what was looked at, and of what
    value, limit : figures as they are compared, None where there was nothing to look at
    ok : is the limit kept?
    fault : does it matter where it is not? Duplicates are only worth a look
    items : up to five that do not keep it
    """

    check: str
    of: str
    value: float | None
    limit: float | None
    ok: bool
    fault: bool = True
    items: tuple[str, ...] = ()


@dataclass(frozen=True)
class Report:
    """What was found.

    Attributes
    ----------
    findings : one a check
    """

    findings: tuple[Finding, ...]

    @property
    def faults(self) -> tuple[Finding, ...]:
        """What does not keep a limit that matters."""
        return tuple(f for f in self.findings if f.fault and not f.ok)

    @property
    def ok(self) -> bool:
        return not self.faults

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {"ok": self.ok, "findings": [asdict(f) for f in self.findings]}


def validate(
    features: Sequence[CapabilityFeatures],
    capabilities: Collection[str],
    *,
    dimension: int,
    n2v_dimension: int,
    now: float,
    limits: Limits | None = None,
    alone: Collection[str] = (),
) -> Report:
    """Checks dimensions, numbers, lengths, variance, age, coverage and duplicates.

    Parameters
    ----------
    capabilities : ids of all that should have features
    dimension, n2v_dimension : of the embeddings
    now : seconds since 1970
    alone : ids of capabilities without members and parents, which have no n2v_embedding
    """
    limits = limits or Limits()
    findings: list[Finding] = []
    for name in _EMBEDDINGS:
        rows = {f.capability_id: v for f in features if (v := getattr(f, name)) is not None}
        expected = n2v_dimension if name == "n2v_embedding" else dimension
        wrong = [key for key, v in rows.items() if v.shape != (expected,)]
        lengths = {len(rows[key]) for key in wrong}
        value = float(lengths.pop() if lengths else expected)
        findings.append(Finding("dimension", name, value, float(expected), not wrong, items=_some(wrong)))
        right = {key: v for key, v in rows.items() if v.shape == (expected,)}
        findings += embeddings(list(right), np.array(list(right.values()), np.float32).reshape(-1, expected), name, limits)
        should = [key for key in capabilities if name != "n2v_embedding" or key not in alone]
        missing = [key for key in should if key not in rows]
        share = len(missing) / len(should) if should else 0.0
        findings.append(Finding("missing", name, share, limits.max_missing, share <= limits.max_missing, items=_some(missing)))
    broken = [f.capability_id for f in features if not all(_is_number(getattr(f, name)) for name in _NUMBERS)]
    findings.append(Finding("not a number", "figures", float(len(broken)), 0.0, not broken, items=_some(broken)))
    ages = {f.capability_id: (now - f.computed_at) / HOUR for f in features if math.isfinite(f.computed_at)}
    old = [key for key, age in ages.items() if age > limits.max_age_hours]
    oldest = max(ages.values(), default=None)
    findings.append(Finding("age in hours", "features", oldest, limits.max_age_hours, not old, items=_some(old)))
    return Report(tuple(findings))


def embeddings(ids: Sequence[str], rows: Float32, of: str, limits: Limits | None = None) -> list[Finding]:
    """Checks (n, d) embeddings: NaN, lengths, variance, and rows that are the same."""
    limits = limits or Limits()
    finite = np.isfinite(rows).all(axis=1)
    broken = [ids[i] for i in np.flatnonzero(~finite).tolist()]
    found = [Finding("not a number", of, float(len(broken)), 0.0, not broken, items=_some(broken))]
    sound, names = rows[finite].astype(np.float64), [ids[i] for i in np.flatnonzero(finite).tolist()]
    off = np.abs(np.linalg.norm(sound, axis=1) - 1.0)
    long = [names[i] for i in np.flatnonzero(off > limits.norm_tolerance).tolist()]
    worst = float(off.max()) if len(off) else None
    found.append(Finding("length from 1", of, worst, limits.norm_tolerance, not long, items=_some(long)))
    spread = variance(sound) if len(sound) > 1 else None
    found.append(Finding("variance", of, spread, limits.min_variance, spread is None or spread >= limits.min_variance))
    groups: dict[bytes, list[str]] = {}
    for key, row in zip(names, rows[finite], strict=True):
        groups.setdefault(row.tobytes(), []).append(key)
    same = [" = ".join(group[:_SHOWN]) for group in groups.values() if len(group) > 1]
    found.append(Finding("duplicates", of, float(len(same)), 0.0, not same, False, _some(same)))
    return found


def variance(rows: Float64) -> float:
    """Of the unit vectors of (n, d) rows, over all dimensions: the mean of |u - mean u|^2, from 0 (one direction) to 1."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    u = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)
    return float(((u - u.mean(axis=0)) ** 2).sum(axis=1).mean())


def near_duplicates(ids: Sequence[str], rows: Float32, limits: Limits | None = None, of: str = "tools") -> Finding:
    """Pairs of different (n, d) rows whose cosine lies above the limit, compared block by block."""
    limits = limits or Limits()
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    u = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)
    n, closest, pairs = 0, None, list[str]()
    for start in range(0, len(u), _BLOCK):
        cosines = u[start : start + _BLOCK] @ u.T
        cosines[np.tril_indices(len(cosines), start, len(u))] = -1.0  # itself, and pairs that were seen
        if len(u) > 1:
            closest = max(-1.0 if closest is None else closest, float(cosines.max()))
        a, b = np.nonzero(cosines > limits.near_duplicate)
        n += len(a)
        pairs += [f"{ids[start + i]} ~ {ids[j]}" for i, j in zip(a[:_SHOWN].tolist(), b[:_SHOWN].tolist(), strict=True)]
    return Finding("near duplicates", of, closest, limits.near_duplicate, n == 0, False, _some(pairs))


def _some(items: Sequence[str]) -> tuple[str, ...]:
    return tuple(items[:_SHOWN])


def _is_number(value: float | None) -> bool:
    return value is None or math.isfinite(value)
