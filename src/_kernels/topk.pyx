# cython: language_level=3, freethreading_compatible=True
"""The k best of n scores by a bounded heap, O(n + k log k log n) on typical input, ties to the lower index; ranks; and votes."""

from libc.stdint cimport int32_t, int64_t
from libc.string cimport memset

cimport _elements as el


cdef inline bint _worse(float a, int32_t i, float b, int32_t j) noexcept nogil:
    return a < b or (a == b and i > j)


cdef void _sift_down(float *score, int32_t *index, Py_ssize_t n, Py_ssize_t root) noexcept nogil:
    cdef Py_ssize_t child
    while 2 * root + 1 < n:
        child = 2 * root + 1
        if child + 1 < n and _worse(score[child + 1], index[child + 1], score[child], index[child]):
            child += 1
        if not _worse(score[child], index[child], score[root], index[root]):
            return
        score[root], score[child] = score[child], score[root]
        index[root], index[child] = index[child], index[root]
        root = child


cdef void _top(const float *x, Py_ssize_t n, float *score, int32_t *index, Py_ssize_t k) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(k):
        score[i], index[i] = x[i], <int32_t> i
    for i in range(k // 2 - 1, -1, -1):
        _sift_down(score, index, k, i)
    for i in range(k, n):
        if x[i] > score[0]:
            score[0], index[0] = x[i], <int32_t> i
            _sift_down(score, index, k, 0)
    for i in range(k - 1, 0, -1):       # heap sort: the worst goes to the end
        score[0], score[i] = score[i], score[0]
        index[0], index[i] = index[i], index[0]
        _sift_down(score, index, i, 0)


def top_k(const float[::1] scores, float[::1] best, int32_t[::1] indices):
    """best (k,), indices (k,): the k highest scores in descending order, k <= n.

    The GIL is released from 16 384 scores on: for fewer, to get it back takes longer than the work.
    """
    if best.shape[0] > scores.shape[0] or indices.shape[0] != best.shape[0]:
        raise ValueError(f"top_k: {best.shape[0]} of {scores.shape[0]} scores into {indices.shape[0]} indices")
    if best.shape[0] and scores.shape[0] > el.BRIEF:
        with nogil:
            _top(&scores[0], scores.shape[0], &best[0], &indices[0], best.shape[0])
    elif best.shape[0]:
        _top(&scores[0], scores.shape[0], &best[0], &indices[0], best.shape[0])


cdef void _ranks(const float *x, Py_ssize_t n, const int32_t[::1] indptr, const int32_t[::1] indices,
                 int64_t[::1] out) noexcept nogil:
    cdef Py_ssize_t row, e
    for row in range(indptr.shape[0] - 1):
        for e in range(indptr[row], indptr[row + 1]):
            out[e] = el.rank(x + row * n, n, indices[e])


def ranks(const float[:, ::1] scores, const int32_t[::1] indptr, const int32_t[::1] indices, int64_t[::1] out):
    """out (nnz,): within each row of scores (B, n) the 1-based ranks of the columns in (indptr, indices), ties to the lower one."""
    if indptr.shape[0] != scores.shape[0] + 1 or indices.shape[0] != out.shape[0]:
        raise ValueError(f"ranks: scores ({scores.shape[0]}, {scores.shape[1]}), {indptr.shape[0] - 1} rows with "
                         f"{indices.shape[0]} columns into {out.shape[0]} ranks")
    if out.shape[0]:
        with nogil:
            _ranks(&scores[0, 0], scores.shape[1], indptr, indices, out)


def vote(const int32_t[::1] rows, const float[::1] weights, double fade, double floor, const int32_t[::1] indptr,
         const int32_t[::1] indices, float[::1] out):
    """out_t = log(floor + fade sum of weights_i over rows_i of the incidence (indptr, indices) that hold t / sum of weights)."""
    cdef Py_ssize_t i, e
    cdef double total = 1e-9
    cdef float share
    if rows.shape[0] != weights.shape[0]:
        raise ValueError(f"vote: {rows.shape[0]} rows with {weights.shape[0]} weights")
    if not out.shape[0]:
        return
    with nogil:
        memset(&out[0], 0, out.shape[0] * sizeof(float))
        for i in range(rows.shape[0]):
            total += weights[i]
        for i in range(rows.shape[0]):
            share = <float> (fade * weights[i] / total)
            for e in range(indptr[rows[i]], indptr[rows[i] + 1]):
                out[indices[e]] += share
        el.log_above(<float> floor, out.shape[0], &out[0])
