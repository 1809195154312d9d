#include "elements.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 12
#define EVERY_CPU __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define EVERY_CPU
#endif
#define INLINE static inline __attribute__((always_inline))

/* exp(x) = (1 + q) 2^n for x <= 0, n = round(x / ln 2), q a degree-6 polynomial on the rest: returns q, sets *power = 2^n.
 * No kernel needs exp of a positive number. NaN stays NaN. */
INLINE float split_exp(float x, float *power) {
    const union { float f; int32_t i; } magic = {12582912.0f}; /* 1.5 * 2^23: adding it rounds to the nearest integer */
    union { float f; int32_t i; } shifted, scale;
    x = x < -87.3f ? -87.3f : x;
    shifted.f = x * 1.44269504088896341f + magic.f;
    const float n = shifted.f - magic.f;
    float r = x - n * 0.693359375f;
    r = r + n * 2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    scale.i = (int32_t)((uint32_t)(shifted.i - magic.i + 127) << 23);
    *power = scale.f;
    return p * r * r + r;
}

/* exp(x), x <= 0, to 1.1 ulp; 0 below -87.3, where products would turn into slow subnormal numbers. */
INLINE float exp_(float x) {
    float power, q = split_exp(x, &power);
    return x < -87.3f ? 0.0f : (q + 1.0f) * power;
}

/* log(x) of a normal positive x = m 2^e, m in [1/sqrt 2, sqrt 2): e ln 2 + 2 artanh t, t = (m - 1) / (m + 1), |t| < 0.172. */
INLINE float log_(float x) {
    union { float f; int32_t i; } bits = {x}, mantissa;
    const int32_t e = (bits.i - 0x3f3504f3) >> 23; /* 0x3f3504f3: 1/sqrt 2, so that m lies around 1 */
    mantissa.i = bits.i - (int32_t)((uint32_t)e << 23);
    const float t = (mantissa.f - 1.0f) / (mantissa.f + 1.0f), u = t * t;
    float p = 2.0f / 9.0f;
    p = p * u + 2.0f / 7.0f;
    p = p * u + 2.0f / 5.0f;
    p = p * u + 2.0f / 3.0f;
    const float n = (float)e, rest = p * u * t;
    return n * 0.693359375f + (2.0f * t + (rest - n * 2.12194440e-4f));
}

/* 1 / (1 + exp(-z)) by the exp of a number that is not positive. */
INLINE float sigmoid_(float z) {
    const float small = exp_(z < 0.0f ? z : -z), share = small / (1.0f + small);
    return z < 0.0f ? share : 1.0f - share;
}

INLINE float leaky(float v, float slope) { return v > 0.0f ? v : slope * v; }

/* ELU and its derivative; q 2^n + (2^n - 1) keeps the digits that exp(v) - 1 loses where v is small. */
INLINE float elu(float v, float *slope) {
    float power, q = split_exp(v > 0.0f ? 0.0f : v, &power);
    *slope = q * power + power;
    return v > 0.0f ? v : q * power + (power - 1.0f);
}

EVERY_CPU void shgat_edge_logits(const float *restrict s, const float *restrict t, const float *restrict a,
                                 ptrdiff_t heads, ptrdiff_t width, float slope, float *restrict u) {
    for (ptrdiff_t h = 0; h < heads; ++h, s += width, t += width, a += width) {
        float sum = 0.0f;
#pragma omp simd reduction(+ : sum)
        for (ptrdiff_t j = 0; j < width; ++j) sum += a[j] * leaky(s[j] + t[j], slope);
        u[h] = sum;
    }
}

EVERY_CPU void shgat_edge_logits_backward(const float *restrict s, const float *restrict t, const float *restrict a,
                                          const float *restrict du, ptrdiff_t heads, ptrdiff_t width, float slope,
                                          float *restrict ds, float *restrict dt, float *restrict da) {
    for (ptrdiff_t h = 0; h < heads; ++h, s += width, t += width, a += width, ds += width, dt += width, da += width) {
        const float d = du[h];
#pragma omp simd
        for (ptrdiff_t j = 0; j < width; ++j) {
            const float v = s[j] + t[j], l = v > 0.0f ? 1.0f : slope, g = d * a[j] * l;
            ds[j] += g;
            dt[j] += g;
            da[j] += d * v * l;
        }
    }
}

