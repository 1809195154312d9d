"""A window against a reference: every test, and one statement over all of them."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from .._check import matrix, number, positive_integer
from .._json import none_for_not_finite
from .._types import Float64
from ..errors import InputError
from ..metrics.sequential import confidence_sequence
from .reference import Reference, binned, choices, coordinates, cosines
from .two_sample import benjamini_hochberg, discrepancy_test, holm, kolmogorov_smirnov, stability_test
from .window import Window

_SHOWN = 5  # items of a finding
_FOLKLORE = 0.2  # PSI that is called a large shift (Lewis, 1994)


@dataclass(frozen=True, kw_only=True)
class DriftConfig:
    """Attributes
    ----------
    alpha : probability that a report on an undrifted window says drift, at most
    least : executions below which a window is not tested
    least_of_tool : executions of a tool, in the reference and in the window, below which it is not tested
    n_resamples : permutations of each test that permutes
    directions : principal directions that are tested one by one
    sample : executions of each side that the test of the whole embedding compares
    probe_cosine : of a probe with itself, below which the encoder has changed
    """

    alpha: float = 0.01
    least: int = 30
    least_of_tool: int = 5
    n_resamples: int = 1999
    directions: int = 16
    sample: int = 300
    probe_cosine: float = 0.999

    def __post_init__(self) -> None:
        number(self.alpha, 1e-6, 0.5, "drift: alpha")
        number(self.probe_cosine, -1.0, 1.0, "drift: probe_cosine")
        for name in ("least", "least_of_tool", "n_resamples", "directions", "sample"):
            positive_integer(getattr(self, name), f"drift: {name}")
        if 5.0 / (1 + self.n_resamples) > self.alpha:  # five families: the least p-value, adjusted, could never reach alpha
            raise InputError(f"drift: {self.n_resamples} permutations cannot tell anything at alpha {self.alpha:g}: take more")


@dataclass(frozen=True)
class Test:
    """One family of tests.

    Attributes
    ----------
    name : directions, scores, mix, embedding, tools or encoder
    status : "ok", "drift" or "not enough"
    value, limit : figure, and what it is beside: that of chance for PSI, where one in twenty undrifted windows lies; None where there is none
    p, adjusted : p-value of the family, and Holm's over the families of the report; None where nothing is estimated
    items : what is behind it, up to five
    message : one sentence
    """

    __test__ = False  # of pytest

    name: str
    status: str
    value: float | None = None
    limit: float | None = None
    p: float | None = None
    adjusted: float | None = None
    items: tuple[str, ...] = ()
    message: str = ""


@dataclass(frozen=True)
class Report:
    """What was found.

    Attributes
    ----------
    tests : one a family
    alpha : probability that any of an undrifted window says drift, at most
    n, repeated : executions that count, and that were left out as repetitions
    """

    tests: tuple[Test, ...]
    alpha: float
    n: int
    repeated: int

    @property
    def drifted(self) -> bool:
        """Does any test say so?"""
        return any(t.status == "drift" for t in self.tests)

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        head = {"drifted": self.drifted, "alpha": self.alpha, "n": self.n, "repeated": self.repeated}
        found: dict[str, Any] = none_for_not_finite({**head, "tests": [asdict(t) for t in self.tests]})
        return found


def compared(
    reference: Reference,
    window: Window,
    rng: np.random.Generator,
    config: DriftConfig | None = None,
    *,
    probes: object = None,
) -> Report:
    """Every test of a window against the reference of the version that serves.

    Parameters
    ----------
    probes : (8, d) embeddings of `shgat.drift.reference.PROBES` by the encoder of today

    Raises
    ------
    InputError
        for intents of another dimension than the reference's, unless the encoder is another one: that is the finding.
    """
    config = config or DriftConfig()
    d = reference.mean.size
    encoder = _encoder(reference, window, config, probes)
    fits = len(window) == 0 or window.intents.shape[1] == d
    if not fits and encoder.status != "drift":
        raise InputError(f"the intents of the window have {window.intents.shape[1]} dimensions, those of the reference {d}")
    if len(window) < config.least or not fits:
        why = f"{len(window)} executions, at least {config.least} are needed" if fits else "another encoder, another space"
        names = ("directions", "scores", "mix", "embedding", "tools")
        tests = [Test(name, "not enough", message=why) for name in names]
        return Report((*tests, encoder), config.alpha, len(window), window.repeated)
    now = coordinates(window.intents, reference.mean, reference.directions)
    tests = [
        _directions(reference, now.astype(np.float64), config),
        _scores(reference, window, rng, config),
        _mix(reference, window, rng, config),
        _embedding(reference, now.astype(np.float64), rng, config),
        _tools(reference, window, config),
    ]
    return Report((*_decided(tests, config.alpha), encoder), config.alpha, len(window), window.repeated)


def _decided(tests: list[Test], alpha: float) -> list[Test]:
    """Holm's step over the families that have a p-value."""
    rows = [i for i, t in enumerate(tests) if t.p is not None]
    for i, p in zip(rows, holm(np.array([tests[i].p for i in rows], np.float64)).tolist(), strict=True):
        tests[i] = Test(**{**vars(tests[i]), "adjusted": p, "status": "drift" if p <= alpha else "ok"})
    return tests


