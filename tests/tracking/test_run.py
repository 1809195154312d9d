"""Experiments and names are checked where they are given."""

import pytest

from shgat.errors import InputError
from shgat.tracking import Experiment, Run
from shgat.tracking.run import artefact_name


@pytest.mark.parametrize("given", [{"name": ""}, {"name": 3}, {"hypothesis": 7}, {"metrics": "mrr"}, {"metrics": (1,)}])
def test_what_is_no_experiment_is_refused(given):
    with pytest.raises(InputError):
        Experiment(**given)


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\\b", ".hidden", "x" * 201, "a:b", 3])
def test_what_can_be_no_file_is_no_name(name):
    with pytest.raises(InputError, match="the name of an artefact"):
        artefact_name(name)


def test_a_run_says_how_long_it_took():
    assert Run("a", "b", started_at=1.0).seconds is None
    assert Run("a", "b", started_at=1.0, ended_at=3.5).to_dict()["seconds"] == 2.5