EVERY_CPU void shgat_heads_axpy(const float *restrict alpha, const float *restrict x, ptrdiff_t heads, ptrdiff_t width,
                                float *restrict y) {
    for (ptrdiff_t h = 0; h < heads; ++h, x += width, y += width) {
        const float w = alpha[h];
#pragma omp simd
        for (ptrdiff_t j = 0; j < width; ++j) y[j] += w * x[j];
    }
}

EVERY_CPU void shgat_heads_dot(const float *restrict x, const float *restrict y, ptrdiff_t heads, ptrdiff_t width,
                               float *restrict out) {
    for (ptrdiff_t h = 0; h < heads; ++h, x += width, y += width) {
        float sum = 0.0f;
#pragma omp simd reduction(+ : sum)
        for (ptrdiff_t j = 0; j < width; ++j) sum += x[j] * y[j];
        out[h] = sum;
    }
}

/* p = exp((z - top) rate), top = max z; returns sum p. p may be z. */
INLINE float exp_row(const float *z, ptrdiff_t n, float rate, float *top, float *p) {
    float highest = z[0], sum = 0.0f;
#pragma omp simd reduction(max : highest)
    for (ptrdiff_t j = 0; j < n; ++j) highest = z[j] > highest ? z[j] : highest;
#pragma omp simd reduction(+ : sum)
    for (ptrdiff_t j = 0; j < n; ++j) sum += p[j] = exp_((z[j] - highest) * rate);
    *top = highest;
    return sum;
}

/* Heads are the inner axis: reductions over rows run side by side for a block of heads, exp over the whole segment. */
enum { HEAD_BLOCK = 16 };

EVERY_CPU void shgat_segment_softmax(float *restrict u, ptrdiff_t rows, ptrdiff_t heads) {
    if (heads == 1) { /* the rows are contiguous */
        float top;
        const float inverse = 1.0f / exp_row(u, rows, 1.0f, &top, u);
#pragma omp simd
        for (ptrdiff_t r = 0; r < rows; ++r) u[r] *= inverse;
        return;
    }
    for (ptrdiff_t first = 0; first < heads; first += HEAD_BLOCK) {
        const ptrdiff_t n = heads - first < HEAD_BLOCK ? heads - first : HEAD_BLOCK;
        float top[HEAD_BLOCK];
        for (ptrdiff_t h = 0; h < n; ++h) top[h] = u[first + h];
        for (ptrdiff_t r = 1; r < rows; ++r)
            for (ptrdiff_t h = 0; h < n; ++h) {
                const float v = u[r * heads + first + h];
                top[h] = v > top[h] ? v : top[h];
            }
        for (ptrdiff_t r = 0; r < rows; ++r)
            for (ptrdiff_t h = 0; h < n; ++h) u[r * heads + first + h] -= top[h];
    }
#pragma omp simd
    for (ptrdiff_t i = 0; i < rows * heads; ++i) u[i] = exp_(u[i]);
    for (ptrdiff_t first = 0; first < heads; first += HEAD_BLOCK) {
        const ptrdiff_t n = heads - first < HEAD_BLOCK ? heads - first : HEAD_BLOCK;
        float sum[HEAD_BLOCK] = {0};
        for (ptrdiff_t r = 0; r < rows; ++r)
            for (ptrdiff_t h = 0; h < n; ++h) sum[h] += u[r * heads + first + h];
        for (ptrdiff_t h = 0; h < n; ++h) sum[h] = 1.0f / sum[h];
        for (ptrdiff_t r = 0; r < rows; ++r)
            for (ptrdiff_t h = 0; h < n; ++h) u[r * heads + first + h] *= sum[h];
    }
}

