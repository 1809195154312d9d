# cython: language_level=3, freethreading_compatible=True
"""The value network over a batch of rows, each a state with an action, forward and backward.

    a1_i = relu(base[owner_i] + parts[item_i])          base = W_s s + b1 of each state, parts = W_a e of each action
    a2 = relu(a1 W2^T + b2),  a3 = relu(a2 W3^T + b3),  q = a3 w4 + b4

The first layer is a sum, so the part of an action is computed once a version and that of a state once a request.
"""

from libc.stdint cimport int32_t
from libc.string cimport memcpy, memset

cimport _blas


cdef inline void _relu(float *x, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        x[i] = x[i] if x[i] > 0.0 else 0.0


cdef inline void _keep_where_positive(const float *a, Py_ssize_t n, float *d) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        d[i] = d[i] if a[i] > 0.0 else 0.0


cdef inline void _sum_rows(const float *x, Py_ssize_t rows, Py_ssize_t n, float *out) noexcept nogil:
    cdef Py_ssize_t i, j
    memset(out, 0, n * sizeof(float))
    for i in range(rows):
        for j in range(n):
            out[j] += x[i * n + j]


cdef inline void _first(const float *base, const int32_t *owner, const float *parts, const int32_t *item, Py_ssize_t m,
                        Py_ssize_t n, float *a) noexcept nogil:
    cdef Py_ssize_t i, j
    cdef const float *x
    cdef const float *y
    for i in range(m):
        x, y = base + owner[i] * n, parts + item[i] * n
        for j in range(n):
            a[i * n + j] = x[j] + y[j]
    _relu(a, m * n)


cdef inline void _first_backward(const float *d_a, const int32_t *owner, const int32_t *item, Py_ssize_t m, Py_ssize_t n,
                                 float *d_base, float *d_parts) noexcept nogil:
    cdef Py_ssize_t i, j
    cdef float *x
    cdef float *y
    for i in range(m):
        x, y = d_base + owner[i] * n, d_parts + item[i] * n
        for j in range(n):
            x[j] += d_a[i * n + j]
            y[j] += d_a[i * n + j]


cdef inline void _layer(const float *a, const float *w, const float *b, Py_ssize_t m, Py_ssize_t n, Py_ssize_t k,
                        float *out) noexcept nogil:
    """out (m, n) = relu(a (m, k) w (n, k)^T + b)"""
    cdef Py_ssize_t i
    for i in range(m):
        memcpy(out + i * n, b, n * sizeof(float))
    if m == 1:
        _blas.gemv_n(n, k, 1.0, w, a, 1.0, out)
    else:
        _blas.gemm_nt(m, n, k, 1.0, a, w, 1.0, out)
    _relu(out, m * n)


cdef inline void _layer_backward(const float *d_out, const float *a, const float *w, Py_ssize_t m, Py_ssize_t n,
                                 Py_ssize_t k, float *d_a, float *d_w, float *d_b) noexcept nogil:
    """d_a (m, k) before the relu that made a; d_w (n, k), d_b (n,). d_out is before the relu of `_layer`."""
    _blas.gemm_tn(n, k, m, 1.0, d_out, a, 0.0, d_w)
    _sum_rows(d_out, m, n, d_b)
    _blas.gemm_nn(m, k, n, 1.0, d_out, w, 0.0, d_a)
    _keep_where_positive(a, m * k, d_a)


cdef inline void _last(const float *a, const float *w, float b, Py_ssize_t m, Py_ssize_t n, float *q) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(m):
        q[i] = b
    _blas.gemv_n(m, n, 1.0, a, w, 1.0, q)


cdef inline void _last_backward(const float *d_q, const float *a, const float *w, Py_ssize_t m, Py_ssize_t n, float *d_a,
                                float *d_w, float *d_b) noexcept nogil:
    cdef Py_ssize_t i, j
    memset(d_w, 0, n * sizeof(float))
    d_b[0] = 0.0
    for i in range(m):
        d_b[0] += d_q[i]
        for j in range(n):
            d_w[j] += d_q[i] * a[i * n + j]
            d_a[i * n + j] = d_q[i] * w[j] if a[i * n + j] > 0.0 else 0.0


def forward(const float[:, ::1] base, const int32_t[::1] owner, const float[:, ::1] parts, const int32_t[::1] item,
            const float[:, ::1] w2, const float[::1] b2, const float[:, ::1] w3, const float[::1] b3,
            const float[::1] w4, const float[::1] b4, float[:, ::1] a1, float[:, ::1] a2, float[:, ::1] a3,
            float[::1] q):
    """Writes a1 (m, h1), a2 (m, h2), a3 (m, h3) and q (m,). owner and item are rows of base and of parts."""
    cdef Py_ssize_t m = q.shape[0], h1 = w2.shape[1], h2 = w2.shape[0], h3 = w3.shape[0]
    _fit(m, h1, h2, h3, base, owner, parts, item, w3, a1, a2, a3)
    if m:
        with nogil:
            _first(&base[0, 0], &owner[0], &parts[0, 0], &item[0], m, h1, &a1[0, 0])
            _layer(&a1[0, 0], &w2[0, 0], &b2[0], m, h2, h1, &a2[0, 0])
            _layer(&a2[0, 0], &w3[0, 0], &b3[0], m, h3, h2, &a3[0, 0])
            _last(&a3[0, 0], &w4[0], b4[0], m, h3, &q[0])


def backward(const float[::1] d_q, const int32_t[::1] owner, const int32_t[::1] item, const float[:, ::1] w2,
             const float[:, ::1] w3, const float[::1] w4, const float[:, ::1] a1, const float[:, ::1] a2,
             const float[:, ::1] a3, float[:, ::1] d_a1, float[:, ::1] d_a2, float[:, ::1] d_a3, float[:, ::1] d_base,
             float[:, ::1] d_parts, float[:, ::1] d_w2, float[::1] d_b2, float[:, ::1] d_w3, float[::1] d_b3,
             float[::1] d_w4, float[::1] d_b4):
    """Adds to d_base and d_parts, writes the gradients of the layers; d_a1, d_a2, d_a3 are scratch. m >= 1."""
    cdef Py_ssize_t m = d_q.shape[0], h1 = w2.shape[1], h2 = w2.shape[0], h3 = w3.shape[0]
    _fit(m, h1, h2, h3, d_base, owner, d_parts, item, w3, d_a1, d_a2, d_a3)
    if m:
        with nogil:
            _last_backward(&d_q[0], &a3[0, 0], &w4[0], m, h3, &d_a3[0, 0], &d_w4[0], &d_b4[0])
            _layer_backward(&d_a3[0, 0], &a2[0, 0], &w3[0, 0], m, h3, h2, &d_a2[0, 0], &d_w3[0, 0], &d_b3[0])
            _layer_backward(&d_a2[0, 0], &a1[0, 0], &w2[0, 0], m, h2, h1, &d_a1[0, 0], &d_w2[0, 0], &d_b2[0])
            _first_backward(&d_a1[0, 0], &owner[0], &item[0], m, h1, &d_base[0, 0], &d_parts[0, 0])


cdef _fit(Py_ssize_t m, Py_ssize_t h1, Py_ssize_t h2, Py_ssize_t h3, const float[:, ::1] base, const int32_t[::1] owner,
          const float[:, ::1] parts, const int32_t[::1] item, const float[:, ::1] w3, const float[:, ::1] a1,
          const float[:, ::1] a2, const float[:, ::1] a3):
    """The shapes fit one another."""
    if (base.shape[1] != h1 or parts.shape[1] != h1 or owner.shape[0] != m or item.shape[0] != m or w3.shape[1] != h2
            or a1.shape[0] != m or a1.shape[1] != h1 or a2.shape[0] != m or a2.shape[1] != h2 or a3.shape[0] != m
            or a3.shape[1] != h3):
        raise ValueError(f"value: shapes of {m} rows through {h1}, {h2} and {h3} units do not fit")


def accumulate(const double[::1] errors, const double[::1] decay, double[::1] out):
    """out_t = errors_t + decay_t out_{t+1}, from the last to the first; decay is 0 where a sequence ends."""
    cdef Py_ssize_t t, n = errors.shape[0]
    cdef double sum_after = 0.0
    if decay.shape[0] != n or out.shape[0] != n:
        raise ValueError("accumulate: errors, decay and out must have one length")
    with nogil:
        for t in range(n - 1, -1, -1):
            sum_after = errors[t] + decay[t] * sum_after
            out[t] = sum_after
