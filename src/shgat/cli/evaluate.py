"""`shgat evaluate`: one command a question.

How good is a model, does training pay, what would a model have earned, who won, how good are suggestions of the next tool?
"""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import given, runs, spread
from .sessions import sessions

if TYPE_CHECKING:
    from ..executor import Executor
    from ..experiments.protocols import Trial, Trials
    from ..graph import Catalog
    from ..metrics import Verdict
    from ..shgat import SHGAT
    from ..traces import Traces

_PAYS = 20_000  # traces from which on several processes measure, which take a second to start
_TRAINS = 200  # from which on several train
app = typer.Typer(help="Measure a model, training, a log, an A/B test.", rich_markup_mode=None)

Folder = Annotated[Path | None, given.folder("Catalogue folder.", "--catalog")]
TraceFile = Annotated[Path | None, given.file("Traces from elsewhere than the catalogue's folder.", "FILE", "--traces")]
SkipUnknown = Annotated[bool, typer.Option("--skip-unknown", help="Leave out traces of unknown tools or without embedding.")]
Page = Annotated[Path | None, typer.Option("--report", metavar="FILE.html", help="Also write one page that stands alone.")]
Json = Annotated[bool, typer.Option("--json", help="JSON for programs.")]
ResamplingSeed = Annotated[int, typer.Option("--seed", metavar="N", help="Of resampling.")]


class Protocol(StrEnum):
    """How training and test are kept apart."""

    holdout = "holdout"
    cv = "cv"
    temporal = "temporal"
    cold = "cold"


@app.command(short_help="How well does a model find tools?")
def model(
    model: Annotated[Path, typer.Argument(metavar="MODEL", exists=True, dir_okay=False, help="A trained model.")],
    catalog: Folder = None,
    against: Annotated[
        Path | None, given.file("Another model, compared metric by metric.  [default: frozen cosine]", "MODEL")
    ] = None,
    split: Annotated[str | None, typer.Option(metavar="NAME", help="Traces of DIR: NAME.jsonl.  [default: test]")] = None,
    traces: TraceFile = None,
    gate: Annotated[bool, typer.Option("--gate", help="Exit 1 unless it is better than what it is compared with.")] = False,
    report: Page = None,
    skip_unknown: SkipUnknown = False,
    jobs: spread.Jobs = None,
    executor: spread.On = None,
    track: runs.Track = None,
    experiment: runs.Named = None,
    hypothesis: runs.Expected = None,
    seed: ResamplingSeed = 0,
    as_json: Json = False,
) -> int:
    """How well does a model find tools, over the whole catalogue, beside frozen cosine or another model?"""
    import numpy as np

    from ..experiments import pair
    from ..experiments.measurement import measure, measure_cosine, unseen_tools
    from . import traces as sources
    from . import verdicts

    given.writable(report, "--report")
    path = _trace_file(catalog, traces, split, "test")
    ranker, name = _model(catalog, model)
    loaded = sources.load(path, ranker.catalog, skip_unknown)
    rival, other = (None, "") if against is None else _model(catalog, against)
    if rival is not None and against is not None:
        _same_catalog(ranker, rival, model, against)
    with spread.opened(executor, jobs, len(loaded) >= _PAYS) as over:
        ours = measure(ranker, loaded, executor=over)
        theirs = None if rival is None else measure(rival, loaded, executor=over)
    if theirs is None:
        theirs, names = measure_cosine(ranker.catalog, loaded, unseen=unseen_tools(ranker)), ("shgat", "cosine")
    else:
        names = (name, other) if name != other else (str(model), str(against))
    summary_rng, test_rng, gate_rng = np.random.default_rng(seed).spawn(3)  # what is asked besides changes no interval
    found = pair.summarize_pair(ours, theirs, rng=summary_rng)
    tests = pair.compare_metrics(ours, theirs, found["all"], rng=test_rng) if against is not None or report is not None else []
    passed = pair.gate(ours, theirs, rng=gate_rng, name_b=names[1]) if gate else None
    about = {"model": str(model), "against": "cosine" if against is None else str(against), "traces": str(path)}
    kept = {**{name: Path(value).name for name, value in about.items()}, "seed": seed, "config": ranker.config.to_dict()}
    of = {"catalog": ranker.catalog.fingerprint, "traces": loaded.fingerprint}
    with runs.tracked(track, experiment, hypothesis, lambda: kept, of) as run:
        if run is not None:
            runs.measured(run, loaded, ours, theirs, names)
    verdicts.show_pair(found, tests if against is not None else [], names, about, passed, loaded, as_json)
    if report is not None:
        verdicts.write_page(report, ranker, loaded, ours, theirs, found, tests, names, about)
    return _code(passed)