EVERY_CPU void shgat_segment_softmax_backward(const float *restrict alpha, ptrdiff_t rows, ptrdiff_t heads,
                                              float *restrict du) {
    if (heads == 1) {
        float mean = 0.0f;
#pragma omp simd reduction(+ : mean)
        for (ptrdiff_t r = 0; r < rows; ++r) mean += alpha[r] * du[r];
#pragma omp simd
        for (ptrdiff_t r = 0; r < rows; ++r) du[r] = alpha[r] * (du[r] - mean);
        return;
    }
    for (ptrdiff_t first = 0; first < heads; first += HEAD_BLOCK) {
        const ptrdiff_t n = heads - first < HEAD_BLOCK ? heads - first : HEAD_BLOCK;
        float mean[HEAD_BLOCK] = {0};
        for (ptrdiff_t r = 0; r < rows; ++r)
            for (ptrdiff_t h = 0; h < n; ++h) mean[h] += alpha[r * heads + first + h] * du[r * heads + first + h];
        for (ptrdiff_t r = 0; r < rows; ++r)
            for (ptrdiff_t h = 0; h < n; ++h) {
                const ptrdiff_t i = r * heads + first + h;
                du[i] = alpha[i] * (du[i] - mean[h]);
            }
    }
}

EVERY_CPU void shgat_elu_gate(const float *x, const float *restrict agg, float g, ptrdiff_t n, float *out) {
#pragma omp simd
    for (ptrdiff_t j = 0; j < n; ++j) {
        float slope;
        out[j] = (1.0f - g) * x[j] + g * elu(agg[j], &slope);
    }
}

EVERY_CPU float shgat_elu_gate_backward(const float *restrict d_out, const float *restrict x, const float *restrict agg,
                                        float g, ptrdiff_t n, float *restrict d_x, float *restrict d_agg) {
    float d_g = 0.0f;
#pragma omp simd reduction(+ : d_g)
    for (ptrdiff_t j = 0; j < n; ++j) {
        float slope, m = elu(agg[j], &slope);
        d_g += d_out[j] * (m - x[j]);
        d_agg[j] = g * d_out[j] * slope;
        d_x[j] = (1.0f - g) * d_out[j];
    }
    return d_g;
}

EVERY_CPU void shgat_axpy(float alpha, const float *restrict x, ptrdiff_t n, float *restrict y) {
#pragma omp simd
    for (ptrdiff_t j = 0; j < n; ++j) y[j] += alpha * x[j];
}

EVERY_CPU void shgat_axpy3(float a, const float *restrict x, float b, const float *restrict y, float c,
                           const float *restrict z, ptrdiff_t n, float *restrict out) {
#pragma omp simd
    for (ptrdiff_t j = 0; j < n; ++j) out[j] += a * x[j] + b * y[j] + c * z[j];
}

EVERY_CPU void shgat_scale(float alpha, ptrdiff_t n, float *x) {
#pragma omp simd
    for (ptrdiff_t j = 0; j < n; ++j) x[j] *= alpha;
}

EVERY_CPU void shgat_scale_to(float alpha, const float *x, ptrdiff_t n, float *out) {
#pragma omp simd
    for (ptrdiff_t j = 0; j < n; ++j) out[j] = alpha * x[j];
}

EVERY_CPU void shgat_reject(float alpha, const float *x, const float *y, float beta, ptrdiff_t n, float *out) {
#pragma omp simd
    for (ptrdiff_t j = 0; j < n; ++j) out[j] = alpha * (x[j] - beta * y[j]);
}

EVERY_CPU float shgat_dot(const float *x, const float *y, ptrdiff_t n) {
    float sum = 0.0f;
#pragma omp simd reduction(+ : sum)
    for (ptrdiff_t j = 0; j < n; ++j) sum += x[j] * y[j];
    return sum;
}

EVERY_CPU double shgat_sum_of_squares(const float *x, ptrdiff_t n) {
    double total = 0.0;
    for (ptrdiff_t start = 0; start < n; start += 4096) { /* float32 inside a block, float64 across blocks */
        const ptrdiff_t stop = start + 4096 < n ? start + 4096 : n;
        float sum = 0.0f;
#pragma omp simd reduction(+ : sum)
        for (ptrdiff_t j = start; j < stop; ++j) sum += x[j] * x[j];
        total += sum;
    }
    return total;
}

