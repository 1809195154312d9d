# The door to BLAS: row-major float32 products, each with its equation. Sizes are rows, columns, inner dimension.

cdef extern from "shgat_blas.h" nogil:
    void _sgemm "shgat_sgemm"(int order, int trans_a, int trans_b, int m, int n, int k, float alpha, const float *a,
                              int lda, const float *b, int ldb, float beta, float *c, int ldc) noexcept
    void _sgemv "shgat_sgemv"(int order, int trans, int m, int n, float alpha, const float *a, int lda, const float *x,
                              int incx, float beta, float *y, int incy) noexcept
    void set_threads "shgat_set_threads"(int n) noexcept
    int get_threads "shgat_get_threads"() noexcept
    char *blas_config "shgat_blas_config"() noexcept

cdef enum:
    _ROW_MAJOR = 101
    _NO_TRANS = 111
    _TRANS = 112


cdef inline void gemm_nt(Py_ssize_t m, Py_ssize_t n, Py_ssize_t k, float alpha, const float *a, const float *b,
                         float beta, float *c) noexcept nogil:
    """C (m, n) = alpha A (m, k) B (n, k)^T + beta C"""
    if m and n:
        _sgemm(_ROW_MAJOR, _NO_TRANS, _TRANS, <int> m, <int> n, <int> k, alpha, a, <int> k, b, <int> k, beta, c,
               <int> n)


cdef inline void gemm_nn(Py_ssize_t m, Py_ssize_t n, Py_ssize_t k, float alpha, const float *a, const float *b,
                         float beta, float *c) noexcept nogil:
    """C (m, n) = alpha A (m, k) B (k, n) + beta C"""
    if m and n:
        _sgemm(_ROW_MAJOR, _NO_TRANS, _NO_TRANS, <int> m, <int> n, <int> k, alpha, a, <int> k, b, <int> n, beta, c,
               <int> n)


cdef inline void gemm_tn(Py_ssize_t m, Py_ssize_t n, Py_ssize_t k, float alpha, const float *a, const float *b,
                         float beta, float *c) noexcept nogil:
    """C (m, n) = alpha A (k, m)^T B (k, n) + beta C"""
    if m and n:
        _sgemm(_ROW_MAJOR, _TRANS, _NO_TRANS, <int> m, <int> n, <int> k, alpha, a, <int> m, b, <int> n, beta, c,
               <int> n)


cdef inline void gemv_n(Py_ssize_t m, Py_ssize_t n, float alpha, const float *a, const float *x, float beta,
                        float *y) noexcept nogil:
    """y (m,) = alpha A (m, n) x + beta y"""
    if m:
        _sgemv(_ROW_MAJOR, _NO_TRANS, <int> m, <int> n, alpha, a, <int> n, x, 1, beta, y, 1)
