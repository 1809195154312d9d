"""`shgat benchmark teams`: a real ranker that is told who asks, beside one that is not."""

import orjson
import pytest

from shgat.cli import main
from worlds import SAMPLE, real_set


def benchmark(capfd, *arguments):
    code = main(["benchmark", "teams", *map(str, arguments)])
    captured = capfd.readouterr()
    return code, captured.out, captured.err


@pytest.mark.slow
def test_a_table_of_days(capfd):
    code, out, err = benchmark(capfd, "--data", SAMPLE, "--days", 2, "--asks", 4)
    assert code == 0
    assert "sample: 83 tools, three teams of 4 intents a day" in out
    assert "contrary" in out
    assert "95 % interval" in out
    assert err.splitlines() == ["sample: 2 days with nobody named", "sample: 2 days with the teams named"]


@pytest.mark.slow
def test_habits_of_its_own_are_worth_it_and_those_of_all_lose_nothing(capfd):
    """Measured: +8.3 points (+4.3 to +12.3) for the contrary team, -1.7 (-4.7 to +1.3) and -0.7 (-4.0 to +2.7) for the others."""
    code, out, _ = benchmark(capfd, "--data", real_set("n8n"), "--asks", 60, "--json")
    assert code == 0
    found = orjson.loads(out)["sets"]["n8n"]
    assert found["hit_at_1"]["contrary"]["low"] > 0.0
    assert min(found["hit_at_1"][team]["high"] for team in ("usual", "alike")) > 0.0
    told = found["gateway"]["principals"]
    assert [told[team]["counts"] for team in ("usual", "alike", "contrary")] == [False, False, True]
