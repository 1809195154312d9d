"""`shgat evaluate sessions`: how good are suggestions of the next tool, on sessions that were held out?"""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import given

if TYPE_CHECKING:
    from ..experiments.next_tool import NextTool, Values
    from ..experiments.session_values import PolicyReturn, ValueCalibration
    from ..experiments.suggestions import Held, Part, Suggested
    from ..graph import Catalog
    from ..shgat import SHGAT
    from ..traces import Reward, Sessions
    from .grid import Grid

_LABELS = {"hit@1": "Hit@1", "hit@3": "Hit@3", "mrr": "MRR"}
_OURS = ("values", "ranker with values")
_PARTS = {
    "all": "all steps",
    "first": "first steps, before which nothing was used",
    "later": "later steps, given what was used before",
}


def sessions(
    catalog: Annotated[Path, given.folder("Catalogue folder.", "--catalog")],
    split: Annotated[str | None, typer.Option(metavar="NAME", help="Traces of DIR: NAME.jsonl.  [default: train]")] = None,
    traces: Annotated[Path | None, given.file("Traces from elsewhere: .jsonl, .csv or .parquet.", "FILE", "--traces")] = None,
    store: Annotated[str | None, typer.Option("--store", metavar="URL", help="The sessions of a ranker's store instead.")] = None,
    test: Annotated[Path | None, given.file("Sessions that test.  [default: --share of the others]", "FILE", "--test")] = None,
    share: Annotated[
        float | None, typer.Option(metavar="P", help="Share of the sessions that test, the latest.  [default: 0.2]")
    ] = None,
    sessions_from_order: Annotated[
        bool, typer.Option("--sessions-from-order", help="Read traces of no session as sessions, their tools in order.")
    ] = False,
    skip_faults: Annotated[bool, typer.Option("--skip-faults", help="Leave out sessions that are none, and count them.")] = False,
    plain: Annotated[bool, typer.Option("--plain", help="The baselines alone, without training a ranker.")] = False,
    by_step: Annotated[
        bool, typer.Option("--by-step", help="Also a ranker that learns each step as a trace, with its context.")
    ] = False,
    with_values: Annotated[
        bool, typer.Option("--values", help="Also values by TD(lambda), alone and as the gate lets them weigh in the ranker.")
    ] = False,
    epochs: Annotated[
        int | None, typer.Option(metavar="N", help="Of the ranker's training.  [default: by the number of traces]")
    ] = None,
    chart: Annotated[Path | None, typer.Option("--plot", metavar="FILE.svg", help="A picture of the later steps.")] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Of splits, training and resampling.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="JSON for programs.")] = False,
) -> None:
    """Suggest the next tool at every step of held-out sessions, from the whole catalogue: a ranker beside plain methods."""
    import numpy as np

    from ..experiments import suggestions
    from ..graph import Catalog
    from ..traces import Reward
    from . import output

    if with_values and plain:
        raise given.WrongUsage("--values goes with a ranker, not with --plain")
    _checked(chart, {"--split": split, "--traces": traces, "--store": store}, test, share)
    loaded, faults = Catalog.load(catalog), "skip" if skip_faults else "refuse"
    source = str(store or traces or given.present(catalog / f"{split or 'train'}.jsonl", "give --split NAME or --traces FILE"))
    found = _read(source, store is not None, loaded, faults, sessions_from_order)
    split_rng, rng = np.random.default_rng([seed, 17]), np.random.default_rng(seed)
    if test is None:
        held = suggestions.held_out(found, loaded, split_rng, test=0.2 if share is None else share)
    else:
        held = suggestions.given(found, _read(str(test), False, loaded, faults, sessions_from_order), loaded)
    methods = suggestions.baselines(held.train, len(loaded.tools))
    if not plain:
        output.note(f"shgat: training a ranker on the traces of {len(held.train)} sessions")
        model = suggestions.trained_ranker(held, seed=seed, options={"epochs": epochs})
        methods |= {"ranker": suggestions.Ranked(model), "ranker, no context": suggestions.Ranked(model, context=False)}
    if by_step:
        output.note(f"shgat: training a ranker on {held.train.n_steps} steps")
        methods["ranker by step"] = suggestions.Ranked(
            suggestions.trained_ranker(held, by_step=True, seed=seed, options={"epochs": epochs})
        )
    reward, learned, weighed = Reward(), None, list[str]()
    if with_values:
        learned, weighed = _learned(model, held, reward, methods, seed)
    result = suggestions.compare(methods, held, rng, ours=_OURS)
    returns, calibration, notes = _valued(methods, held, reward, rng, len(loaded.tools), learned)
    notes = [*held.notes, *_left_out(found), *weighed, *notes]
    if chart is not None:
        _draw(chart, result)
    if as_json:
        output.write_json(_to_json(source, held, result, returns, calibration, notes))
        return
    about = f"{len(loaded.tools)} tools, {len(held.train)} sessions to learn from, {held.how} to test"
    output.write(about, *(_table(name, part, result) for name, part in result.parts.items()))
    if calibration is not None:
        output.write(_calibration_table(calibration, learned is not None))
    if returns:
        output.write(_return_table(returns))
    for remark in notes:
        output.note(f"shgat: {remark}")


