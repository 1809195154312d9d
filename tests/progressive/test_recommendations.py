import numpy as np

from shgat.progressive.changeset import Changes
from shgat.progressive.recommendations import HORIZON, judged, recommended

from .histories import event

DAY = 86_400


def history(n=300, *, bad=True, seed=0):
    """Commits to core/ are mended a day later; src/x.py and lib/y.py change together; features come without tests, other work with them."""
    rng = np.random.default_rng(seed)
    events, at = [], 1_500_000_000
    while len(events) < n:
        at += 10 * DAY
        draw = rng.random()
        k = len(events)
        if draw < 0.3:
            events.append(event(k, ["core/a.py", f"core/b{k % 4}.py"], "change core", time=at, label="refactor"))
            if bad and rng.random() < 0.8:
                events.append(event(k + 1, ["core/a.py"], "fix core", time=at + DAY, label="bugfix"))
        elif draw < 0.5:
            events.append(event(k, ["src/x.py", "lib/y.py"], "both", time=at, label="other"))
        elif draw < 0.75:
            events.append(event(k, [f"app/f{k % 9}.py"], "add it", time=at, label="feature"))
        else:
            events.append(event(k, [f"app/f{k % 9}.py", "tests/test_f.py"], "work", time=at, label="other"))
    return Changes.of(events[:n])


def test_what_was_planted_is_recommended_with_its_figures():
    found = {(r.claim.metric, r.claim.of): r for r in recommended(history())}
    core = found["mended", ("core",)]
    assert core.claim.now > 0.3
    assert core.claim.target < core.claim.now
    assert ("tested", ()) in found
    assert found["tested", ()].claim.now == 0.0
    (pair,) = [r for (metric, _), r in found.items() if metric == "apart"]
    assert set(pair.claim.of) == {"src/x.py", "lib/y.py"}
    assert pair.claim.now == 1.0
    assert not any(isinstance(v, float) for v in pair.record().values())


def test_where_nothing_is_wrong_with_a_folder_nothing_is_said_of_it():
    assert not [r for r in recommended(history(bad=False)) if r.claim.metric == "mended"]
    assert recommended(Changes.of([])) == []


def test_a_claim_is_upheld_or_refuted_by_the_commits_that_come_after():
    (core,) = [r for r in recommended(history()) if r.claim.metric == "mended"]
    worse, better = history(HORIZON, seed=1).rows, history(HORIZON, bad=False, seed=1).rows
    assert judged(core, worse)[0] == "refuted"
    assert judged(core, better) == ("upheld", 0.0)
    assert judged(core, better[:50])[0] == "open"
    others = Changes.of([event(i, ["z"]) for i in range(HORIZON)]).rows
    assert judged(core, others)[0] == "open"


def test_the_same_history_gives_the_same_ids():
    one, two = recommended(history(), "l"), recommended(history(), "l")
    assert one == two
    assert len({r.id for r in one}) == len(one)
