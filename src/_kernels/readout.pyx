# cython: language_level=3, freethreading_compatible=True
"""Readout: cosine between queries and cached keys, and one request as two matrix-vector products.

    q = W x,  k_n = W_k X_n,  z_n = scale (q / |q|) . (k_n / |k_n|)
"""

from libc.math cimport sqrt
from libc.stdint cimport int32_t

cimport _blas
cimport _elements as el


cdef inline float _inverse(float norm) noexcept nogil:
    return 1.0 / norm if norm > 1e-12 else 0.0      # a zero row has no direction, and no gradient


cdef void _normalize(const float *x, Py_ssize_t n, Py_ssize_t d, float *out, float *norms) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        norms[i] = <float> sqrt(el.sum_of_squares(x + i * d, d))
        el.scale_to(_inverse(norms[i]), x + i * d, d, out + i * d)


cdef void _normalize_backward(const float *d_out, const float *out, const float *norms, Py_ssize_t n, Py_ssize_t d,
                              float *d_x) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        el.reject(_inverse(norms[i]), d_out + i * d, out + i * d, el.dot(d_out + i * d, out + i * d, d), d, d_x + i * d)


def normalize_rows(const float[:, ::1] x, float[:, ::1] out, float[::1] norms):
    """out_i = x_i / |x_i|, norms (n,); a zero row stays zero. out may be x."""
    if x.shape[0] and x.shape[1]:
        with nogil:
            _normalize(&x[0, 0], x.shape[0], x.shape[1], &out[0, 0], &norms[0])


def normalize_rows_backward(const float[:, ::1] d_out, const float[:, ::1] out, const float[::1] norms,
                            float[:, ::1] d_x):
    """d_x_i = (d_out_i - out_i (out_i . d_out_i)) / |x_i|, zero for a zero row; d_x may be d_out."""
    if d_out.shape[0] and d_out.shape[1]:
        with nogil:
            _normalize_backward(&d_out[0, 0], &out[0, 0], &norms[0], d_out.shape[0], d_out.shape[1], &d_x[0, 0])


def score_intent(const float[::1] x, const float[:, ::1] w, const float[:, ::1] keys, float scale, bint unit,
                 float[::1] q, float[::1] z):
    """z (n,) = scale keys (n, D) . q, q (D,) = w (D, d) x, divided by |q| where `unit`."""
    cdef float inverse = 1.0
    if (w.shape[1] != x.shape[0] or keys.shape[1] != w.shape[0] or z.shape[0] != keys.shape[0]
            or q.shape[0] != w.shape[0]):
        raise ValueError("score_intent: shapes do not fit")
    with nogil:
        _blas.gemv_n(w.shape[0], w.shape[1], 1.0, &w[0, 0], &x[0], 0.0, &q[0])
        if unit:
            inverse = _inverse(<float> sqrt(el.sum_of_squares(&q[0], q.shape[0])))
        if keys.shape[0]:
            _blas.gemv_n(keys.shape[0], keys.shape[1], scale * inverse, &keys[0, 0], &q[0], 0.0, &z[0])


def score_folded(const float[::1] x, const float[:, ::1] keys, float scale, float stretch, bint unit, float[::1] z):
    """z (n,) = scale keys (n, d) . x, divided by |q| = stretch |x| where `unit`.

    One product, for keys that were folded through a map that keeps angles.
    """
    cdef float inverse = 1.0
    if keys.shape[1] != x.shape[0] or z.shape[0] != keys.shape[0]:
        raise ValueError("score_folded: shapes do not fit")
    with nogil:
        if unit:
            inverse = _inverse(stretch * <float> sqrt(el.sum_of_squares(&x[0], x.shape[0])))
        if keys.shape[0]:
            _blas.gemv_n(keys.shape[0], keys.shape[1], scale * inverse, &keys[0, 0], &x[0], 0.0, &z[0])


def score_rows(const float[::1] q, const float[:, ::1] keys, const int32_t[::1] rows, float scale, float[::1] z):
    """z (m,) = scale keys[rows] (m, D) . q for some rows of the keys (n, D).

    The GIL is released from 16 384 numbers on: for fewer, to get it back takes longer than the work.
    """
    cdef Py_ssize_t i, d = keys.shape[1], n = keys.shape[0]
    if q.shape[0] != d or z.shape[0] != rows.shape[0]:
        raise ValueError("score_rows: shapes do not fit")
    for i in range(rows.shape[0]):
        if rows[i] < 0 or rows[i] >= n:
            raise ValueError(f"score_rows: row {rows[i]} of {n}")
    if rows.shape[0] * d > el.BRIEF:
        with nogil:
            for i in range(rows.shape[0]):
                z[i] = scale * el.dot(&keys[rows[i], 0], &q[0], d)
    else:
        for i in range(rows.shape[0]):
            z[i] = scale * el.dot(&keys[rows[i], 0], &q[0], d)


def all_at_most(const float[::1] x, float limit):
    """Is every |x_i| at most limit? No infinity and no NaN is. One pass, no temporary.

    The GIL is released from 16 384 numbers on: for fewer, to get it back takes longer than the work.
    """
    cdef bint fine = True
    if x.shape[0] > el.BRIEF:
        with nogil:
            fine = el.all_at_most(&x[0], x.shape[0], limit)
    elif x.shape[0]:
        fine = el.all_at_most(&x[0], x.shape[0], limit)
    return fine
