# cython: language_level=3, freethreading_compatible=True
"""What becomes of the channels' scores: shares, votes of capabilities, their weighted sum, and the probability of it.

Each works on rows of n scores, one a request. The GIL is released from 16 384 numbers on: for fewer, to get it back takes longer
than the work.
"""

from libc.math cimport INFINITY
from libc.stdint cimport int32_t, int64_t
from libc.string cimport memset

cimport _elements as el


cdef void _log_softmax(const float *z, Py_ssize_t rows, Py_ssize_t n, float *out) noexcept nogil:
    cdef float top, total
    cdef Py_ssize_t i
    for i in range(rows):
        total = el.exp_shifted(z + i * n, n, 1.0, &top, out + i * n)
        el.shift_to(top, z + i * n, n, out + i * n)         # in this order: top may be far larger than the scores differ
        el.shift_to(total, out + i * n, n, out + i * n)


cdef void _route(const float *z, Py_ssize_t rows, Py_ssize_t m, const int32_t *columns, const int32_t *source, Py_ssize_t nnz,
                 float known, float floor, float *p, Py_ssize_t n, float *out) noexcept nogil:
    cdef float top, scale
    cdef float *mass
    cdef Py_ssize_t i, j, e
    for i in range(rows):
        mass = out + i * n
        memset(mass, 0, n * sizeof(float))
        el.exp_shifted(z + i * m, m, 1.0, &top, p)
        scale = 0.0
        for j in range(m):
            scale += p[j]
        for j in range(m):                                  # also where no capability is left, and all would share the whole
            p[j] = p[j] / scale if z[i * m + j] > known else 0.0
        for e in range(nnz):
            mass[columns[e]] += p[source[e]]
        el.log_above(floor, n, mass)


cdef void _tally(const float *alike, Py_ssize_t rows, Py_ssize_t m, const int64_t *trace, const int64_t *place,
                 const double *count, const double *good, Py_ssize_t entries, Py_ssize_t n, double *worked,
                 double *total) noexcept nogil:
    cdef double weight
    cdef Py_ssize_t i, e
    for i in range(rows):
        for e in range(entries):
            weight = alike[i * m + trace[e]] * count[e]
            worked[i * n + place[e]] += weight * good[e]
            total[i * n + place[e]] += weight


cdef inline void _keep(float *best, Py_ssize_t k, float value) noexcept nogil:
    """best (k,), ascending, with a value in place of its lowest where that is lower."""
    cdef Py_ssize_t at = 0
    if value > best[0]:
        while at + 1 < k and value > best[at + 1]:
            best[at] = best[at + 1]
            at += 1
        best[at] = value


def log_softmax(const float[:, ::1] z, float[:, ::1] out):
    """out = z - log sum exp z, row by row; out is not z."""
    cdef Py_ssize_t rows = z.shape[0], n = z.shape[1]
    if out.shape[0] != rows or out.shape[1] != n:
        raise ValueError("log_softmax: shapes do not fit")
    if rows * n > el.BRIEF:
        with nogil:
            _log_softmax(&z[0, 0], rows, n, &out[0, 0])
    elif rows * n:
        _log_softmax(&z[0, 0], rows, n, &out[0, 0])


def route(const float[:, ::1] z, const int32_t[::1] columns, const int32_t[::1] source, float known, float floor,
          float[::1] p, float[:, ::1] out):
    """out[i, t] = log(floor + sum of p_c over entries (t, c) of columns and source), p = softmax of row i of z, 0 where z <= known.

    p : (m,) scratch
    """
    cdef Py_ssize_t rows = z.shape[0], m = z.shape[1], n = out.shape[1], nnz = columns.shape[0]
    if out.shape[0] != rows or p.shape[0] != m or source.shape[0] != nnz:
        raise ValueError("route: shapes do not fit")
    if not rows or not n or not m:
        return
    cdef const int32_t *columns_ = &columns[0] if nnz else NULL
    cdef const int32_t *source_ = &source[0] if nnz else NULL
    if rows * (n + nnz) > el.BRIEF:
        with nogil:
            _route(&z[0, 0], rows, m, columns_, source_, nnz, known, floor, &p[0], n, &out[0, 0])
    else:
        _route(&z[0, 0], rows, m, columns_, source_, nnz, known, floor, &p[0], n, &out[0, 0])