def _checked(chart: Path | None, sources: Mapping[str, object], test: Path | None, share: float | None) -> None:
    """What cannot be meant is refused before the work."""
    asked = [name for name, value in sources.items() if value is not None]
    if len(asked) > 1:
        raise given.WrongUsage(f"give either {asked[0]} or {asked[1]}")
    if test is not None:
        given.refuse({"--share": share}, "without --test", "with it")
    given.writable(chart, "--plot")
    if chart is not None:
        from ..reports.figures import draw_suggestions

        if chart.suffix != ".svg":
            raise given.WrongUsage(f"--plot {chart}: the name of an SVG file, with .svg at its end")
        draw_suggestions({})  # is there what it takes? Asked before the work


def _read(source: str, is_store: bool, catalog: "Catalog", faults: Any, from_order: bool) -> "Sessions":
    from ..errors import TraceError
    from ..traces import load_sessions

    try:
        if not is_store:
            return load_sessions(source, catalog, faults=faults, from_order=from_order)
        from ..experiments.logged_sessions import from_store
        from ..store import Store

        with Store.open(source) as opened:
            return from_store(opened, catalog, faults=faults)
    except TraceError as error:
        raise TraceError(str(error).replace("pass faults='skip'", "pass --skip-faults")) from None


def _learned(
    model: "SHGAT", held: "Held", reward: "Reward", methods: "dict[str, NextTool]", seed: int
) -> "tuple[Values, list[str]]":
    """Values of the training sessions, added to the methods, and what their weight is."""
    from copy import deepcopy

    from ..experiments.next_tool import ByValues
    from ..experiments.suggestions import Ranked
    from ..td.step_values import StepValues
    from . import output

    output.note(f"shgat: learning values from {len(held.train)} sessions, and a ranker to judge them by")
    led = deepcopy(model)
    report = led.learn_values(held.train, reward=reward, seed=seed)
    learned = led.state.values
    assert learned is not None
    found = StepValues.over(learned.network, led.catalog)
    methods |= {"values": ByValues(found), "ranker with values": Ranked(led)}
    return found, [f"The weight of values is {report.weight:g}: {report.reason}."]


def _valued(
    methods: "Mapping[str, NextTool]", held: "Held", reward: "Reward", rng: Any, n_tools: int, learned: "Values | None"
) -> "tuple[dict[str, PolicyReturn], ValueCalibration | None, list[str]]":
    """Returns of the policies that take each method's first offered tool, calibration of mean returns, and why there is none."""
    from ..errors import InputError
    from ..experiments.session_values import ToolReturns, policy_return, value_calibration

    values, notes = learned or ToolReturns.fit(held.train, reward, n_tools), list[str]()
    calibration, returns = None, {}
    try:
        calibration = value_calibration(values, held.test, reward, rng)
    except InputError as error:
        notes.append(f"No calibration of values: {error}.")
    try:
        returns = {name: policy_return(method, values, held.test, reward) for name, method in methods.items()}
    except InputError as error:
        notes.append(f"No return of a policy: {error}.")
    return returns, calibration, notes


def _left_out(found: "Sessions") -> list[str]:
    notes = [f"{len(found.skipped)} sessions were left out, the first: {found.skipped[0]}"] if found.skipped else []
    if found.without:
        notes.append(
            f"{found.without} traces are of no session, or ran no tool; --sessions-from-order reads those with tools as sessions."
        )
    return notes


