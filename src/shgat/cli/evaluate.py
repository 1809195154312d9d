"""`shgat evaluate`: is a model better, measured on traces, by a protocol, against another model, or on logs."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    import numpy as np

    from ..experiments.measurement import Measurement
    from ..experiments.pair import Gate
    from ..experiments.protocols import Trial, Trials
    from ..graph import Catalog
    from ..shgat import SHGAT
    from ..traces import Traces


class Protocol(StrEnum):
    """How training and test are kept apart."""

    holdout = "holdout"
    cv = "cv"
    temporal = "temporal"
    cold = "cold"
    counterfactual = "counterfactual"


def evaluate(
    catalog: Annotated[Path | None, typer.Option(metavar="DIR", help="Catalogue folder.")] = None,
    model: Annotated[Path | None, typer.Option(metavar="FILE", help="A trained model.")] = None,
    split: Annotated[
        str, typer.Option(metavar="NAME", help="Traces of the catalogue's folder: NAME.jsonl. [test; train for a --protocol]")
    ] = "",
    traces: Annotated[Path | None, typer.Option(metavar="FILE.jsonl", help="Traces from elsewhere.")] = None,
    protocol: Annotated[
        Protocol | None, typer.Option(help="Train and test by a protocol; counterfactual: value --model on a --log.")
    ] = None,
    compare: Annotated[tuple[Path, Path] | None, typer.Option(metavar="A B", help="Two models on the same traces, tested.")] = None,
    gate: Annotated[
        str | None, typer.Option(metavar="baseline|FILE", help="Exit 1 unless better than cosine, or than this model.")
    ] = None,
    ab: Annotated[Path | None, typer.Option(metavar="LOG.jsonl", help="Judge an A/B test from its log.")] = None,
    log: Annotated[Path | None, typer.Option(metavar="LOG.jsonl", help="Logged decisions with propensities.")] = None,
    report: Annotated[Path | None, typer.Option(metavar="FILE.html", help="Also write one page that stands alone.")] = None,
    folds: Annotated[int, typer.Option(metavar="K", help="For cv.")] = 5,
    train_window: Annotated[str, typer.Option(metavar="TIME", help="For temporal.")] = "30d",
    test_window: Annotated[str, typer.Option(metavar="TIME", help="For temporal.")] = "7d",
    epochs: Annotated[int | None, typer.Option(metavar="N", help="Of each training of a protocol.")] = None,
    greedy: Annotated[bool, typer.Option("--greedy", help="Counterfactual: the best tool always, not by probability.")] = False,
    skip_unknown: Annotated[
        bool, typer.Option("--skip-unknown", help="Leave out traces of unknown tools or without embedding.")
    ] = False,
    seed: Annotated[int, typer.Option(metavar="N", help="Of splits, training and resampling.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="JSON for programs.")] = False,
) -> int:
    """Measure how well tools are found, over the whole catalogue and beside frozen cosine."""
    import numpy as np

    from ..errors import InputError
    from . import verdicts

    rng = np.random.default_rng(seed)
    whole = {"--ab": ab is not None, "--compare": compare is not None, "--protocol": protocol is not None}
    chosen = [name for name, given in whole.items() if given]
    if len(chosen) > 1:
        raise InputError(f"give one of {' and '.join(chosen)}")
    if report is not None and (ab is not None or protocol is Protocol.counterfactual):
        raise InputError("--report is a page about rankings of traces: not of --ab, nor of --protocol counterfactual")
    if gate is not None and (ab is not None or compare is not None or protocol is Protocol.counterfactual):
        raise InputError("--gate asks whether a --model, or what a holdout, cv, temporal or cold --protocol trains, is better")
    if ab is not None:
        return verdicts.show_experiment(ab, as_json)
    if protocol is Protocol.counterfactual:
        ranker, _ = _model(catalog, _given(model, "--model FILE"))
        return verdicts.show_counterfactual(ranker, _given(log, "--log LOG.jsonl"), rng, greedy, as_json)
    if protocol is None and compare is None:
        _given(model, "--model FILE")
    source = _Source(catalog, traces, split or ("test" if protocol is None else "train"), skip_unknown)
    if protocol is not None:
        if gate not in (None, "baseline"):
            raise InputError("a protocol trains its own models: their --gate is baseline")
        options = {"seed": seed, "options": {"epochs": epochs}}
        trials, measured = _run(protocol, source, options, folds, (train_window, test_window))
        ours, theirs = trials.pooled()
        passed = _gate(ours, theirs, gate, rng)
        verdicts.show_trials(trials, ours, theirs, passed, rng, as_json)
        if report is not None:
            verdicts.write_trials_page(report, trials, measured, {"traces": str(source.path), "seed": str(seed)}, rng)
        return _code(passed)
    files = compare or (_given(model, "--model FILE"), None if gate in (None, "baseline") else Path(str(gate)))
    return _models(source, files, gate, report, rng, as_json)


class _Source:
    """Where traces come from."""

    def __init__(self, catalog: Path | None, traces: Path | None, split: str, skip_unknown: bool) -> None:
        self.folder, self.skip_unknown = catalog, skip_unknown
        if traces is None:
            traces = _given(catalog, "--catalog DIR, or --traces FILE.jsonl") / f"{split}.jsonl"
        self.path = traces

    def load(self, catalog: "Catalog") -> "Traces":
        from . import intents

        return intents.traces(self.path, catalog, self.skip_unknown)


def _models(
    source: _Source,
    files: tuple[Path, Path | None],
    gate: str | None,
    report: Path | None,
    rng: "np.random.Generator",
    as_json: bool,
) -> int:
    """One model beside cosine, or beside another one."""
    from ..experiments.measurement import measure, measure_cosine, unseen_tools
    from . import verdicts

    first, second = files
    ranker, name = _model(source.folder, first)
    traces = source.load(ranker.catalog)
    ours = measure(ranker, traces)
    if second is None:
        theirs = measure_cosine(ranker.catalog, traces, unseen=unseen_tools(ranker))
        name, other = "shgat", "cosine"
    else:
        rival, other = _model(source.folder, second)
        _same_catalog(ranker, rival, first, second)
        theirs = measure(rival, traces)
        name, other = (name, other) if name != other else (str(first), str(second))
    passed = _gate(ours, theirs, gate, rng)
    about = {"model": str(first), "against": other if second is None else str(second), "traces": str(source.path)}
    verdicts.show_pair(ours, theirs, (name, other), about, passed, rng, as_json, tested=second is not None)
    if report is not None:
        verdicts.write_page(report, ranker, traces, ours, theirs, (name, other), about, rng)
    return _code(passed)


def _model(catalog: Path | None, path: Path) -> "tuple[SHGAT, str]":
    """A model, refused where it is of another catalogue than the folder's, and its name."""
    from .rank import load_model

    return load_model(catalog, path), path.stem


