import pytest

from shgat.errors import InputError
from shgat.web.limits import Limits, Rates


def test_a_client_has_its_rate_and_a_burst_of_two_seconds():
    now = [0.0]
    rates = Rates(lambda: now[0])
    assert [rates.wait("a", 5.0) for _ in range(10)] == [0.0] * 10
    assert rates.wait("a", 5.0) == pytest.approx(0.2)
    assert rates.wait("b", 5.0) == 0.0
    now[0] += 0.2
    assert rates.wait("a", 5.0) == 0.0
    assert rates.wait("a", 5.0) > 0.0


def test_a_slow_rate_still_lets_one_through():
    now = [0.0]
    rates = Rates(lambda: now[0])
    assert rates.wait("a", 0.01) == 0.0
    assert rates.wait("a", 0.01) == pytest.approx(100.0)


def test_clients_are_forgotten_beyond_ten_thousand():
    rates = Rates(lambda: 0.0)
    for i in range(10_050):
        rates.wait(str(i), 1.0)
    assert len(rates._buckets) == 10_000


@pytest.mark.parametrize("wrong", [{"body": 0}, {"rate": 0.0}, {"headers_seconds": -1.0}, {"in_flight": 1.5}])
def test_limits_that_make_no_sense_are_refused(wrong):
    with pytest.raises(InputError, match=next(iter(wrong))):
        Limits(**wrong)
