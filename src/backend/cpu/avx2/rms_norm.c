/* SPDX-License-Identifier: BSD-2-Clause
 *
 * RMSNorm's rows on eight floats, in the manner of LayerNorm's (norm.c).
 */
#include "backend/cpu/avx2/lanes.h"
#include "backend/cpu/avx2/rows.h"

static inline __m256i lanes_from(int64_t i, int64_t n)
{
    return n - i < 8 ? mdm_lanes(n - i) : _mm256_set1_epi32(-1);
}

static float sum_squares(const float *x, int64_t n)
{
    __m256 s = _mm256_setzero_ps(), u = s;
    int64_t i = 0;

    for (; i + 16 <= n; i += 16) {
        __m256 a = _mm256_loadu_ps(x + i), b = _mm256_loadu_ps(x + i + 8);
        s = _mm256_fmadd_ps(a, a, s);
        u = _mm256_fmadd_ps(b, b, u);
    }
    for (; i < n; i += 8) {
        __m256 a = _mm256_maskload_ps(x + i, lanes_from(i, n));
        s = _mm256_fmadd_ps(a, a, s);
    }
    return mdm_lane_sum(_mm256_add_ps(s, u));
}

float mdm_rms_norm_avx2(float *y, const float *x, const float *w, double epsilon, int64_t n)
{
    float r = (float)(1 / sqrt((double)sum_squares(x, n) / (double)n + epsilon));
    __m256 m = _mm256_set1_ps(r);
    int64_t i = 0;

    for (; i + 8 <= n; i += 8)
        _mm256_storeu_ps(y + i, _mm256_mul_ps(_mm256_mul_ps(_mm256_loadu_ps(x + i), m), _mm256_loadu_ps(w + i)));
    if (i < n) {
        __m256i k = mdm_lanes(n - i);
        __m256 h = _mm256_mul_ps(_mm256_maskload_ps(x + i, k), m);
        _mm256_maskstore_ps(y + i, k, _mm256_mul_ps(h, _mm256_maskload_ps(w + i, k)));
    }
    return r;
}

/* sum of w dy x */
static float sum_products(const float *w, const float *dy, const float *x, int64_t n)
{
    __m256 s[2] = {_mm256_setzero_ps(), _mm256_setzero_ps()};

    for (int64_t i = 0, odd = 0; i < n; i += 8, odd ^= 1) {
        __m256i k = lanes_from(i, n);
        __m256 g = _mm256_mul_ps(_mm256_maskload_ps(w + i, k), _mm256_maskload_ps(dy + i, k));
        s[odd] = _mm256_fmadd_ps(g, _mm256_maskload_ps(x + i, k), s[odd]);
    }
    return mdm_lane_sum(_mm256_add_ps(s[0], s[1]));
}

/* dx; dw in and out */
static inline __m256 gradient8(__m256 *dw, __m256 dy, __m256 x, __m256 w, __m256 r, __m256 avg)
{
    __m256 h = _mm256_mul_ps(x, r);

    *dw = _mm256_fmadd_ps(dy, h, *dw);
    return _mm256_mul_ps(_mm256_fmsub_ps(w, dy, _mm256_mul_ps(h, avg)), r);
}

void mdm_rms_norm_backward_avx2(float *dx, float *dw, const float *dy, const float *x, const float *w, float r,
                                int64_t n)
{
    __m256 m = _mm256_set1_ps(r), avg = _mm256_set1_ps(sum_products(w, dy, x, n) * r / (float)n);
    int64_t i = 0;

    for (; i + 8 <= n; i += 8) {
        __m256 u = _mm256_loadu_ps(dw + i);
        __m256 d = gradient8(&u, _mm256_loadu_ps(dy + i), _mm256_loadu_ps(x + i), _mm256_loadu_ps(w + i), m, avg);
        _mm256_storeu_ps(dw + i, u);
        _mm256_storeu_ps(dx + i, d);
    }
    if (i < n) {
        __m256i k = mdm_lanes(n - i);
        __m256 u = _mm256_maskload_ps(dw + i, k);
        __m256 d = gradient8(&u, _mm256_maskload_ps(dy + i, k), _mm256_maskload_ps(x + i, k),
                             _mm256_maskload_ps(w + i, k), m, avg);
        _mm256_maskstore_ps(dw + i, k, u);
        _mm256_maskstore_ps(dx + i, k, d);
    }
}