def _same_catalog(a: "SHGAT", b: "SHGAT", first: Path, second: Path) -> None:
    from ..errors import ModelFileError

    if a.tool_ids != b.tool_ids:
        raise ModelFileError(f"{second} was made for another catalogue than {first}: their tools differ")


def _run(
    protocol: Protocol, source: _Source, options: dict[str, Any], folds: int, windows: tuple[str, str]
) -> "tuple[Trials, Traces]":
    """The protocol run to its end, and the traces it was run on."""
    from ..experiments import protocols
    from ..graph import Catalog
    from . import output

    def tell(trial: "Trial") -> None:
        means = trial.means()
        figures = f"{means['shgat']['criterion']:.3f} against {means['cosine']['criterion']:.3f}"
        output.note(
            f"shgat: {trial.name}: {figures}" + ("" if trial.report.accepted else f"; training refused: {trial.report.reason}")
        )

    catalog = Catalog.load(_given(source.folder, "--catalog DIR"))
    traces, recipe = source.load(catalog), protocols.Recipe(**options, on_trial=tell)
    if protocol is Protocol.cv:
        return protocols.run_cross_validation(catalog, traces, recipe, k=folds), traces
    if protocol is Protocol.temporal:
        return protocols.run_temporal(catalog, traces, recipe, train=windows[0], test=windows[1]), traces
    run = protocols.run_cold_tools if protocol is Protocol.cold else protocols.run_holdout
    return run(catalog, traces, recipe), traces


def _gate(ours: "Measurement", theirs: "Measurement", asked: str | None, rng: "np.random.Generator") -> "Gate | None":
    from ..experiments.pair import gate

    return None if asked is None else gate(ours, theirs, rng=rng, name_b="cosine" if asked == "baseline" else asked)


def _code(gate: "Gate | None") -> int:
    return 0 if gate is None or gate.passed else 1


def _given(path: Path | None, what: str) -> Path:
    from ..errors import InputError

    if path is None:
        raise InputError(f"give {what}")
    return path
