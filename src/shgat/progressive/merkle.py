"""Merkle trees of RFC 6962: one hash that stands for a list of lines, and short proofs about it.

Leaf SHA-256(0x00 || line), node SHA-256(0x01 || left || right), and an odd node goes up as it is, which gives the tree of the RFC: the
left side of n leaves has the largest power of two below n. The root of nothing is SHA-256 of nothing.
"""

import hashlib
from collections.abc import Iterable, Sequence

_CHUNK = 1 << 12  # leaves that are hashed level by level
_sha256 = hashlib.sha256


def leaf(line: bytes) -> bytes:
    """The hash of a line, without its line feed."""
    return _sha256(b"\0" + line).digest()


def node(left: bytes, right: bytes) -> bytes:
    """The hash of two hashes."""
    return _sha256(b"\1" + left + right).digest()


class Tree:
    """The root of leaves that come one after another, in memory that does not grow with them.

    Attributes
    ----------
    n : leaves so far
    """

    def __init__(self) -> None:
        self.n = 0
        self._pending: list[bytes] = []
        self._stack: list[tuple[int, bytes]] = []  # (height, root) of whole subtrees, from the left

    def add(self, line: bytes) -> None:
        """One more line."""
        self._pending.append(_sha256(b"\0" + line).digest())
        self.n += 1
        if len(self._pending) == _CHUNK:
            height, whole = 0, _folded(self._pending)
            self._pending = []
            while self._stack and self._stack[-1][0] == height:
                whole = node(self._stack.pop()[1], whole)
                height += 1
            self._stack.append((height, whole))

    def root(self) -> bytes:
        """Of the lines so far."""
        if not self.n:
            return _sha256(b"").digest()
        found = _folded(self._pending) if self._pending else b""
        for _, left in reversed(self._stack):
            found = node(left, found) if found else left
        return found


def _folded(level: Sequence[bytes]) -> bytes:
    while len(level) > 1:
        odd = len(level) % 2
        above = [_sha256(b"\1" + level[i] + level[i + 1]).digest() for i in range(0, len(level) - odd, 2)]
        level = [*above, level[-1]] if odd else above
    return level[0]


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The root of leaf hashes."""
    return _folded(leaves) if leaves else _sha256(b"").digest()


def root_of_lines(lines: Iterable[bytes]) -> bytes:
    """The root of lines."""
    tree = Tree()
    for line in lines:
        tree.add(line)
    return tree.root()


def _split(n: int) -> int:
    """The largest power of two below n."""
    return 1 << ((n - 1).bit_length() - 1)


def inclusion(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The hashes that lead from leaf `index` to the root (RFC 6962, 2.1.1)."""
    if not 0 <= index < len(leaves):
        raise IndexError(index)
    proof = []
    while len(leaves) > 1:
        k = _split(len(leaves))
        if index < k:
            proof.append(root_of(leaves[k:]))
            leaves = leaves[:k]
        else:
            proof.append(root_of(leaves[:k]))
            leaves, index = leaves[k:], index - k
    return proof[::-1]


def included(line: bytes, index: int, n: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Do the hashes of `inclusion` lead from a line at `index` of `n` to the root?"""
    if not 0 <= index < n:
        return False
    found, last, steps = leaf(line), n - 1, list(proof)
    while last:
        if index % 2 or index < last:
            if not steps:
                return False
            beside = steps.pop(0)
            found = node(beside, found) if index % 2 else node(found, beside)
        index, last = index // 2, last // 2
    return not steps and found == root


def consistency(leaves: Sequence[bytes], m: int) -> list[bytes]:
    """The hashes that show that the first `m` leaves are a beginning of all (RFC 6962, 2.1.2)."""
    if not 0 < m <= len(leaves):
        raise IndexError(m)
    return _consistency(leaves, m, True)


def _consistency(leaves: Sequence[bytes], m: int, whole: bool) -> list[bytes]:
    n = len(leaves)
    if m == n:
        return [] if whole else [root_of(leaves)]
    k = _split(n)
    if m <= k:
        return [*_consistency(leaves[:k], m, whole), root_of(leaves[k:])]
    return [*_consistency(leaves[k:], m - k, False), root_of(leaves[:k])]


def consistent(m: int, n: int, before: bytes, after: bytes, proof: Sequence[bytes]) -> bool:
    """Do the hashes of `consistency` show that `before`, of `m` leaves, is a beginning of `after`, of `n`?"""
    if m == n:
        return before == after and not proof
    if not 0 < m < n:
        return False
    steps = list(proof)
    if m & (m - 1) == 0:
        steps.insert(0, before)
    if not steps:
        return False
    first, last = m - 1, n - 1
    while first % 2:
        first, last = first // 2, last // 2
    old = new = steps.pop(0)
    for beside in steps:
        if not last:
            return False
        if first % 2 or first == last:
            old, new = node(beside, old), node(beside, new)
            while first and first % 2 == 0:
                first, last = first // 2, last // 2
        else:
            new = node(new, beside)
        first, last = first // 2, last // 2
    return not last and old == before and new == after
