# cython: language_level=3, freethreading_compatible=True
"""Sum tree over priorities: node i holds the sum of nodes 2 i and 2 i + 1, leaves start at `leaves` (a power of two).

Schaul et al., Prioritized Experience Replay, ICLR 2016, appendix B.2.1.
"""

from libc.stdint cimport int64_t


cdef void _update(double *tree, Py_ssize_t leaves, const int64_t *slots, const double *priorities,
                  Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t i, node
    for i in range(n):
        node = leaves + slots[i]
        tree[node] = priorities[i]
        node >>= 1
        while node >= 1:
            tree[node] = tree[2 * node] + tree[2 * node + 1]
            node >>= 1


cdef void _find(const double *tree, Py_ssize_t leaves, const double *mass, int64_t *slots, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t i, node
    cdef double rest
    for i in range(n):
        node, rest = 1, mass[i]
        while node < leaves:
            node *= 2
            # The right child only where it holds something: rounding must never lead to an empty leaf.
            if rest >= tree[node] and tree[node + 1] > 0.0:
                rest -= tree[node]
                node += 1
        slots[i] = node - leaves


def update(double[::1] tree, const int64_t[::1] slots, const double[::1] priorities):
    """Sets the priorities of the slots and every sum above them; tree (2 leaves,)."""
    cdef Py_ssize_t i, leaves = tree.shape[0] // 2
    if priorities.shape[0] != slots.shape[0]:
        raise ValueError("update: slots and priorities must have one length")
    for i in range(slots.shape[0]):
        if slots[i] < 0 or slots[i] >= leaves:
            raise IndexError(f"slot {slots[i]} is outside [0, {leaves})")
    if slots.shape[0]:
        with nogil:
            _update(&tree[0], leaves, &slots[0], &priorities[0], slots.shape[0])


def find(const double[::1] tree, const double[::1] mass, int64_t[::1] slots):
    """slots (n,): the leaf in whose share of [0, tree[1]) each mass falls."""
    if slots.shape[0] != mass.shape[0]:
        raise ValueError("find: mass and slots must have one length")
    if mass.shape[0]:
        with nogil:
            _find(&tree[0], tree.shape[0] // 2, &mass[0], &slots[0], mass.shape[0])
