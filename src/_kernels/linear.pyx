# cython: language_level=3, freethreading_compatible=True
"""Linear maps without bias, y = x W^T, and the two products of their backward. Row-major float32."""

cimport _blas


def project(const float[:, ::1] x, const float[:, ::1] w, float[:, ::1] out, float beta=0.0):
    """out (m, n) = x (m, k) w (n, k)^T + beta out"""
    cdef Py_ssize_t m = x.shape[0], n = w.shape[0], k = x.shape[1]
    if w.shape[1] != k or out.shape[0] != m or out.shape[1] != n:
        raise ValueError(f"project: shapes ({m}, {k}), ({n}, {w.shape[1]}) -> ({out.shape[0]}, {out.shape[1]})")
    if m and n:
        with nogil:
            if m == 1:      # a request: gemm would copy all of w
                _blas.gemv_n(n, k, 1.0, &w[0, 0], &x[0, 0], beta, &out[0, 0])
            else:
                _blas.gemm_nt(m, n, k, 1.0, &x[0, 0], &w[0, 0], beta, &out[0, 0])


def project_backward_input(const float[:, ::1] d_out, const float[:, ::1] w, float[:, ::1] d_x, float beta=0.0):
    """d_x (m, k) = d_out (m, n) w (n, k) + beta d_x"""
    cdef Py_ssize_t m = d_out.shape[0], n = w.shape[0], k = w.shape[1]
    if d_out.shape[1] != n or d_x.shape[0] != m or d_x.shape[1] != k:
        raise ValueError(f"project_backward_input: shapes ({m}, {d_out.shape[1]}), ({n}, {k}) -> "
                         f"({d_x.shape[0]}, {d_x.shape[1]})")
    if m and k:
        with nogil:
            _blas.gemm_nn(m, k, n, 1.0, &d_out[0, 0], &w[0, 0], beta, &d_x[0, 0])


def project_backward_weight(const float[:, ::1] d_out, const float[:, ::1] x, float[:, ::1] d_w, float beta=0.0):
    """d_w (n, k) = d_out (m, n)^T x (m, k) + beta d_w"""
    cdef Py_ssize_t m = x.shape[0], n = d_out.shape[1], k = x.shape[1]
    if d_out.shape[0] != m or d_w.shape[0] != n or d_w.shape[1] != k:
        raise ValueError(f"project_backward_weight: shapes ({d_out.shape[0]}, {n}), ({m}, {k}) -> "
                         f"({d_w.shape[0]}, {d_w.shape[1]})")
    if m and n and k:
        with nogil:
            _blas.gemm_tn(n, k, m, 1.0, &d_out[0, 0], &x[0, 0], beta, &d_w[0, 0])


def set_blas_threads(int n):
    """Threads of this package's own OpenBLAS for the calls that follow (process-wide); returns the number before."""
    cdef int before = _blas.get_threads()
    _blas.set_threads(n)
    return before


def blas_config():
    """What the linked BLAS says of itself: version, target, maximum of threads."""
    return (<bytes> _blas.blas_config()).decode()
