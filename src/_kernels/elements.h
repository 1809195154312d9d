/* Element loops behind the kernels. Every array is float32, C order; nothing here allocates, locks or fails.
 *
 * x86-64 with glibc: each entry point is compiled three times (baseline, AVX2+FMA, AVX-512) and the loader picks one,
 * so one wheel runs everywhere and is fast where it can be. Elsewhere there is the plain build. */
#ifndef SHGAT_ELEMENTS_H
#define SHGAT_ELEMENTS_H

#include <stddef.h>
#include <stdint.h>

/* u[h] = sum_j a[h,j] leaky(s[h,j] + t[h,j]) */
void shgat_edge_logits(const float *s, const float *t, const float *a, ptrdiff_t heads, ptrdiff_t width, float slope,
                       float *u);
/* ds, dt, da += the gradient of sum_h du[h] u[h] */
void shgat_edge_logits_backward(const float *s, const float *t, const float *a, const float *du, ptrdiff_t heads,
                                ptrdiff_t width, float slope, float *ds, float *dt, float *da);
/* y[h,j] += alpha[h] x[h,j] */
void shgat_heads_axpy(const float *alpha, const float *x, ptrdiff_t heads, ptrdiff_t width, float *y);
/* out[h] = sum_j x[h,j] y[h,j] */
void shgat_heads_dot(const float *x, const float *y, ptrdiff_t heads, ptrdiff_t width, float *out);
/* u[r,h] <- softmax over r, in place; rows >= 1 */
void shgat_segment_softmax(float *u, ptrdiff_t rows, ptrdiff_t heads);
/* du[r,h] <- alpha[r,h] (du[r,h] - sum_r alpha[r,h] du[r,h]), in place */
void shgat_segment_softmax_backward(const float *alpha, ptrdiff_t rows, ptrdiff_t heads, float *du);
/* out = (1 - g) x + g elu(agg) */
void shgat_elu_gate(const float *x, const float *agg, float g, ptrdiff_t n, float *out);
/* d_x = (1 - g) d_out, d_agg = g d_out elu'(agg); returns dL/dg = sum d_out (elu(agg) - x) */
float shgat_elu_gate_backward(const float *d_out, const float *x, const float *agg, float g, ptrdiff_t n, float *d_x,
                              float *d_agg);
/* y += alpha x */
void shgat_axpy(float alpha, const float *x, ptrdiff_t n, float *y);
/* out += a x + b y + c z; x, y, z may be one another, not out */
void shgat_axpy3(float a, const float *x, float b, const float *y, float c, const float *z, ptrdiff_t n, float *out);
void shgat_scale(float alpha, ptrdiff_t n, float *x);
/* out = alpha x; out may be x */
void shgat_scale_to(float alpha, const float *x, ptrdiff_t n, float *out);
/* out = alpha (x - beta y); out may be x */
void shgat_reject(float alpha, const float *x, const float *y, float beta, ptrdiff_t n, float *out);
float shgat_dot(const float *x, const float *y, ptrdiff_t n);
double shgat_sum_of_squares(const float *x, ptrdiff_t n);
/* p[i] = exp((z[i] - top) / tau), top = max z; returns log sum p, sets *top */
float shgat_exp_shifted(const float *z, ptrdiff_t n, float tau, float *top, float *p);
/* out = x - by; out may be x */
void shgat_shift_to(float by, const float *x, ptrdiff_t n, float *out);
/* x = log(x + floor), in place, for normal positive x + floor, to 2 ulp */
void shgat_log_above(float floor, ptrdiff_t n, float *x);
/* p = sigmoid(z), kept within [least, most], of z = start + slopes[0] min(s - knots[0], 0) + sum_i slopes[i] (clip(s, knots[i-1], knots[i]) - knots[i-1]),
 * where the last knot is infinity; slopes (bends + 1), knots (bends); without knots z = start + slopes[0] s. p may be s. */
void shgat_bent_sigmoid(const float *s, ptrdiff_t n, const float *slopes, const float *knots, ptrdiff_t bends, float start,
                        float least, float most, float *p);
/* total += factor s */
void shgat_fma(const float *factor, const float *s, ptrdiff_t n, float *total);
/* One Adam step with decoupled decay toward `anchor` (toward zero where anchor is NULL). */
void shgat_adam(float *p, const float *g, float *m, float *v, const float *anchor, ptrdiff_t n, float g_scale, float beta1,
                float beta2, float step_size, float v_scale, float eps, float decay);
/* 1 + how many of x are greater than x[c], or equal and before it; n < 2^31 */
ptrdiff_t shgat_rank(const float *x, ptrdiff_t n, ptrdiff_t c);
/* Is every |x[i]| at most limit >= 0? No infinity and no NaN is. */
int shgat_all_at_most(const float *x, ptrdiff_t n, float limit);

#endif
