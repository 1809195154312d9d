# cython: language_level=3, freethreading_compatible=True
"""Adam with decoupled decay (Kingma and Ba, 2015; Loshchilov and Hutter, 2019) as one pass over a flat buffer."""

from libc.math cimport pow as cpow

cimport _elements as el


def adam_step(float[::1] p, const float[::1] g, float[::1] m, float[::1] v, long step, float lr, float beta1,
              float beta2, float eps, float decay, float g_scale, const float[::1] anchor=None):
    """p <- p - lr decay (p - anchor) - lr m^ / (sqrt(v^) + eps), on g_scale g; step from 1, anchor None is zero."""
    cdef Py_ssize_t n = p.shape[0]
    cdef double correct1 = 1.0 - cpow(beta1, step), correct2 = 1.0 - cpow(beta2, step)
    cdef const float *toward = NULL
    if g.shape[0] != n or m.shape[0] != n or v.shape[0] != n or (anchor is not None and anchor.shape[0] != n):
        raise ValueError("adam_step: p, g, m, v and anchor must have one length")
    if n == 0:
        return
    if anchor is not None:
        toward = &anchor[0]
    with nogil:
        el.adam(&p[0], &g[0], &m[0], &v[0], toward, n, g_scale, beta1, beta2, <float> (lr / correct1),
                <float> (1.0 / correct2), eps, lr * decay)


def sum_of_squares(const float[::1] x):
    """sum x_i^2, blocks of float32 added in float64."""
    cdef double total = 0.0
    if x.shape[0]:
        with nogil:
            total = el.sum_of_squares(&x[0], x.shape[0])
    return total