def _draw(path: Path, result: "Suggested") -> None:
    from ..reports.figures import draw_suggestions
    from .plot import write_svg

    part = result.parts.get("later", result.parts["all"])
    methods = {
        name: {_LABELS[m]: (mean.value, mean.ci_low, mean.ci_high) for m, mean in of.items()} for name, of in part.methods.items()
    }
    write_svg(path, draw_suggestions(methods))


def _to_json(
    source: str, held: "Held", result: "Suggested", returns: "Mapping[str, PolicyReturn]", calibration: "ValueCalibration | None",
    notes: list[str],
) -> Any:  # fmt: skip
    from .._json import none_for_not_finite

    value: dict[str, Any] = {"traces": source, "held_out": held.how, "again": result.again}
    value["sessions"] = {"train": len(held.train), "test": len(held.test)}
    value["steps"] = {"train": held.train.n_steps, "test": held.test.n_steps}
    value["parts"] = {name: asdict(part) for name, part in result.parts.items()}
    value["values"] = {"calibration": None if calibration is None else asdict(calibration)}
    value["returns"] = {name: asdict(of) for name, of in returns.items()}
    return none_for_not_finite({**value, "notes": notes})


def _table(name: str, part: "Part", result: "Suggested") -> "Grid":
    from .grid import Grid

    again = "" if result.again else "; what a session used already stands last, as in training none ran a tool twice"
    grid = Grid(f"{_PARTS[name]}: {part.steps} of {part.sessions} sessions", f"%, in brackets 95 % intervals over sessions{again}")
    grid.add_column("method")
    for metric in _LABELS.values():
        grid.add_column(metric, "right")
    grid.add_column(f"MRR less {part.best}", "right")
    for method, of in part.methods.items():
        d = part.differences[method]["mrr"]
        cells = [f"{100 * of[m].value:.1f} ({100 * of[m].ci_low:.1f} to {100 * of[m].ci_high:.1f})" for m in _LABELS]
        less = "" if method == part.best else f"{100 * d.value:+.1f} ({100 * d.ci_low:+.1f} to {100 * d.ci_high:+.1f})"
        grid.add_row(method, *cells, less)
    return grid


def _calibration_table(found: "ValueCalibration", learned: bool) -> "Grid":
    from .grid import Grid

    slope = "" if found.slope != found.slope else f", slope {found.slope:.2f}"
    figures = f"bias {found.bias:+.3f}, RMSE {found.rmse:.3f} where the mean alone has {found.spread:.3f}{slope}"
    what = "values by TD(lambda)" if learned else "values: the mean return of each tool in training"
    grid = Grid(f"{what}, {found.steps} steps", figures)
    for column in ("steps", "predicted", "returned", "95 % interval"):
        grid.add_column(column, "right")
    for each in found.bins:
        interval = f"{each.returned.ci_low:.3f} to {each.returned.ci_high:.3f}"
        grid.add_row(str(each.steps), f"{each.predicted:.3f}", f"{each.returned.value:.3f}", interval)
    return grid


def _return_table(found: "Mapping[str, PolicyReturn]") -> "Grid":
    from .grid import Grid

    first = next(iter(found.values()))
    left = f"; {first.left_out} sessions without propensities were left out" if first.left_out else ""
    caption = f"doubly robust; a mean weight far from 1: the log does not cover the policy{left}"
    grid = Grid(f"return of a session, {first.logged.n} logged: the first of each method among what was offered", caption)
    for column in ("policy", "return", "95 % interval", "effective sessions", "mean weight"):
        grid.add_column(column, "left" if column == "policy" else "right")
    grid.add_row(
        "as logged",
        f"{first.logged.value:.3f}",
        f"{first.logged.ci_low:.3f} to {first.logged.ci_high:.3f}",
        str(first.logged.n),
        "",
    )
    for name, of in found.items():
        e = of.estimate
        interval, size = f"{e.ci_low:.3f} to {e.ci_high:.3f}", f"{e.effective_sample_size:.1f}"
        grid.add_row(name, f"{e.value:.3f}", interval, size, f"{e.mean_weight:.3f}")
    return grid
