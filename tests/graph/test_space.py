"""Names of encoders: which vectors may be compared."""

import pytest

from shgat import Catalog, CatalogError
from shgat.graph.space import comparable, space_of


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        ("a", "a", True),
        ("a", "b", False),
        ("", "b", True),
        ("a::static-1", "a::onnx-2", True),
        ("a", "a::onnx-2", True),
        ("a::x", "b::x", False),
        ("ab::x", "a::x", False),
    ],
)
def test_encoders_of_one_space_belong_together(one, other, together):
    assert comparable(one, other) is comparable(other, one) is together
    catalog = Catalog.from_records([{"id": "t", "embedding": [1.0] * 8}], encoder=one)
    if together:
        catalog.check_encoder(other, "the model")
    else:
        with pytest.raises(CatalogError, match="make both by one"):
            catalog.check_encoder(other, "the model")


def test_a_space_is_what_stands_before_the_maker():
    assert space_of("all-MiniLM-L6-v2::onnx-1") == space_of("all-MiniLM-L6-v2") == "all-MiniLM-L6-v2"
