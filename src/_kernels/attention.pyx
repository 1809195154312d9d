# cython: language_level=3, freethreading_compatible=True
"""One attention phase over an incidence: targets gather from their sources. Serves V->E, E->E (up, down) and E->V.

For target t with sources s in N(t), per head h, on projected rows S', T' (Brody et al., ICLR 2022;
Velickovic et al., ICLR 2018):

    gatv2:  u_ts = a . leaky(S'_s + T'_t)                 a (H, d_m)
    gat:    u_ts = a_1 . leaky(S'_s) + a_2 . leaky(T'_t)  a = [a_1 || a_2] (H, 2 d_m)
    alpha = softmax_s u,  agg = sum_s alpha S'_s,  X_t <- (1 - g) X_t + g elu(agg),  g = rho sigmoid(A ln(1 + |N|) + b)

A target without sources keeps its row.
"""

from libc.math cimport exp, log1p
from libc.stdint cimport int32_t
from libc.string cimport memcpy, memset

cimport _elements as el


cdef struct Phase:
    const float *s              # (n_sources, heads * width) projected sources
    const float *t              # (n_targets, heads * width) projected targets
    const float *a_source       # (heads, width); gatv2: the attention vector
    const float *a_target       # (heads, width); gat only, else NULL
    const float *zeros          # (heads * width,)
    const int32_t *indptr
    const int32_t *indices
    Py_ssize_t heads, width
    float slope


cdef inline void _logits(const Phase *p, Py_ssize_t t, float *alpha, float *spare) noexcept nogil:
    """u_ts of every source s of target t, into its rows of alpha."""
    cdef Py_ssize_t d = p.heads * p.width, e, h
    if p.a_target == NULL:
        for e in range(p.indptr[t], p.indptr[t + 1]):
            el.edge_logits(p.s + p.indices[e] * d, p.t + t * d, p.a_source, p.heads, p.width, p.slope,
                           alpha + e * p.heads)
        return
    el.edge_logits(p.t + t * d, p.zeros, p.a_target, p.heads, p.width, p.slope, spare)
    for e in range(p.indptr[t], p.indptr[t + 1]):
        el.edge_logits(p.s + p.indices[e] * d, p.zeros, p.a_source, p.heads, p.width, p.slope, alpha + e * p.heads)
        for h in range(p.heads):
            alpha[e * p.heads + h] += spare[h]


cdef inline void _logit_backward(const Phase *p, Py_ssize_t s, Py_ssize_t t, const float *du, float *d_s, float *d_t,
                                 float *d_a, float *spare) noexcept nogil:
    cdef Py_ssize_t d = p.heads * p.width
    if p.a_target == NULL:
        el.edge_logits_backward(p.s + s * d, p.t + t * d, p.a_source, du, p.heads, p.width, p.slope, d_s + s * d,
                                d_t + t * d, d_a)
        return
    el.edge_logits_backward(p.s + s * d, p.zeros, p.a_source, du, p.heads, p.width, p.slope, d_s + s * d, spare, d_a)
    el.edge_logits_backward(p.t + t * d, p.zeros, p.a_target, du, p.heads, p.width, p.slope, d_t + t * d, spare,
                            d_a + d)


cdef inline double _sigmoid(double x) noexcept nogil:
    return 1.0 / (1.0 + exp(-x))


cdef void _forward(const Phase *p, Py_ssize_t n_targets, const float *gate, const float *x, float *alpha, float *agg,
                   float *out, float *spare) noexcept nogil:
    cdef Py_ssize_t d = p.heads * p.width, t, e, lo, hi
    cdef float g
    for t in range(n_targets):
        lo, hi = p.indptr[t], p.indptr[t + 1]
        if lo == hi:
            memcpy(out + t * d, x + t * d, d * sizeof(float))
            continue
        _logits(p, t, alpha, spare)
        el.segment_softmax(alpha + lo * p.heads, hi - lo, p.heads)
        memset(agg + t * d, 0, d * sizeof(float))
        for e in range(lo, hi):
            el.heads_axpy(alpha + e * p.heads, p.s + p.indices[e] * d, p.heads, p.width, agg + t * d)
        g = <float> (gate[0] * _sigmoid(gate[1] * log1p(hi - lo) + gate[2]))
        el.elu_gate(x + t * d, agg + t * d, g, d, out + t * d)


