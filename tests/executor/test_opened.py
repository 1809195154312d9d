"""Which executor is meant."""

import pytest

from shgat.errors import InputError
from shgat.executor import Processes, Serial, open_executor
from shgat.executor.opened import processors


def test_one_job_stays_here_and_more_are_processes():
    with open_executor(jobs=1) as one:
        assert isinstance(one, Serial)
    with open_executor(jobs=3) as three:
        assert isinstance(three, Processes)
        assert three.jobs == 3
    with open_executor() as several:
        assert several.jobs == processors() >= 1


@pytest.mark.parametrize(("name", "jobs"), [("dask", None), ("ray", None), ("", 0), ("", True), ("ray:local", -1)])
def test_what_means_nothing_is_refused(name, jobs):
    with pytest.raises(InputError):
        open_executor(name, jobs)