@app.command(short_help="Does training pay, on what it has not seen?")
def protocol(
    protocol: Annotated[Protocol, typer.Argument(metavar="holdout|cv|temporal|cold", help="How training and test are kept apart.")],
    catalog: Folder = None,
    split: Annotated[str | None, typer.Option(metavar="NAME", help="Traces of DIR: NAME.jsonl.  [default: train]")] = None,
    traces: TraceFile = None,
    folds: Annotated[int | None, typer.Option(metavar="K", help="For cv.  [default: 5]")] = None,
    train_window: Annotated[str | None, typer.Option(metavar="TIME", help="For temporal.  [default: 30d]")] = None,
    test_window: Annotated[str | None, typer.Option(metavar="TIME", help="For temporal.  [default: 7d]")] = None,
    epochs: Annotated[int | None, typer.Option(metavar="N", help="Of each training.  [default: by the number of traces]")] = None,
    gate: Annotated[bool, typer.Option("--gate", help="Exit 1 unless training is better than frozen cosine.")] = False,
    report: Page = None,
    skip_unknown: SkipUnknown = False,
    jobs: spread.Jobs = None,
    executor: spread.On = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Of splits, training and resampling.")] = 0,
    as_json: Json = False,
) -> int:
    """Does training pay? Models are trained on a part of the traces and tested on the rest, beside frozen cosine."""
    import numpy as np

    from ..experiments import pair
    from ..graph import Catalog
    from . import traces as sources
    from . import verdicts

    _only(protocol, Protocol.cv, {"--folds": folds})
    _only(protocol, Protocol.temporal, {"--train-window": train_window, "--test-window": test_window})
    given.writable(report, "--report")
    place = given.needed(catalog, "--catalog DIR")
    path = _trace_file(catalog, traces, split, "train")
    loaded_catalog = Catalog.load(place)
    loaded = sources.load(path, loaded_catalog, skip_unknown)
    asked = {"folds": folds, "train": train_window, "test": test_window}
    options = {"folds": 5, "train": "30d", "test": "7d"} | {name: value for name, value in asked.items() if value is not None}
    several = protocol in (Protocol.cv, Protocol.temporal)  # models, each of which trains in one process
    with spread.opened(executor, jobs, several and len(loaded) >= _TRAINS) as over:
        trials = _run(protocol, loaded_catalog, loaded, seed, {"epochs": epochs}, options, over)
    ours, theirs = trials.pooled()
    summary_rng, test_rng, gate_rng = np.random.default_rng(seed).spawn(3)  # what is asked besides changes no interval
    found = pair.summarize_pair(ours, theirs, rng=summary_rng)
    passed = pair.gate(ours, theirs, rng=gate_rng, name_b="cosine") if gate else None
    verdicts.show_trials(trials, found, passed, loaded, as_json)
    if report is not None:
        tests = pair.compare_metrics(ours, theirs, found["all"], rng=test_rng)
        verdicts.write_trials_page(report, trials, loaded, found, tests, {"traces": str(path), "seed": str(seed)})
    return _code(passed)


