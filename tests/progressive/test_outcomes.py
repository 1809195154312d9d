from shgat.progressive.changeset import Changes
from shgat.progressive.outcomes import MENDED, REVERTED, WORKED, outcomes

from .histories import event

DAY = 86_400
T = 1_500_000_000


def rows(*events):
    return Changes.of(events).rows


def test_what_is_taken_back_or_mended_soon_did_not_work():
    sha = f"{0:040x}"
    found, _ = outcomes(
        rows(
            event(0, ["a", "b"], "add it", time=T),
            event(1, ["c", "d"], "add more", time=T + DAY),
            event(2, ["c"], "fix more", time=T + 2 * DAY),
            event(3, ["e"], f'Revert "add it"\n\nThis reverts commit {sha}.', time=T + 9 * DAY),
        )
    )
    assert found.tolist() == [REVERTED, MENDED, WORKED, WORKED]


def test_a_fix_that_is_late_or_of_other_files_mends_nothing():
    late = outcomes(rows(event(0, ["a"], time=T), event(1, ["a"], "fix", time=T + 4 * DAY)))[0]
    other = outcomes(rows(event(0, ["a", "b", "c"], time=T), event(1, ["a"], "fix", time=T + DAY)))[0]
    assert late.tolist() == other.tolist() == [WORKED, WORKED]


def test_what_may_still_be_mended_is_not_known():
    _, known = outcomes(rows(event(0, ["a"], time=T), event(1, ["b"], time=T + 2 * DAY), event(2, ["c"], time=T + 4 * DAY)))
    assert known.tolist() == [True, False, False]
    assert outcomes([])[1].tolist() == []