EVERY_CPU float shgat_exp_shifted(const float *z, ptrdiff_t n, float tau, float *top, float *p) {
    return logf(exp_row(z, n, 1.0f / tau, top, p));
}

EVERY_CPU void shgat_shift_to(float by, const float *x, ptrdiff_t n, float *out) {
#pragma omp simd
    for (ptrdiff_t j = 0; j < n; ++j) out[j] = x[j] - by;
}

EVERY_CPU void shgat_log_above(float floor, ptrdiff_t n, float *restrict x) {
#pragma omp simd
    for (ptrdiff_t j = 0; j < n; ++j) x[j] = log_(x[j] + floor);
}

EVERY_CPU void shgat_bent_sigmoid(const float *s, ptrdiff_t n, const float *restrict slopes, const float *restrict knots,
                                  ptrdiff_t bends, float start, float least, float most, float *p) {
    const float first = bends ? knots[0] : INFINITY, origin = bends ? knots[0] : 0.0f;
#pragma omp simd
    for (ptrdiff_t j = 0; j < n; ++j) {
        const float v = s[j];
        float z = start + slopes[0] * ((v < first ? v : first) - origin);
        for (ptrdiff_t i = 0; i < bends; ++i) {
            const float low = knots[i], high = i + 1 < bends ? knots[i + 1] : INFINITY;
            z += slopes[i + 1] * ((v < low ? low : v < high ? v : high) - low);
        }
        const float q = sigmoid_(z);
        p[j] = q < least ? least : q > most ? most : q;
    }
}

EVERY_CPU void shgat_fma(const float *restrict factor, const float *restrict s, ptrdiff_t n, float *restrict total) {
#pragma omp simd
    for (ptrdiff_t j = 0; j < n; ++j) total[j] += factor[j] * s[j];
}

EVERY_CPU void shgat_adam(float *restrict p, const float *restrict g, float *restrict m, float *restrict v,
                          const float *restrict anchor, ptrdiff_t n, float g_scale, float beta1, float beta2,
                          float step_size, float v_scale, float eps, float decay) {
    if (anchor) {
#pragma omp simd
        for (ptrdiff_t j = 0; j < n; ++j) {
            const float d = g[j] * g_scale, mj = beta1 * m[j] + (1.0f - beta1) * d;
            const float vj = beta2 * v[j] + (1.0f - beta2) * d * d;
            m[j] = mj;
            v[j] = vj;
            p[j] -= decay * (p[j] - anchor[j]) + step_size * mj / (sqrtf(vj * v_scale) + eps);
        }
    } else {
#pragma omp simd
        for (ptrdiff_t j = 0; j < n; ++j) {
            const float d = g[j] * g_scale, mj = beta1 * m[j] + (1.0f - beta1) * d;
            const float vj = beta2 * v[j] + (1.0f - beta2) * d * d;
            m[j] = mj;
            v[j] = vj;
            p[j] -= decay * p[j] + step_size * mj / (sqrtf(vj * v_scale) + eps);
        }
    }
}

EVERY_CPU int shgat_all_at_most(const float *x, ptrdiff_t n, float limit) {
    int32_t bad = 0, most;
    memcpy(&most, &limit, sizeof most);
#pragma omp simd reduction(| : bad)
    for (ptrdiff_t j = 0; j < n; ++j) {
        int32_t bits; /* without the sign they are ordered as the numbers are, infinity and NaN above them */
        memcpy(&bits, x + j, sizeof bits);
        bad |= (bits & 0x7fffffff) > most;
    }
    return !bad;
}

EVERY_CPU ptrdiff_t shgat_rank(const float *x, ptrdiff_t n, ptrdiff_t c) {
    const float own = x[c];
    int32_t above = 0; /* as wide as a float: the loops stay vectors */
#pragma omp simd reduction(+ : above)
    for (ptrdiff_t j = 0; j < c; ++j) above += x[j] >= own;
#pragma omp simd reduction(+ : above)
    for (ptrdiff_t j = c + 1; j < n; ++j) above += x[j] > own;
    return 1 + (ptrdiff_t)above;
}
