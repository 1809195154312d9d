import orjson
import pytest

from shgat.errors import BusyError, CorruptError, QuotaError
from shgat.progressive.events import canonical, events
from shgat.progressive.generator import Plan, make
from shgat.progressive.history import History
from shgat.progressive.layout import Layout
from shgat.progressive.ledger import Ledger
from shgat.progressive.lock import locked
from shgat.progressive.recorded import forecasts_of, histories, history, measured, stats_of
from workspaces import lines_of, loop_of


def test_histories_are_those_of_the_ledger_whether_archived_or_not(filled, three):
    found = list(histories(filled))
    assert [len(h.changes.rows) for h in found] == [len(history(path).rows) for path in three]
    assert all(h.latest for h in found)


def test_a_file_of_events_is_a_history_too(three, tmp_path):
    file = tmp_path / "r.jsonl"
    file.write_bytes(b"".join(canonical(e) + b"\n" for e in events(History.of(three[0]))))
    assert history(file).rows == history(three[0]).rows
    (tmp_path / "bad.jsonl").write_text("no events")
    with pytest.raises(CorruptError, match="shgat replay"):
        history(tmp_path / "bad.jsonl")


def test_forecasts_of_one_run_are_resolved_by_the_commits_of_the_next(tmp_path, git):
    made = make(tmp_path / "grown.git", Plan(seed=11, commits=150, adversarial=False))
    head = git(made.path, "rev-parse", "HEAD")
    commits = git(made.path, "rev-list", "--first-parent", "HEAD").split()
    git(made.path, "update-ref", "refs/heads/main", commits[40])
    root = tmp_path / "ws"
    loop_of(root).run(lines_of(made.path))
    layout = Layout(root)
    first = measured(layout)
    assert first["book"]["open"] == first["book"]["made"] > 0
    git(made.path, "update-ref", "refs/heads/main", head)
    loop_of(root).run(lines_of(made.path), again=True)
    second = measured(layout)
    assert second["repositories"] == 1
    assert second["book"]["hit"] + second["book"]["miss"] > 0
    assert orjson.loads(stats_of(layout).read_bytes()) == orjson.loads(orjson.dumps(second))
    before = forecasts_of(layout).read_bytes()
    assert measured(layout)["book"] == second["book"]
    assert forecasts_of(layout).read_bytes() == before
    assert Ledger(layout).verify() == []


def test_who_is_not_alone_or_has_no_room_writes_nothing(tmp_path, three):
    root = tmp_path / "ws"
    loop_of(root).run(lines_of(three[0]))
    layout = Layout(root)
    with locked(layout.lock), pytest.raises(BusyError):
        measured(layout)
    about = orjson.loads(layout.about.read_bytes())
    layout.about.write_bytes(canonical(about | {"quota": 20_000}))
    with pytest.raises(QuotaError, match="twentieth"):
        measured(layout)
    assert not stats_of(layout).exists()
