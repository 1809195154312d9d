"""The gate: better than cosine, no worse than production, and over the floors."""

import pytest

from pipeline import town
from shgat.store import Store


def test_a_better_one_passes_with_its_figures(trained, up_to):
    facts = up_to(trained(gate={"floors": {"recall@5": 0.5}}), "compare").facts("compare")
    assert facts["passed"]
    assert facts["production"] is None
    (cosine,) = [c for c in facts["comparisons"] if c["part"] == "all"]
    assert cosine["low"] > 0.2
    assert facts["metrics"]["recall@5"] > 0.7


def test_a_habit_that_is_not_so_any_more_is_refused(make, rng, sqlite_url):
    """Labels shuffled alike everywhere: training believes them, the held-out traces do not."""
    town.fill(
        sqlite_url,
        [*town.lived(rng, 200, town.former, end=-2.0, name="w"), *town.lived(rng, 50, lambda wish: wish, begin=-1.9, name="g")],
    )
    run = make().run()
    assert (run.status, list(run.steps)[-1]) == ("refused", "compare")
    assert "cosine" in run.reason
    with Store.open(sqlite_url) as store:
        assert store.model_versions() == []
        assert store.moves() == []


@pytest.mark.slow
def test_what_serves_is_a_rival(trained, make, up_to):
    assert trained().run().status == "promoted"
    pipeline = make(training={"seed": 3})
    facts = up_to(pipeline, "compare").facts("compare")
    assert facts["production"] == 1
    assert {c["against"] for c in facts["comparisons"]} == {"cosine", "production"}


def test_a_floor_is_kept_however_bad_everything_else_is(trained):
    run = trained(gate={"floors": {"recall@5": 0.99}}).run()
    assert (run.status, list(run.steps)[-1]) == ("refused", "compare")
    assert run.reason.startswith("recall@5 is 0.")
    assert run.reason.endswith("at least 0.99 is asked for")


def test_too_few_held_out(trained):
    run = trained(gate={"least": 60}).run()
    assert run.status == "refused"
    assert "40 held-out intents" in run.reason
