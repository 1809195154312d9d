"""Bars of the kernel."""

import pytest

from shgat.progressive import kernel_bars
from shgat.progressive.bar import Bench
from shgat.progressive.events import canonical
from shgat.progressive.unit import BUDGET, checked


def test_a_synthetic_summary_is_at_its_cap():
    found = checked(kernel_bars.synthetic(1))
    assert 0.94 * BUDGET < len(canonical(found)) <= BUDGET
    assert found["dropped"]["pairs"] > 0
    assert canonical(found) == canonical(kernel_bars.synthetic(1))


@pytest.mark.slow
def test_bars(tmp_path):
    bench = Bench([], tmp_path)
    assert kernel_bars.laws(bench).reached
    assert "2281 lineages" in kernel_bars.size(bench).wanted