def _directions(reference: Reference, now: Float64, config: DriftConfig) -> Test:
    then = reference.coordinates.astype(np.float64)
    tested = [*range(min(config.directions, then.shape[1] - 1)), then.shape[1] - 1]
    names = [f"direction {i + 1}" for i in tested[:-1]] + ["rest"]
    found = [kolmogorov_smirnov(then[:, i], now[:, i]) for i in tested]
    adjusted = benjamini_hochberg(np.array([p for _, p in found]))
    order = np.argsort(adjusted, kind="stable")
    moved = [names[i] for i in order.tolist() if adjusted[i] <= config.alpha]
    said = f"{len(moved)} of {len(tested)} moved (Kolmogorov-Smirnov, Benjamini-Hochberg); value: the largest distance"
    return Test(
        "directions", "ok", max(d for d, _ in found), None, float(adjusted.min()), items=tuple(moved[:_SHOWN]), message=said
    )


def _scores(reference: Reference, window: Window, rng: np.random.Generator, config: DriftConfig) -> Test:
    if not reference.scores.size or window.scores is None:
        return Test("scores", "not enough", message="the reference or the window has no scores")
    bins = np.eye(reference.edges.size + 1)
    psi, p, chance = stability_test(
        bins[binned(reference.scores, reference.edges)], bins[binned(window.scores, reference.edges)], config.n_resamples, rng
    )
    moved = float(window.scores.mean() - reference.scores.mean())
    return Test("scores", "ok", psi, chance, p, message=f"mean {moved:+.3g}; {_large(psi)}")


def _mix(reference: Reference, window: Window, rng: np.random.Generator, config: DriftConfig) -> Test:
    then, now = (_shares(c) for c in (reference.chosen, choices(window.tools, reference.mix)))
    if len(then) < config.least or len(now) < config.least:
        return Test("mix", "not enough", message=f"{len(now)} executions chose a tool, at least {config.least} are needed")
    psi, p, chance = stability_test(then, now, config.n_resamples, rng)
    moved = now.mean(axis=0) - then.mean(axis=0)
    names = (*reference.mix, "any other tool")
    most = tuple(f"{names[i]} {100 * moved[i]:+.0f} %" for i in np.argsort(-np.abs(moved), kind="stable")[:_SHOWN].tolist())
    return Test("mix", "ok", psi, chance, p, items=most, message=_large(psi))


def _shares(chosen: np.ndarray[tuple[int, int], np.dtype[np.uint8]]) -> Float64:
    """Of each execution that chose anything."""
    counts = chosen.astype(np.float64)
    counts = counts[counts.sum(axis=1) > 0]
    return np.asarray(counts / counts.sum(axis=1, keepdims=True))


def _large(psi: float) -> str:
    return f"PSI is {'above' if psi > _FOLKLORE else 'below'} {_FOLKLORE:g}; limit: 19 of 20 undrifted windows lie below"


def _embedding(reference: Reference, now: Float64, rng: np.random.Generator, config: DriftConfig) -> Test:
    then = reference.coordinates.astype(np.float64)
    drawn = [rows[rng.choice(len(rows), min(config.sample, len(rows)), replace=False)] for rows in (then, now)]
    mmd, p = discrepancy_test(drawn[0], drawn[1], config.n_resamples, rng)
    said = f"squared maximum mean discrepancy of {len(drawn[0])} and {len(drawn[1])} intents"
    return Test("embedding", "ok", mmd, None, p, message=said)


def _tools(reference: Reference, window: Window, config: DriftConfig) -> Test:
    """Each tool's successes beside those of its reference, by a test that holds at every look; Holm over the tools."""
    of: dict[str, list[bool]] = {}
    for tools, ok in zip(window.tools, window.worked.tolist(), strict=True):
        for tool in set(tools):
            of.setdefault(tool, []).append(ok)
    least = config.least_of_tool
    names = sorted(t for t, now in of.items() if len(now) >= least and reference.outcomes.get(t, (0, 0))[1] >= least)
    if not names:
        return Test("tools", "not enough", message=f"no tool has {least} executions in the reference and in the window")
    p, falls = np.ones(len(names)), np.zeros(len(names))
    for i, tool in enumerate(names):
        worked, n = reference.outcomes[tool]
        outcome = np.r_[np.ones(worked), np.zeros(n - worked), of[tool]]
        # The reference stands first: of one arm alone there is no evidence, so that its order says nothing.
        found = confidence_sequence(np.arange(outcome.size) >= n, outcome)
        falls[i] = found.difference[-1]
        p[i] = found.p_value[-1] if falls[i] < 0 else 1.0
    adjusted = holm(p)
    order = [i for i in np.argsort(adjusted, kind="stable").tolist() if adjusted[i] <= config.alpha]
    items = tuple(f"{names[i]} {100 * falls[i]:+.0f} %" for i in order[:_SHOWN])
    said = f"{len(order)} of {len(names)} tools fail more often; value: the largest fall"
    return Test("tools", "ok", float(falls.min()), None, float(adjusted.min()), items=items, message=said)


def _encoder(reference: Reference, window: Window, config: DriftConfig, probes: object) -> Test:
    before, now = reference.encoder, window.encoder
    if before and now and before != now:
        return Test("encoder", "drift", items=(before, now), message="another encoder made the intents: train anew")
    if probes is not None and len(reference.probes):
        least = float(cosines(reference.probes, matrix(probes, reference.mean.size, "the probes")).min())
        status = "drift" if least < config.probe_cosine else "ok"
        return Test("encoder", status, least, config.probe_cosine, message="least cosine of a probe text with itself")
    if before and now:
        return Test("encoder", "ok", message="the same name")
    return Test("encoder", "not enough", message="nobody said what made the intents, and no probes were given")
