# cython: language_level=3, freethreading_compatible=True
"""Losses on z, forward and gradient in one pass over each row.

    info_nce:   L = sum_i w_i sum_t y_it (log sum_n exp(z_in / tau) - z_it / tau)        sum_t y_it = 1 or 0 (no target)
    apart:      the same, but each target against what is no target only, as if it were the row's one target:
                L = sum_i w_i sum_t y_it log(1 + exp(-s_it)),  s_it = z_it / tau - log sum_{n no target} exp(z_in / tau)
    push_down:  L = sum_i w_i sum_t y_it log(1 + exp(z_it / tau))                         = -log(1 - sigmoid(z / tau))
"""

from libc.math cimport INFINITY, exp, log1p
from libc.stdint cimport int32_t
from libc.string cimport memcpy, memset

cimport _elements as el


cdef void _info_nce(const float *z, Py_ssize_t rows, Py_ssize_t n, const int32_t *indptr, const int32_t *indices,
                    const float *y, const float *w, float tau, float *d_z, double *loss,
                    float *p_positive) noexcept nogil:
    cdef Py_ssize_t i, e, lo, hi
    cdef float top, log_sum, mass
    cdef double row
    for i in range(rows):
        lo, hi = indptr[i], indptr[i + 1]
        p_positive[i] = 0.0
        if lo == hi:
            memset(d_z + i * n, 0, n * sizeof(float))
            loss[i] = 0.0
            continue
        log_sum = el.exp_shifted(z + i * n, n, tau, &top, d_z + i * n)
        row = mass = 0.0
        for e in range(lo, hi):
            row += y[e] * (log_sum - (z[i * n + indices[e]] - top) / tau)
            mass += y[e]
            p_positive[i] += d_z[i * n + indices[e]]
        p_positive[i] *= <float> exp(-log_sum)
        loss[i] = w[i] * row
        el.scale(w[i] * mass * <float> exp(-log_sum) / tau, n, d_z + i * n)
        for e in range(lo, hi):
            d_z[i * n + indices[e]] -= w[i] * y[e] / tau


cdef inline double _softplus(double u) noexcept nogil:
    return u + log1p(exp(-u)) if u > 0 else log1p(exp(u))


cdef void _info_nce_apart(const float *z, Py_ssize_t rows, Py_ssize_t n, const int32_t *indptr, const int32_t *indices,
                          const float *y, const float *w, float tau, float *d_z, double *loss,
                          float *p_positive) noexcept nogil:
    cdef Py_ssize_t i, e, lo, hi
    cdef const float *row
    cdef float *d
    cdef float top, log_sum
    cdef double s, best, odds, missing, pull
    for i in range(rows):
        lo, hi, row, d = indptr[i], indptr[i + 1], z + i * n, d_z + i * n
        p_positive[i] = 0.0
        loss[i] = 0.0
        if lo == hi:
            memset(d, 0, n * sizeof(float))
            continue
        memcpy(d, row, n * sizeof(float))
        for e in range(lo, hi):
            d[indices[e]] = -INFINITY
        log_sum = el.exp_shifted(d, n, tau, &top, d)
        if top == -INFINITY:  # nothing else is a candidate
            memset(d, 0, n * sizeof(float))
            p_positive[i] = 1.0
            continue
        best, odds, missing = -INFINITY, 0.0, 0.0
        for e in range(lo, hi):
            s = (<double> row[indices[e]] - top) / tau - log_sum
            loss[i] += w[i] * y[e] * _softplus(-s)
            missing += y[e] / (1.0 + exp(s))
            if s > best:
                odds *= exp(best - s)
                best = s
            odds += exp(s - best)
        p_positive[i] = <float> (odds / (odds + exp(-best)))
        el.scale(<float> (w[i] * missing * exp(-log_sum) / tau), n, d)
        for e in range(lo, hi):
            s = (<double> row[indices[e]] - top) / tau - log_sum
            pull = w[i] * y[e] / (tau * (1.0 + exp(s)))
            d[indices[e]] -= <float> pull


cdef void _push_down(const float *z, Py_ssize_t rows, Py_ssize_t n, const int32_t *indptr, const int32_t *indices,
                     const float *y, const float *w, float tau, float *d_z, double *loss) noexcept nogil:
    cdef Py_ssize_t i, e
    cdef double u
    for i in range(rows):
        for e in range(indptr[i], indptr[i + 1]):
            u = z[i * n + indices[e]] / tau
            loss[i] += w[i] * y[e] * _softplus(u)
            d_z[i * n + indices[e]] += <float> (w[i] * y[e] / (tau * (1.0 + exp(-u))))


def info_nce(const float[:, ::1] z, const int32_t[::1] indptr, const int32_t[::1] indices, const float[::1] y,
             const float[::1] w, float tau, float[:, ::1] d_z, double[::1] loss, float[::1] p_positive, bint apart=False):
    """Writes d_z (B, n), loss (B,), p_positive (B,) = softmax mass on the row's targets. Targets are CSR rows of y."""
    if z.shape[0] == 0 or z.shape[1] == 0 or indices.shape[0] == 0:
        d_z[:] = 0.0
        loss[:] = 0.0
        p_positive[:] = 0.0
        return
    with nogil:
        (_info_nce_apart if apart else _info_nce)(&z[0, 0], z.shape[0], z.shape[1], &indptr[0], &indices[0], &y[0],
                                                  &w[0], tau, &d_z[0, 0], &loss[0], &p_positive[0])


def push_down(const float[:, ::1] z, const int32_t[::1] indptr, const int32_t[::1] indices, const float[::1] y,
              const float[::1] w, float tau, float[:, ::1] d_z, double[::1] loss):
    """Adds to d_z (B, n) and loss (B,)."""
    if z.shape[0] and z.shape[1] and indices.shape[0]:
        with nogil:
            _push_down(&z[0, 0], z.shape[0], z.shape[1], &indptr[0], &indices[0], &y[0], &w[0], tau, &d_z[0, 0],
                       &loss[0])
