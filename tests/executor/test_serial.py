"""One process: nothing is copied, and work is done when it is asked for."""

import os

import numpy as np
import pytest

from executor import work
from shgat.executor import Serial


def test_it_works_here_on_the_value_itself():
    value = np.zeros((2, 2))
    with Serial() as executor:
        shared = executor.share(value)
        assert shared.value is value
        assert list(executor.map(work.name, shared, [1, 2])) == [os.getpid()] * 2
        assert (executor.jobs, executor.moved) == (1, 0)
        with pytest.raises(ZeroDivisionError):
            list(executor.map(work.stumbles, shared, [2]))
