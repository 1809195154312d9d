# The element loops of elements.c, under the names the kernels use.
cdef enum:
    BRIEF = 16384  # numbers below which a loop keeps the GIL

cdef extern from "elements.h" nogil:
    void edge_logits "shgat_edge_logits"(const float *s, const float *t, const float *a, Py_ssize_t heads,
                                         Py_ssize_t width, float slope, float *u) noexcept
    void edge_logits_backward "shgat_edge_logits_backward"(const float *s, const float *t, const float *a,
                                                           const float *du, Py_ssize_t heads, Py_ssize_t width,
                                                           float slope, float *ds, float *dt, float *da) noexcept
    void heads_axpy "shgat_heads_axpy"(const float *alpha, const float *x, Py_ssize_t heads, Py_ssize_t width,
                                       float *y) noexcept
    void heads_dot "shgat_heads_dot"(const float *x, const float *y, Py_ssize_t heads, Py_ssize_t width,
                                     float *out) noexcept
    void segment_softmax "shgat_segment_softmax"(float *u, Py_ssize_t rows, Py_ssize_t heads) noexcept
    void segment_softmax_backward "shgat_segment_softmax_backward"(const float *alpha, Py_ssize_t rows,
                                                                   Py_ssize_t heads, float *du) noexcept
    void elu_gate "shgat_elu_gate"(const float *x, const float *agg, float g, Py_ssize_t n, float *out) noexcept
    float elu_gate_backward "shgat_elu_gate_backward"(const float *d_out, const float *x, const float *agg, float g,
                                                      Py_ssize_t n, float *d_x, float *d_agg) noexcept
    void axpy "shgat_axpy"(float alpha, const float *x, Py_ssize_t n, float *y) noexcept
    void axpy3 "shgat_axpy3"(float a, const float *x, float b, const float *y, float c, const float *z, Py_ssize_t n,
                             float *out) noexcept
    void scale "shgat_scale"(float alpha, Py_ssize_t n, float *x) noexcept
    void scale_to "shgat_scale_to"(float alpha, const float *x, Py_ssize_t n, float *out) noexcept
    void reject "shgat_reject"(float alpha, const float *x, const float *y, float beta, Py_ssize_t n,
                               float *out) noexcept
    float dot "shgat_dot"(const float *x, const float *y, Py_ssize_t n) noexcept
    double sum_of_squares "shgat_sum_of_squares"(const float *x, Py_ssize_t n) noexcept
    float exp_shifted "shgat_exp_shifted"(const float *z, Py_ssize_t n, float tau, float *top, float *p) noexcept
    void shift_to "shgat_shift_to"(float by, const float *x, Py_ssize_t n, float *out) noexcept
    void log_above "shgat_log_above"(float floor, Py_ssize_t n, float *x) noexcept
    void bent_sigmoid "shgat_bent_sigmoid"(const float *s, Py_ssize_t n, const float *slopes, const float *knots,
                                           Py_ssize_t bends, float start, float least, float most, float *p) noexcept
    void fma_rows "shgat_fma"(const float *factor, const float *s, Py_ssize_t n, float *total) noexcept
    void adam "shgat_adam"(float *p, const float *g, float *m, float *v, const float *anchor, Py_ssize_t n,
                           float g_scale, float beta1, float beta2, float step_size, float v_scale, float eps,
                           float decay) noexcept
    Py_ssize_t rank "shgat_rank"(const float *x, Py_ssize_t n, Py_ssize_t c) noexcept
    int all_at_most "shgat_all_at_most"(const float *x, Py_ssize_t n, float limit) noexcept
