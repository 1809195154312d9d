"""Settings: the figures of the design, and what is refused."""

import pytest

from shgat.errors import InputError
from shgat.td import TDConfig


def test_the_defaults_are_those_of_the_design():
    config = TDConfig()
    assert (config.gamma, config.lam, config.lr) == (0.99, 0.95, 0.001)
    assert TDConfig.from_dict(config.to_dict()) == config


@pytest.mark.parametrize(
    "wrong",
    [
        {"gamma": 1.1},
        {"lam": -0.1},
        {"lam": float("nan")},
        {"rule": "q"},
        {"correction": "all", "rule": "expected"},
        {"correction": "retrace"},
        {"refresh": -1},
        {"refresh": True},
        {"epochs": 0},
        {"ratio_clip": 0.0},
        {"held_out": 1.0},
    ],
)
def test_what_is_no_setting_is_refused_by_name(wrong):
    with pytest.raises(InputError, match=f"TDConfig.{next(iter(wrong))}"):
        TDConfig(**wrong)


def test_an_unknown_field_is_named():
    with pytest.raises(InputError, match="'lambda'"):
        TDConfig.from_dict({"lambda": 0.5})