cdef void _backward(const Phase *p, Py_ssize_t n_targets, const float *gate, const float *d_out, const float *x,
                    const float *alpha, const float *agg, float *d_s, float *d_t, float *d_a, double *d_gate,
                    float *d_x, float *d_agg, float *d_u, float *spare) noexcept nogil:
    cdef Py_ssize_t d = p.heads * p.width, t, e, lo, hi
    cdef double degree, open_, d_g
    for t in range(n_targets):
        lo, hi = p.indptr[t], p.indptr[t + 1]
        if lo == hi:
            memcpy(d_x + t * d, d_out + t * d, d * sizeof(float))
            continue
        degree = log1p(hi - lo)
        open_ = _sigmoid(gate[1] * degree + gate[2])
        d_g = el.elu_gate_backward(d_out + t * d, x + t * d, agg + t * d, <float> (gate[0] * open_), d,
                                   d_x + t * d, d_agg)
        d_gate[0] += d_g * open_
        d_g *= gate[0] * open_ * (1.0 - open_)
        d_gate[1] += d_g * degree
        d_gate[2] += d_g
        for e in range(lo, hi):
            el.heads_dot(d_agg, p.s + p.indices[e] * d, p.heads, p.width, d_u + (e - lo) * p.heads)
            el.heads_axpy(alpha + e * p.heads, d_agg, p.heads, p.width, d_s + p.indices[e] * d)
        el.segment_softmax_backward(alpha + lo * p.heads, hi - lo, p.heads, d_u)
        for e in range(lo, hi):
            _logit_backward(p, p.indices[e], t, d_u + (e - lo) * p.heads, d_s, d_t, d_a, spare)


cdef Phase _phase(const float[:, ::1] s, const float[:, ::1] t, const float[:, ::1] a, const int32_t[::1] indptr,
                  const int32_t[::1] indices, Py_ssize_t heads, float slope, float[::1] scratch):
    cdef Phase p
    p.s, p.t, p.a_source, p.a_target = &s[0, 0], &t[0, 0], &a[0, 0], NULL
    if a.shape[0] == 2 * heads:
        p.a_target = &a[heads, 0]
    memset(&scratch[0], 0, s.shape[1] * sizeof(float))
    p.zeros, p.indptr, p.indices = &scratch[0], &indptr[0], &indices[0]
    p.heads, p.width, p.slope = heads, s.shape[1] // heads, slope
    return p


def attend(const float[:, ::1] s, const float[:, ::1] t, const float[:, ::1] a, const int32_t[::1] indptr,
           const int32_t[::1] indices, float slope, const float[::1] gate, const float[:, ::1] x, float[:, ::1] alpha,
           float[:, ::1] agg, float[:, ::1] out, float[::1] scratch):
    """out (n_targets, d): the phase. alpha (nnz, heads) and agg (n_targets, d) are kept for the backward.

    a is (heads, d_m) for gatv2; for gat (2 heads, d_m), first the sources' half. scratch (>= 2 d,).
    """
    cdef Py_ssize_t d = s.shape[1], heads = alpha.shape[1], n = indptr.shape[0] - 1
    cdef Phase p
    if n == 0 or indices.shape[0] == 0 or s.shape[0] == 0:
        out[:] = x
        return
    p = _phase(s, t, a, indptr, indices, heads, slope, scratch)
    with nogil:
        _forward(&p, n, &gate[0], &x[0, 0], &alpha[0, 0], &agg[0, 0], &out[0, 0], &scratch[d])


def attend_backward(const float[:, ::1] d_out, const float[:, ::1] s, const float[:, ::1] t, const float[:, ::1] a,
                    const int32_t[::1] indptr, const int32_t[::1] indices, float slope, const float[::1] gate,
                    const float[:, ::1] x, const float[:, ::1] alpha, const float[:, ::1] agg, float[:, ::1] d_s,
                    float[:, ::1] d_t, float[:, ::1] d_a, double[::1] d_gate, float[:, ::1] d_x, float[::1] scratch):
    """Adds to d_s, d_t, d_a, d_gate (3,); writes d_x (n_targets, d). scratch (>= 3 d + heads max|N|,)."""
    cdef Py_ssize_t d = s.shape[1], heads = alpha.shape[1], n = indptr.shape[0] - 1
    cdef Phase p
    if n == 0 or indices.shape[0] == 0 or s.shape[0] == 0:
        d_x[:] = d_out
        return
    p = _phase(s, t, a, indptr, indices, heads, slope, scratch)
    with nogil:
        _backward(&p, n, &gate[0], &d_out[0, 0], &x[0, 0], &alpha[0, 0], &agg[0, 0], &d_s[0, 0], &d_t[0, 0], &d_a[0, 0],
                  &d_gate[0], &d_x[0, 0], &scratch[2 * d], &scratch[3 * d], &scratch[d])
