import pytest

from shgat.integrations import Found


@pytest.mark.parametrize(
    ("names", "n", "said"),
    [
        (("mail",), 1, ""),
        (("mail",), 2, ""),
        ((), 1, "No tool here"),
        (("mail",), 3, "search 3 in a row"),
        ((), 4, "search 4 in a row"),
    ],
)
def test_a_model_is_told_what_it_should_know(names, n, said):
    found = Found("1", names).noted(n)
    assert said in found.note
    assert bool(said) is bool(found.note)
    assert found.names == names
