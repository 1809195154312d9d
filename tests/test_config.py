"""SHGATConfig names the field that is wrong."""

import math

import pytest

from shgat import InputError, SHGATConfig, adaptive_heads


@pytest.mark.parametrize(
    ("n_tools", "n_capabilities", "max_level", "expected"),
    [
        (0, 0, 0, (4, 16)),
        (29, 20, 0, (4, 16)),
        (30, 20, 0, (6, 16)),
        (100, 99, 1, (6, 16)),
        (100, 100, 1, (8, 32)),
        (499, 0, 2, (9, 32)),
        (400, 100, 0, (12, 32)),
        (400, 100, 3, (14, 32)),
        (999, 0, 7, (14, 32)),
        (1000, 0, 0, (16, 32)),
        (1000, 0, 2, (16, 32)),
        (10**6, 10**6, 9, (16, 32)),
        (10, 10, 2, (5, 16)),
        (10, 10, 3, (6, 16)),
    ],
)
def test_adaptive_heads(n_tools, n_capabilities, max_level, expected):
    assert adaptive_heads(n_tools, n_capabilities, max_level) == expected


def test_adaptive_heads_refuses_negative_sizes():
    with pytest.raises(InputError, match="n_capabilities"):
        adaptive_heads(1, -1)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("attention", "gat3"),
        ("similarity", None),
        ("fusion", 1),
        ("reliability", "no"),
        ("n_heads", 0),
        ("n_heads", True),
        ("d_head", 1.5),
        ("n_message_heads", -1),
        ("message_passing", None),
        ("node_offsets", 1),
        ("slope", None),
        ("slope", 1.0),
        ("slope", math.nan),
        ("log_scale", None),
        ("log_scale", math.inf),
        ("log_scale", "3"),
    ],
)
def test_bad_fields_are_named(field, value):
    with pytest.raises(InputError, match=f"SHGATConfig.{field}"):
        SHGATConfig(**{field: value})
    with pytest.raises(InputError, match=f"SHGATConfig.{field}"):
        SHGATConfig.from_dict({field: value})


def test_from_dict():
    config = SHGATConfig(n_heads=3, attention="gat", node_offsets=True)
    assert SHGATConfig.from_dict(config.to_dict()) == config
    with pytest.raises(InputError, match="no field 'heads'"):
        SHGATConfig.from_dict({"heads": 3})
