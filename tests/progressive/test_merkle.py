"""The trees are those of RFC 6962: the oracle is pymerkle, the laws are the RFC's."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymerkle import InmemoryTree

from shgat.progressive import merkle

SIZES = [*range(1, 20), 31, 32, 33, 4095, 4096, 4097, 9000]


def lines(n):
    return [b"line %d" % i for i in range(n)]


def leaves(n):
    return [merkle.leaf(line) for line in lines(n)]


def test_the_root_of_nothing():
    assert merkle.root_of([]) == merkle.root_of_lines([]) == hashlib.sha256(b"").digest()


@pytest.mark.parametrize("n", SIZES)
def test_the_same_root_as_pymerkle(n):
    oracle = InmemoryTree(algorithm="sha256")
    for line in lines(n):
        oracle.append_entry(line)
    assert merkle.root_of_lines(lines(n)) == merkle.root_of(leaves(n)) == oracle.get_root()


def test_a_root_can_be_asked_for_at_any_time():
    tree = merkle.Tree()
    for n in range(1, 9000):
        tree.add(b"line %d" % (n - 1))
        if n in SIZES:
            assert tree.root() == merkle.root_of(leaves(n))
    assert tree.n == 8999


@given(st.data())
def test_inclusion(data):
    n = data.draw(st.integers(1, 70))
    i = data.draw(st.integers(0, n - 1))
    proof, root = merkle.inclusion(leaves(n), i), merkle.root_of(leaves(n))
    line = lines(n)[i]
    assert merkle.included(line, i, n, proof, root)
    assert not merkle.included(line + b"x", i, n, proof, root)
    assert not merkle.included(line, i, n, [*proof, root], root)
    if n > 1:
        assert not merkle.included(line, (i + 1) % n, n, proof, root)
        assert not merkle.included(line, i, n, proof[:-1], root)
        assert not merkle.included(line, i, n, [bytes(32), *proof[1:]], root)
    assert not merkle.included(line, n, n, proof, root)


@given(st.data())
def test_consistency(data):
    n = data.draw(st.integers(1, 70))
    m = data.draw(st.integers(1, n))
    before, after = merkle.root_of(leaves(m)), merkle.root_of(leaves(n))
    proof = merkle.consistency(leaves(n), m)
    assert merkle.consistent(m, n, before, after, proof)
    assert not merkle.consistent(m, n, bytes(32), after, proof)
    assert not merkle.consistent(m, n, before, bytes(32), proof)
    if proof:
        assert not merkle.consistent(m, n, before, after, proof[:-1])
        assert not merkle.consistent(m, n, before, after, [*proof, bytes(32)])
        assert not merkle.consistent(m, n, before, after, [bytes(32), *proof[1:]])
    assert not merkle.consistent(n + 1, n, before, after, proof)


def test_what_is_not_there_has_no_proof():
    with pytest.raises(IndexError):
        merkle.inclusion(leaves(3), 3)
    with pytest.raises(IndexError):
        merkle.consistency(leaves(3), 0)
