"""Pictures of a trained model: loss, validation, channels, and what its heads attend to. Needs matplotlib."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import numpy as np

from .._types import Float64
from ..errors import InputError, MissingExtraError
from ..shgat import SHGAT
from .evaluation import learning_curve

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, FigureBase

_MOST = 24  # rows of the attention picture
_INTENTS = 256  # remembered intents that the heads are looked at with
_STYLE = {
    "font.size": 10.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 11.0,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e2e3df",
    "legend.frameon": False,
}
_COLOURS = ("#2f62d9", "#d9730d", "#18794e", "#a23ba8", "#b58900", "#0f8b8d")


def draw(model: SHGAT) -> dict[str, "Figure"]:
    """ "loss", "validation", "channels", "heads" and, where messages pass, "attention" -> figure.

    Raises
    ------
    MissingExtraError
        without matplotlib.
    InputError
        for a model that no training made.
    """
    figure_type, panels = _figure_type(), _panels(model)
    figures = {}
    with _style():
        for name, (size, paint) in panels.items():
            figures[name] = figure_type(figsize=size, layout="constrained")
            paint(figures[name])
    return figures


def draw_sheet(model: SHGAT) -> "Figure":
    """All pictures of `draw` below one another."""
    figure_type, panels = _figure_type(), _panels(model)
    heights = [height for (_, height), _ in panels.values()]
    with _style():
        sheet = figure_type(figsize=(11.0, sum(heights)), layout="constrained")
        parts = sheet.subfigures(len(panels), 1, height_ratios=heights, squeeze=False)[:, 0]
        for part, (_, paint) in zip(parts, panels.values(), strict=True):
            paint(part)
    return sheet


def draw_curves(sets: Mapping[str, tuple[Sequence[int], Mapping[str, Sequence[float]]]]) -> "Figure":
    """Recall@5 of methods by number of feedbacks: a panel for each set of (feedbacks, method -> shares of 1); MissingExtraError as `draw`."""
    figure_type, n = _figure_type(), max(1, len(sets))
    with _style():
        figure = figure_type(figsize=(1.0 + 4.6 * n, 4.2), layout="constrained")
        for panel, (name, (feedbacks, methods)) in zip(figure.subplots(1, n, squeeze=False)[0], sets.items(), strict=False):
            for i, (method, values) in enumerate(methods.items()):
                line = {"linewidth": 2.4, "zorder": 3} if i == 0 else {"linewidth": 1.4}
                panel.plot(feedbacks, 100.0 * np.array(values), marker="o", markersize=3.5, label=method, **line)
            panel.set_xscale("symlog", linthresh=50.0)
            panel.set(title=name, xlabel="feedbacks", ylabel="Recall@5, %", xticks=feedbacks, xticklabels=map(str, feedbacks))
            panel.minorticks_off()
            panel.legend()
    return figure


def draw_power(kinds: Mapping[str, tuple[Sequence[float], Mapping[str, Sequence[float]]]]) -> "Figure":
    """Share of windows with an alarm, by size of the drift: a panel for each kind, of (sizes, test -> shares of 1); errors as `draw`."""
    figure_type, n = _figure_type(), max(1, len(kinds))
    with _style():
        figure = figure_type(figsize=(1.0 + 3.4 * n, 3.6), layout="constrained")
        for panel, (kind, (sizes, tests)) in zip(figure.subplots(1, n, squeeze=False)[0], kinds.items(), strict=False):
            for i, (test, shares) in enumerate(tests.items()):
                line = {"linewidth": 2.4, "zorder": 3} if i == 0 else {"linewidth": 1.4}
                panel.plot(sizes, 100.0 * np.array(shares), marker="o", markersize=3.5, label=test, **line)
            panel.set(xlabel=kind, ylabel="alarms, %", ylim=(-3.0, 103.0), xticks=sizes)
        if kinds:
            figure.axes[0].legend()
    return figure


def draw_suggestions(methods: Mapping[str, Mapping[str, tuple[float, float, float]]]) -> "Figure":
    """Metric -> (mean, low, high), shares of 1, of each method: a panel a metric; MissingExtraError as `draw`."""
    figure_type, metrics = _figure_type(), list(dict.fromkeys(m for of in methods.values() for m in of))
    with _style():
        figure = figure_type(figsize=(2.2 + 2.6 * max(1, len(metrics)), 1.0 + 0.32 * max(3, len(methods))), layout="constrained")
        for panel, metric in zip(figure.subplots(1, max(1, len(metrics)), squeeze=False, sharey=True)[0], metrics, strict=False):
            for row, of in enumerate(methods.values()):
                value, low, high = (100.0 * v for v in of[metric])
                bars = [[value - low], [high - value]]
                panel.errorbar(value, row, xerr=bars, fmt="o", markersize=4.5, capsize=2.5, color=_COLOURS[row % len(_COLOURS)])
            panel.set(title=metric, xlabel="%, 95 % interval", yticks=range(len(methods)), yticklabels=list(methods))
            panel.set_xlim(left=0.0)
        if metrics:
            figure.axes[0].invert_yaxis()
    return figure


def draw_hits(methods: Mapping[str, Sequence[float]], steps: int) -> "Figure":
    """Hit@1 of methods, shares of 1, over stretches of so many searches; MissingExtraError as `draw`."""
    figure_type = _figure_type()
    with _style():
        figure = figure_type(figsize=(6.4, 3.6), layout="constrained")
        panel = figure.subplots()
        for i, (method, values) in enumerate(methods.items()):
            ends = [steps * (n + 1) for n in range(len(values))]
            panel.plot(ends, 100.0 * np.array(values), marker="o", markersize=3.5, label=method, linewidth=1.4 if i else 2.4)
        panel.set(xlabel="searches", ylabel="Hit@1, %", ylim=(-3.0, 103.0))
        if methods:
            panel.legend()
    return figure


def draw_walk(methods: Mapping[str, tuple[Sequence[float], Mapping[float, Sequence[float]]]], start: float) -> "Figure":
    """Errors on the random walk by step size: a panel for each method, of (step sizes, lambda -> errors); `start`: before learning."""
    figure_type, n = _figure_type(), max(1, len(methods))
    with _style():
        figure = figure_type(figsize=(1.0 + 4.6 * n, 4.2), layout="constrained")
        for panel, (name, (alphas, rows)) in zip(figure.subplots(1, n, squeeze=False)[0], methods.items(), strict=False):
            for i, (lam, errors) in enumerate(rows.items()):
                line = {"linestyle": "-" if i < len(_COLOURS) else "--", "linewidth": 1.4, "label": f"{lam:g}"}
                panel.plot(alphas, np.minimum(errors, 2.0 * start), marker="o", markersize=2.5, **line)
            panel.set(title=name, xlabel="step size", ylabel="RMS error over 10 episodes", ylim=(0.0, 1.1 * start))
            panel.legend(title="lambda", ncols=2)
    return figure


def draw_planted(worlds: Mapping[str, tuple[Sequence[int], Sequence[float], Mapping[str, Sequence[float]]]]) -> "Figure":
    """Of (sessions, errors, policy -> earned): errors of values over sessions in logarithms, then what policies earn, a panel a world."""
    figure_type, n = _figure_type(), 1 + len(worlds)
    with _style():
        figure = figure_type(figsize=(1.0 + 4.0 * n, 4.0), layout="constrained")
        first, *panels = figure.subplots(1, n, squeeze=False)[0]
        first.set(title="Values", xlabel="sessions", ylabel="RMS error", xscale="log", yscale="log")
        for panel, (name, (sessions, errors, policies)) in zip(panels, worlds.items(), strict=True):
            first.plot(sessions, errors, marker="o", markersize=3.5, linewidth=1.4, label=name)
            for policy, earned in policies.items():
                panel.plot(sessions, earned, marker="o", markersize=3.5, linewidth=1.4, label=policy)
            panel.set(title=name, xlabel="sessions", ylabel="earned a session", xscale="log")
            panel.legend()
        if worlds:
            first.legend()
    return figure


def _figure_type() -> "type[Figure]":
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtraError("matplotlib", "eval") from None
    return Figure


def _style() -> AbstractContextManager[None]:
    import matplotlib
    from cycler import cycler

    settings: dict[Any, Any] = {**_STYLE, "axes.prop_cycle": cycler(color=_COLOURS)}
    context: AbstractContextManager[None] = matplotlib.rc_context(settings)
    return context


def _panels(model: SHGAT) -> dict[str, tuple[tuple[float, float], "Callable[[FigureBase], None]"]]:
    """Name -> (size in inches, what paints it)."""
    report = model.report
    if report is None:
        raise InputError("this model was not trained: there is nothing to draw")
    curves = learning_curve(report)
    held = {name: series for name, series in curves.items() if name != "loss"}
    panels: dict[str, tuple[tuple[float, float], Callable[[FigureBase], None]]] = {
        "loss": ((11.0, 4.0), lambda figure: _loss(figure, curves.get("loss", {}), report.get("losses") or []))
    }
    if held:
        panels["validation"] = (11.0, 4.0), lambda figure: _validation(figure, held, report)
    if model.learned is not None:
        panels["channels"] = (11.0, 4.0), lambda figure: _channels(figure.subplots(), model)
        panels["heads"] = (11.0, 5.0), lambda figure: _heads(figure, model)
    if model.index().shares is not None:
        panels["attention"] = (11.0, 8.0), lambda figure: _attention(figure, model)
    return panels


def _loss(figure: "FigureBase", series: Mapping[str, list[tuple[float, float]]], steps: list[float]) -> None:
    left, right = figure.subplots(1, 2)
    for name, points in series.items():
        left.plot(*zip(*points, strict=True), marker="o", markersize=3.5, label=name)
    left.set(title="Loss by epoch", xlabel="epoch", ylabel="mean over steps")
    if series:
        left.legend()
    right.plot(np.arange(1, len(steps) + 1), steps, linewidth=1.2)
    right.set(title="Loss by step, last run", xlabel="step")


def _validation(
    figure: "FigureBase", held: Mapping[str, Mapping[str, list[tuple[float, float]]]], report: Mapping[str, Any]
) -> None:
    panels = figure.subplots(1, len(held), squeeze=False)[0]
    cosine = (report.get("validation") or {}).get("cosine", {}).get("all", {})
    for panel, (quantity, series) in zip(panels, held.items(), strict=True):
        for name, points in series.items():
            panel.plot(*zip(*points, strict=True), marker="o", markersize=3.5, label=name)
        if cosine.get(quantity) is not None:
            panel.axhline(cosine[quantity], color="#626a73", linestyle="--", linewidth=1.2, label="cosine")
        panel.set(title=f"{quantity.capitalize()} on held-out traces", xlabel="epoch")
        panel.legend()


def _channels(axes: "Axes", model: SHGAT) -> None:
    """Weights of the channels, for tools with and without traces."""
    assert model.learned is not None
    fusion = model.learned.fusion
    names = [n for n in fusion.seen if fusion.seen[n] > 0.0 or fusion.unseen.get(n, 0.0) > 0.0][::-1]
    at = np.arange(len(names))
    axes.barh(at + 0.2, [fusion.seen[n] for n in names], 0.38, label="tools with traces")
    axes.barh(at - 0.2, [fusion.unseen.get(n, 0.0) for n in names], 0.38, label=f"without (bonus {fusion.bonus:.2f})")
    axes.set(title="Weight of each channel", yticks=at, yticklabels=names)
    axes.grid(visible=False, axis="y")
    axes.legend()


def _heads(figure: "FigureBase", model: SHGAT) -> None:
    """By server and head: how far the tools that were run stand above all tools, over remembered intents."""
    margins, servers = _head_margins(model)
    axes = figure.subplots()
    image = axes.imshow(margins, cmap="Blues", vmin=min(0.0, float(margins.min(initial=0.0))), aspect="auto")
    axes.set_title("What each head tells apart: logit of the right tools above the mean of all")
    axes.set(xlabel="head", xticks=np.arange(margins.shape[1]), yticks=np.arange(len(servers)), yticklabels=servers)
    axes.grid(visible=False)
    figure.colorbar(image, ax=axes, shrink=0.9)


def _head_margins(model: SHGAT) -> tuple[Float64, list[str]]:
    """(n_servers, H) margins, and the servers."""
    index = model.index()
    assert index.learned is not None
    memory, heads = index.learned.channels.memory, index.state.params.layout.n_heads
    n = min(_INTENTS, len(memory.vectors))
    q = (memory.vectors[-n:] @ index.w_query.T).reshape(n, heads, -1)
    if index.cosine:
        q = q / np.maximum(np.linalg.norm(q.reshape(n, -1), axis=1), 1e-12)[:, None, None]
    keys = index.tools.keys.reshape(len(index.tools.ids), heads, -1)
    z = heads * index.scale * np.einsum("bhk,thk->bth", q, keys, optimize=True)
    margin = z - z.mean(axis=1, keepdims=True)
    names = [t.server or "(none)" for t in index.catalog.tools]
    servers = sorted(set(names))
    number = np.array([servers.index(s) for s in names])
    rows = memory.tools.take(np.arange(len(memory.vectors) - n, len(memory.vectors)))
    total, count = np.zeros((len(servers), heads)), np.zeros(len(servers))
    np.add.at(total, number[rows.indices], margin[rows.row_of_entry, rows.indices])
    np.add.at(count, number[rows.indices], 1.0)
    seen = count > 0
    return total[seen] / count[seen, None], [s for s, there in zip(servers, seen.tolist(), strict=True) if there]


def _attention(figure: "FigureBase", model: SHGAT) -> None:
    """Attention of the tools in most capabilities to the capabilities that hold them."""
    index = model.index()
    assert index.shares is not None
    containing = index.catalog.hierarchy.containing
    tools = np.argsort(-containing.degrees, kind="stable")[:_MOST]
    tools = tools[containing.degrees[tools] > 0]
    capabilities = np.unique(containing.take(tools).indices)
    table = np.full((len(tools), len(capabilities)), np.nan)
    for row, t in enumerate(tools.tolist()):
        entries = slice(containing.indptr[t], containing.indptr[t + 1])
        table[row, np.searchsorted(capabilities, containing.indices[entries])] = index.shares[entries]
    axes = figure.subplots()
    image = axes.imshow(table, cmap="Blues", vmin=0.0, vmax=1.0, aspect="auto")
    axes.set_title("Attention of tools to the capabilities that hold them, mean over heads")
    axes.set(yticks=np.arange(len(tools)), yticklabels=[index.tools.ids[t] for t in tools], xticks=np.arange(len(capabilities)))
    axes.set_xticklabels([index.capabilities.ids[c] for c in capabilities], rotation=60, ha="right", rotation_mode="anchor")
    axes.grid(visible=False)
    figure.colorbar(image, ax=axes, shrink=0.6)
