"""The bars of what is learned of histories: links, intents, transfer, labels, forecasts."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..metrics.resampling import paired_bootstrap
from ..worker.parent import Child
from .backtest import backtests, joined
from .bar import Bar, Bench
from .changeset import Changes
from .guesses import KINDS
from .labelling import told
from .labels import NAMES
from .learner import Learner
from .questions import Kind
from .recorded import history
from .temporal import FEWEST, Answered, Ranked, shared_blends
from .transfer import transferred

_HELD_OUT, _BATCHES = 3, 4
_TIMEOUT = 1800.0  # seconds of one training


def measures() -> dict[str, Callable[[Bench], Bar]]:
    """Name -> what measures it."""
    return {"B10": links, "B11": intents, "B12": transfer, "B13": kinds_of_work, "B14": forecasts}


def studied(
    histories: Sequence[Changes], most: int | None = 600, on_history: Callable[[str], None] = lambda _: None
) -> list[Answered]:
    """Each history asked, with SHGAT trained on its own first part in a child.

    Parameters
    ----------
    most : commits of each part that are asked
    on_history : called with the name of each that is done
    """
    found = []
    with Child(timeout=_TIMEOUT) as child:
        for changes in histories:
            found.append(Answered.of(changes, Learner(child), most=most))
            on_history(changes.name)
    return found


def ranked(answered: Sequence[Answered], kind: Kind) -> list[Ranked]:
    """Every ranking of each; weights of blends begin at those of all of them together."""
    shared = shared_blends(kind, answered)
    return [one.ranked(kind, shared) for one in answered]


def macro(found: Sequence[Ranked], rng: np.random.Generator) -> dict[str, Any]:
    """Over repositories: on how many SHGAT with the counts beats the baseline, the mean difference and its p, and the worst one."""
    gains = [float(r.test["shgat + prior"].mean() - r.test[r.baseline].mean()) for r in found]
    test = paired_bootstrap(gains, np.zeros(len(gains)), rng=rng)
    return {
        "wins": sum(g > 0 for g in gains),
        "of": len(gains),
        "mean": test.mean_difference,
        "p": test.p_value,
        "worst": min(gains),
        "ships": {r.ships: sum(o.ships == r.ships for o in found) for r in found},
    }


def links(bench: Bench) -> Bar:
    """B10."""
    return _links(
        "B10", "file -> the others: beats the best baseline on MRR@10 on 3 of 4, p < .05, never worse by .02", bench, ("file",)
    )


def intents(bench: Bench) -> Bar:
    """B11."""
    return _links("B11", "intent -> files: the same, as it is and masked", bench, ("intent", "masked"))


def _links(name: str, wanted: str, bench: Bench, kinds: tuple[Kind, ...]) -> Bar:
    histories = _long(bench)
    if not histories:
        return Bar(name, wanted, f"no repository has {FEWEST} commits that can be asked", None)
    answered = studied(histories)
    said, reached = [], True
    for kind in kinds:
        m = macro(ranked(answered, kind), np.random.default_rng(0))
        said.append(f"{kind}: {m['wins']} of {m['of']}, {m['mean']:+.3f} (p {m['p']:.3f}), worst {m['worst']:+.3f}")
        reached = reached and 4 * m["wins"] >= 3 * m["of"] and m["mean"] > 0 and m["p"] < 0.05 and m["worst"] >= -0.02
    return Bar(name, wanted, "; ".join(said), reached, "no forecast is ever resolved")


def transfer(bench: Bench) -> Bar:
    """B12."""
    wanted = (
        f"held-out MRR rises over {_BATCHES} batches or more, and beats a model from scratch with the same steps, on {_HELD_OUT}"
    )
    histories = _long(bench)
    needed = _HELD_OUT + 1 + _BATCHES
    if len(histories) < needed:
        return Bar("B12", wanted, f"{len(histories)} repositories, {needed} are needed", None)
    held, judge, rest = histories[:_HELD_OUT], histories[_HELD_OUT], histories[_HELD_OUT + 1 :]
    with Child(timeout=_TIMEOUT) as child:
        curves = transferred([[c] for c in rest], held, lambda: Learner(child), judge=judge)
    found = [c.figures(np.random.default_rng(0)) for c in curves]
    good = [f["rises"] > 0 and f["gain"]["mean"] > 0 for f in found]
    said = "; ".join(
        f"{f['name']} {f['kind']}: {f['after'][0]:.3f} to {f['after'][-1]:.3f}, rho {f['rises']:+.2f},"
        f" adapted {f['adapted']:.3f} against {f['scratch']:.3f}"
        for f in found
    )
    return Bar("B12", wanted, said, all(good), "batches overwrite each other")


def kinds_of_work(bench: Bench) -> Bar:
    """B13."""
    wanted = "macro-F1 above naive Bayes and above the rules, on later commits"
    found = [t.figures() for t in told(_histories(bench))]
    if not found:
        return Bar("B13", wanted, "no repository has a hundred commits whose makers say what they are", None)
    f1 = {name: float(np.mean([f["macro_f1"][name] for f in found])) for name in ("shgat", "naive Bayes", "rules", "majority")}
    return Bar(
        "B13",
        wanted,
        f"mean of {len(found)}: " + ", ".join(f"{n} {v:.3f}" for n, v in f1.items()),
        f1["shgat"] >= f1["naive Bayes"] and f1["shgat"] > f1["rules"],
        "recall 2 to 10 %",
    )


def forecasts(bench: Bench) -> Bar:
    """B14."""
    wanted = "Brier at most that of the base rate, ECE at most .05, 95 % of what is due resolved"
    parts = [backtests(changes, NAMES) for changes in _histories(bench)]
    every = joined([p[kind] for p in parts for kind in KINDS]).figures()
    if not every["n"]:
        return Bar("B14", wanted, "too few forecasts turned out", None)
    of_kinds: Mapping[str, Any] = {kind: joined([p[kind] for p in parts]).figures() for kind in KINDS}
    said = "; ".join(f"{k}: Brier {f['brier']:.3f} ({f['brier_base']:.3f}), ECE {f['ece']:.3f}" for k, f in of_kinds.items())
    reached = every["brier"] <= every["brier_base"] and every["ece"] <= 0.05 and every["resolved"] >= 0.95 * every["due"]
    whole = f"Brier {every['brier']:.3f} ({every['brier_base']:.3f}), ECE {every['ece']:.3f}, {every['resolved']} of {every['due']} resolved"
    return Bar("B14", wanted, f"{whole}; {said}", reached, "nothing is resolved")


def _histories(bench: Bench) -> list[Changes]:
    return [history(path) for path in bench.repositories]


def _long(bench: Bench) -> list[Changes]:
    return [changes for changes in _histories(bench) if len(changes.rows) >= FEWEST]