def add_weighted(const float[::1] factor, const float[:, ::1] s, float[:, ::1] total):
    """total[i] += factor s[i]."""
    cdef Py_ssize_t i, rows = s.shape[0], n = s.shape[1]
    if factor.shape[0] != n or total.shape[0] != rows or total.shape[1] != n:
        raise ValueError("add_weighted: shapes do not fit")
    if rows * n > el.BRIEF:
        with nogil:
            for i in range(rows):
                el.fma_rows(&factor[0], &s[i, 0], n, &total[i, 0])
    elif n:
        for i in range(rows):
            el.fma_rows(&factor[0], &s[i, 0], n, &total[i, 0])


def probability(const float[:, ::1] s, const float[::1] slopes, const float[::1] knots, const float[::1] start, float least,
                float most, float[:, ::1] out):
    """out = sigmoid of start[i] + a line through s with a bend at each knot, kept within [least, most]; out may be s.

    slopes : (bends + 1,), from left to right
    """
    cdef Py_ssize_t i, rows = s.shape[0], n = s.shape[1], bends = knots.shape[0]
    if slopes.shape[0] != bends + 1 or start.shape[0] != rows or out.shape[0] != rows or out.shape[1] != n:
        raise ValueError("probability: shapes do not fit")
    cdef const float *knots_ = &knots[0] if bends else NULL
    if rows * n > el.BRIEF:
        with nogil:
            for i in range(rows):
                el.bent_sigmoid(&s[i, 0], n, &slopes[0], knots_, bends, start[i], least, most, &out[i, 0])
    elif n:
        for i in range(rows):
            el.bent_sigmoid(&s[i, 0], n, &slopes[0], knots_, bends, start[i], least, most, &out[i, 0])


def tally(const float[:, ::1] alike, const int64_t[::1] trace, const int64_t[::1] place, const double[::1] count,
          const double[::1] good, double[:, ::1] worked, double[:, ::1] total):
    """total[i, place_e] += alike[i, trace_e] count_e for every entry e, worked the same times good_e."""
    cdef Py_ssize_t rows = alike.shape[0], entries = trace.shape[0]
    if place.shape[0] != entries or count.shape[0] != entries or good.shape[0] != entries or worked.shape[0] != rows \
            or total.shape[0] != rows or total.shape[1] != worked.shape[1]:
        raise ValueError("tally: shapes do not fit")
    if rows and entries:
        with nogil:
            _tally(&alike[0, 0], rows, alike.shape[1], &trace[0], &place[0], &count[0], &good[0], entries, worked.shape[1],
                   &worked[0, 0], &total[0, 0])


def mean_of_highest(const float[:, ::1] x, const float[:, ::1] y, float[::1] best, float[::1] out):
    """out[i] = mean of the k highest numbers of both row i of x and row i of y, which hold at least k.

    best : (k,) scratch, k >= 1
    """
    cdef Py_ssize_t i, j, rows = x.shape[0], k = best.shape[0]
    cdef double total
    if y.shape[0] != rows or out.shape[0] != rows or not 1 <= k <= x.shape[1] + y.shape[1]:
        raise ValueError("mean_of_highest: shapes do not fit")
    for i in range(rows):
        for j in range(k):
            best[j] = -INFINITY
        for j in range(x.shape[1]):
            _keep(&best[0], k, x[i, j])
        for j in range(y.shape[1]):
            _keep(&best[0], k, y[i, j])
        total = 0.0
        for j in range(k):
            total += best[j]
        out[i] = <float> (total / k)
