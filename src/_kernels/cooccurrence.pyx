# cython: language_level=3, freethreading_compatible=True
"""V->V: tools take in the tools they are used with. Weights w are fixed, residual and temperature are learned.

    c_ij = cos(H_i, H_j) w_ij / T,  alpha = softmax_j c,  Y_i = normalize(H_i + beta sum_j alpha_ij H_j)

The backward is exact, through the cosine too. A tool without neighbours keeps its row.
"""

from libc.math cimport sqrt
from libc.stdint cimport int32_t
from libc.string cimport memcpy, memset

cimport _elements as el


cdef inline float _norm(const float *x, Py_ssize_t d) noexcept nogil:
    return <float> sqrt(el.sum_of_squares(x, d))


cdef inline float _inverse(float norm) noexcept nogil:
    return 1.0 / norm if norm > 1e-12 else 0.0      # a zero row has cosine 0 with every other, and no gradient of it


cdef void _forward(const float *h, const int32_t *indptr, const int32_t *indices, const float *w, Py_ssize_t n,
                   Py_ssize_t d, float beta, float temperature, float *norms, float *cosine, float *alpha, float *agg,
                   float *pre_norm, float *y) noexcept nogil:
    cdef Py_ssize_t i, e, lo, hi
    for i in range(n):
        norms[i] = _norm(h + i * d, d)
    for i in range(n):
        lo, hi = indptr[i], indptr[i + 1]
        memcpy(y + i * d, h + i * d, d * sizeof(float))
        memset(agg + i * d, 0, d * sizeof(float))
        if lo == hi:
            continue
        for e in range(lo, hi):
            cosine[e] = el.dot(h + i * d, h + indices[e] * d, d) * _inverse(norms[i]) * _inverse(norms[indices[e]])
            alpha[e] = cosine[e] * w[e] / temperature
        el.segment_softmax(alpha + lo, hi - lo, 1)
        for e in range(lo, hi):
            el.axpy(alpha[e], h + indices[e] * d, d, agg + i * d)
        el.axpy(beta, agg + i * d, d, y + i * d)
        pre_norm[i] = _norm(y + i * d, d)
        el.scale(_inverse(pre_norm[i]), d, y + i * d)


cdef void _backward(const float *d_y, const float *h, const int32_t *indptr, const int32_t *indices, const float *w,
                    Py_ssize_t n, Py_ssize_t d, float beta, float temperature, const float *norms, const float *cosine,
                    const float *alpha, const float *agg, const float *pre_norm, const float *y, float *d_h,
                    double *d_beta, double *d_temperature, float *d_pre, float *d_c) noexcept nogil:
    cdef Py_ssize_t i, j, e, lo, hi
    cdef float g, inverse_i, inverse_j
    cdef double shrink
    for i in range(n):
        lo, hi = indptr[i], indptr[i + 1]
        if lo == hi:
            el.axpy(1.0, d_y + i * d, d, d_h + i * d)
            continue
        el.reject(_inverse(pre_norm[i]), d_y + i * d, y + i * d, el.dot(d_y + i * d, y + i * d, d), d, d_pre)
        el.axpy(1.0, d_pre, d, d_h + i * d)
        d_beta[0] += el.dot(d_pre, agg + i * d, d)
        for e in range(lo, hi):
            d_c[e - lo] = beta * el.dot(d_pre, h + indices[e] * d, d)
        el.segment_softmax_backward(alpha + lo, hi - lo, 1, d_c)
        inverse_i, shrink = _inverse(norms[i]), 0.0
        for e in range(lo, hi):
            j = indices[e]
            inverse_j = _inverse(norms[j])
            g = d_c[e - lo] * w[e] / temperature
            d_temperature[0] -= g * cosine[e] / temperature
            # d cos = (H_j / (|i||j|) - cos H_i / |i|^2) . dH_i + the same with i and j exchanged
            el.axpy(g * inverse_i * inverse_j, h + j * d, d, d_h + i * d)
            shrink += g * cosine[e]
            el.axpy3(beta * alpha[e], d_pre, g * inverse_i * inverse_j, h + i * d,
                     -g * cosine[e] * inverse_j * inverse_j, h + j * d, d, d_h + j * d)
        el.axpy(<float> (-shrink * inverse_i * inverse_i), h + i * d, d, d_h + i * d)


def mix(const float[:, ::1] h, const int32_t[::1] indptr, const int32_t[::1] indices, const float[::1] w, float beta,
        float temperature, float[::1] norms, float[::1] cosine, float[::1] alpha, float[:, ::1] agg,
        float[::1] pre_norm, float[:, ::1] y):
    """y (n, d); norms, pre_norm (n,), cosine, alpha (nnz,), agg (n, d) are kept for the backward. nnz >= 1."""
    if h.shape[0] and indices.shape[0]:
        with nogil:
            _forward(&h[0, 0], &indptr[0], &indices[0], &w[0], h.shape[0], h.shape[1], beta, temperature, &norms[0],
                     &cosine[0], &alpha[0], &agg[0, 0], &pre_norm[0], &y[0, 0])


def mix_backward(const float[:, ::1] d_y, const float[:, ::1] h, const int32_t[::1] indptr, const int32_t[::1] indices,
                 const float[::1] w, float beta, float temperature, const float[::1] norms, const float[::1] cosine,
                 const float[::1] alpha, const float[:, ::1] agg, const float[::1] pre_norm, const float[:, ::1] y,
                 float[:, ::1] d_h, float[::1] scratch):
    """Adds to d_h (n, d); returns (d_beta, d_temperature). scratch (>= d + max degree,)."""
    cdef double d_beta = 0.0, d_temperature = 0.0
    if h.shape[0] and indices.shape[0]:
        with nogil:
            _backward(&d_y[0, 0], &h[0, 0], &indptr[0], &indices[0], &w[0], h.shape[0], h.shape[1], beta, temperature,
                      &norms[0], &cosine[0], &alpha[0], &agg[0, 0], &pre_norm[0], &y[0, 0], &d_h[0, 0], &d_beta,
                      &d_temperature, &scratch[0], &scratch[h.shape[1]])
    return d_beta, d_temperature