@app.command(short_help="What would a model have earned on a log?")
def log(
    model: Annotated[Path, given.file("The model that would have chosen.", "FILE", "--model")],
    log: Annotated[
        Path | None, typer.Argument(metavar="[LOG.jsonl]", exists=True, dir_okay=False, help="Logged decisions with propensities.")
    ] = None,
    store: Annotated[str | None, typer.Option("--store", metavar="URL", help="A ranker's store instead of a file.")] = None,
    catalog: Folder = None,
    greedy: Annotated[bool, typer.Option("--greedy", help="The best tool always, not by probability.")] = False,
    seed: ResamplingSeed = 0,
    as_json: Json = False,
) -> int:
    """What would a model have earned on logged decisions? Off-policy estimates, from a file or a ranker's store."""
    import numpy as np

    from ..experiments.counterfactual import DecisionLog
    from . import verdicts

    given.one_of("LOG.jsonl or --store URL", log, store)
    ranker, _ = _model(catalog, model)
    if log is not None:
        decisions, name = DecisionLog.load(log, ranker.catalog), str(log)
    else:
        from ..store import Store

        with Store.open(str(store)) as opened:
            decisions, name = DecisionLog.from_store(opened, ranker.catalog), opened.url
    return verdicts.show_counterfactual(ranker, decisions, name, np.random.default_rng(seed), greedy, as_json)


@app.command(short_help="Who won an A/B test, so far?")
def ab(
    log: Annotated[
        Path,
        typer.Argument(
            metavar="LOG.jsonl",
            exists=True,
            dir_okay=False,
            help="One answered intent a line, in order of time: id, treated, success, and where they are known error, fallback, latency.",
        ),
    ],
    as_json: Json = False,
) -> int:
    """Who won an A/B test, so far? May be asked at any time and as often as one likes."""
    from . import verdicts

    return verdicts.show_experiment(log, as_json)


app.command(short_help="How good are suggestions of the next tool?")(sessions)


def _run(
    protocol: Protocol,
    catalog: "Catalog",
    traces: "Traces",
    seed: int,
    fitted: dict[str, Any],
    options: dict[str, Any],
    executor: "Executor",
) -> "Trials":
    """The protocol run to its end; says on stderr how each trial went."""
    from ..experiments import protocols
    from . import output

    def tell(trial: "Trial") -> None:
        means = trial.means()
        figures = f"{means['shgat']['criterion']:.3f} against {means['cosine']['criterion']:.3f}"
        output.note(
            f"shgat: {trial.name}: {figures}" + ("" if trial.report.accepted else f"; training refused: {trial.report.reason}")
        )

    recipe = protocols.Recipe(seed=seed, options=fitted, on_trial=tell, executor=executor)
    if protocol is Protocol.cv:
        return protocols.run_cross_validation(catalog, traces, recipe, k=options["folds"])
    if protocol is Protocol.temporal:
        return protocols.run_temporal(catalog, traces, recipe, train=options["train"], test=options["test"])
    run = protocols.run_cold_tools if protocol is Protocol.cold else protocols.run_holdout
    return run(catalog, traces, recipe)


def _trace_file(catalog: Path | None, traces: Path | None, split: str | None, default: str) -> Path:
    if traces is not None:
        given.refuse({"--split": split}, "with traces of the catalogue's folder", "with --traces")
        return traces
    folder = given.needed(catalog, "--catalog DIR, or --traces FILE")
    return given.present(folder / f"{split or default}.jsonl", "give --split NAME or --traces FILE")


def _model(catalog: Path | None, path: Path) -> "tuple[SHGAT, str]":
    """A model, refused where it is of another catalogue than the folder's, and its name."""
    from .rank import load_model

    return load_model(catalog, path), path.stem


def _same_catalog(a: "SHGAT", b: "SHGAT", first: Path, second: Path) -> None:
    from ..errors import ModelFileError

    if a.tool_ids != b.tool_ids:
        raise ModelFileError(f"{second} was made for another catalogue than {first}: their tools differ")


def _only(protocol: Protocol, its: Protocol, options: dict[str, object]) -> None:
    if protocol is not its:
        given.refuse(options, f"with {its}", f"with {protocol}")


def _code(verdict: "Verdict | None") -> int:
    return 0 if verdict is None or verdict.passed else 1
