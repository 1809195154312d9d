"""Pictures of a trained model: one for each thing that there is to show, with the numbers of the model."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from shgat import SHGAT, SHGATConfig, Traces
from shgat.errors import InputError
from shgat.reports.figures import draw, draw_hits, draw_planted, draw_power, draw_sheet, draw_suggestions, draw_walk
from training import planted

pytest.importorskip("matplotlib")


@pytest.fixture(scope="module")
def speaking():
    """A model whose graph speaks, of tools on two servers."""
    of, records, _ = planted.rotated(np.random.default_rng(0), n_tools=12, n_traces=120)
    of = replace(of, tools=tuple(replace(t, server="ab"[i % 2]) for i, t in enumerate(of.tools)))
    model = SHGAT.from_catalog(of, SHGATConfig(n_heads=4))
    report = model.fit(Traces.from_records(records, of), epochs=3, lr=1e-2, message_passing=True, node_offsets=False, force=True)
    assert report.accepted
    return model


def title(axes):
    return axes.get_title(loc="left") or axes.get_title()


def test_there_is_a_picture_of_everything_that_there_is(trained, speaking):
    assert list(draw(speaking)) == ["loss", "validation", "channels", "heads", "attention"]
    speaks = trained.model.index().shares is not None
    assert ("attention" in draw(trained.model)) == speaks


def test_a_training_without_validation_has_less_to_show():
    model, traces, _ = planted.planted_model(n_tools=8, n_traces=30)
    model.fit(traces, epochs=2, validation="none", message_passing=False)
    assert list(draw(model)) == ["loss"]


def test_a_model_that_no_training_made_has_nothing_to_show(trained):
    for drawn in (draw, draw_sheet):
        with pytest.raises(InputError, match="not trained"):
            drawn(SHGAT.from_catalog(trained.catalog))


def test_the_loss_is_that_of_the_report(speaking):
    left, right = draw(speaking)["loss"].axes
    (steps,) = right.get_lines()
    np.testing.assert_allclose(steps.get_ydata(), speaking.report["losses"])
    last = next(line for line in left.get_lines() if line.get_label() == "all traces")
    expected = [e["loss"] for e in speaking.report["epochs"] if e["stage"] == "all traces"]
    np.testing.assert_allclose(last.get_ydata(), expected)


def test_the_held_out_metrics_stand_beside_cosine(speaking):
    panels = draw(speaking)["validation"].axes
    assert [title(p) for p in panels] == ["Hit@1 on held-out traces", "Recall@5 on held-out traces"]
    for panel, metric in zip(panels, ("hit@1", "recall@5"), strict=True):
        (cosine,) = (line for line in panel.get_lines() if line.get_label() == "cosine")
        assert set(cosine.get_ydata()) == {speaking.report["validation"]["cosine"]["all"][metric]}


def test_the_bars_are_the_weights_of_the_channels(speaking):
    fusion = speaking.learned.fusion
    (axes,) = draw(speaking)["channels"].axes
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert set(names) == set(fusion.names)
    seen, unseen = ([bar.get_width() for bar in group] for group in axes.containers)
    assert dict(zip(names, seen, strict=True)) == {name: fusion.seen[name] for name in names}
    assert dict(zip(names, unseen, strict=True)) == {name: fusion.unseen[name] for name in names}


def test_the_heads_together_set_the_right_tools_apart_as_the_scores_do(speaking):
    axes, _ = draw(speaking)["heads"].axes
    margins = np.asarray(axes.get_images()[0].get_array())
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "b"]
    assert margins.shape == (2, 4)
    memory, index = speaking.index().learned.channels.memory, speaking.index()
    q = memory.vectors @ index.w_query.T
    z = index.scale * (q / np.linalg.norm(q, axis=1, keepdims=True)) @ index.tools.keys.T
    z -= z.mean(axis=1, keepdims=True)
    ran = memory.tools.indices
    for i, server in enumerate("ab"):
        mine = np.array([speaking.catalog.tools[t].server == server for t in ran])
        assert margins[i].mean() == pytest.approx(z[np.arange(len(ran)), ran][mine].mean(), rel=1e-3)


def test_attention_is_shared_among_the_capabilities_that_hold_a_tool(speaking):
    axes, _ = draw(speaking)["attention"].axes
    table = np.ma.filled(np.ma.masked_invalid(axes.get_images()[0].get_array()), 0.0)
    np.testing.assert_allclose(table.sum(axis=1), 1.0, rtol=1e-5)
    held = {t for c in speaking.catalog.capabilities for t in c.tools}
    assert {label.get_text() for label in axes.get_yticklabels()} == held
    for row, tool in zip(table, axes.get_yticklabels(), strict=True):
        for share, capability in zip(row, axes.get_xticklabels(), strict=True):
            column = speaking.catalog.capability_column[capability.get_text()]
            assert (share > 0.0) == (tool.get_text() in speaking.catalog.capabilities[column].tools)


def test_a_sheet_holds_all_pictures_one_below_the_other(speaking):
    figures, sheet = draw(speaking), draw_sheet(speaking)
    assert [len(part.axes) for part in sheet.subfigs] == [len(figure.axes) for figure in figures.values()]
    assert sheet.get_figheight() == sum(figure.get_figheight() for figure in figures.values())


def test_drawing_leaves_the_settings_of_matplotlib_alone(speaking):
    import matplotlib

    before = dict(matplotlib.rcParams)
    draw(speaking)
    assert dict(matplotlib.rcParams) == before


def test_reports_and_experiments_are_imported_without_scipy_or_matplotlib():
    code = (
        "import sys; from shgat import metrics; [getattr(metrics, n) for n in metrics.__all__]; "
        "import shgat.reports.figures, shgat.reports.evaluation, shgat.experiments.ab_test, shgat.experiments.quality, "
        "shgat.experiments.counterfactual; print(*sys.modules)"
    )
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert not {"scipy", "matplotlib", "pyarrow", "pandas", "sqlalchemy"} & set(loaded)


def test_hits_of_methods_over_searches():
    (panel,) = draw_hits({"a": [0.5, 1.0], "b": [0.0, 0.25]}, 50).axes
    assert [list(line.get_xdata()) for line in panel.lines] == [[50, 100]] * 2
    assert [list(line.get_ydata()) for line in panel.lines] == [[50.0, 100.0], [0.0, 25.0]]
    assert [t.get_text() for t in panel.get_legend().get_texts()] == ["a", "b"]


def test_power_has_a_panel_a_kind():
    figure = draw_power({"shift": ([0.0, 1.0], {"any": [0.0, 1.0]}), "topic": ([0.0, 5.0], {"any": [0.5, 0.5]})})
    assert [a.get_xlabel() for a in figure.axes] == ["shift", "topic"]
    assert list(figure.axes[0].lines[0].get_ydata()) == [0.0, 100.0]
    draw_power({})


def test_the_random_walk_has_a_panel_a_method_and_a_line_a_lambda():
    figure = draw_walk({"a": ([0.1, 0.2], {0.0: [0.5, float("inf")], 0.8: [0.4, 0.3]}), "b": ([0.1], {0.0: [0.5]})}, 0.55)
    assert [len(axes.lines) for axes in figure.axes] == [2, 1]
    draw_walk({}, 1.0)


def test_suggestions_have_a_panel_a_metric_and_a_row_a_method():
    figure = draw_suggestions(
        {"a": {"Hit@1": (0.5, 0.4, 0.6), "MRR": (0.7, 0.6, 0.9)}, "b": {"Hit@1": (0, 0, 0.1), "MRR": (0.2, 0.1, 0.3)}}
    )
    first, second = figure.axes
    assert [first.get_title(loc="left"), second.get_title(loc="left")] == ["Hit@1", "MRR"]
    assert [label.get_text() for label in first.get_yticklabels()] == ["a", "b"]
    assert first.get_ylim()[0] > first.get_ylim()[1]  # the first method stands on top
    assert draw_suggestions({}).axes


def test_planted_sessions_have_a_panel_a_world_beside_that_of_errors():
    world = [10, 100], [0.5, 0.1], {"by values": [0.5, 1.0], "best policy": [1.1, 1.1]}
    figure = draw_planted({"a": world, "b": world})
    assert [len(axes.lines) for axes in figure.axes] == [2, 2, 2]
    draw_planted({})
