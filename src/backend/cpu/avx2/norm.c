/* SPDX-License-Identifier: BSD-2-Clause
 *
 * LayerNorm's rows on eight floats: a row is in the first cache, so it is read once per sum. Sums run in float over
 * two sets of eight lanes, which keeps a sum of n terms within some n/16 roundings.
 */
#include "backend/cpu/avx2/lanes.h"
#include "backend/cpu/avx2/rows.h"

static float sum_row(const float *x, int64_t n)
{
    __m256 s = _mm256_setzero_ps(), u = s;
    int64_t i = 0;

    for (; i + 16 <= n; i += 16) {
        s = _mm256_add_ps(s, _mm256_loadu_ps(x + i));
        u = _mm256_add_ps(u, _mm256_loadu_ps(x + i + 8));
    }
    for (; i < n; i += 8)
        s = _mm256_add_ps(s, i + 8 <= n ? _mm256_loadu_ps(x + i) : _mm256_maskload_ps(x + i, mdm_lanes(n - i)));
    return mdm_lane_sum(_mm256_add_ps(s, u));
}

static float sum_deviations(const float *x, float mean, int64_t n)
{
    __m256 s = _mm256_setzero_ps(), u = s, m = _mm256_set1_ps(mean);
    int64_t i = 0;

    for (; i + 16 <= n; i += 16) {
        __m256 a = _mm256_sub_ps(_mm256_loadu_ps(x + i), m), b = _mm256_sub_ps(_mm256_loadu_ps(x + i + 8), m);
        s = _mm256_fmadd_ps(a, a, s);
        u = _mm256_fmadd_ps(b, b, u);
    }
    for (; i < n; i += 8) {
        __m256i mask = n - i < 8 ? mdm_lanes(n - i) : _mm256_set1_epi32(-1);
        __m256 a = _mm256_and_ps(_mm256_sub_ps(_mm256_maskload_ps(x + i, mask), m), _mm256_castsi256_ps(mask));
        s = _mm256_fmadd_ps(a, a, s);
    }
    return mdm_lane_sum(_mm256_add_ps(s, u));
}

/* Eight of a row, or eight times `other` where there is none. */
static inline __m256 load8(const float *row, int64_t i, float other)
{
    return row ? _mm256_loadu_ps(row + i) : _mm256_set1_ps(other);
}

static inline __m256 load_some(const float *row, int64_t i, __m256i k, float other)
{
    return row ? _mm256_maskload_ps(row + i, k) : _mm256_set1_ps(other);
}

void mdm_norm_avx2(float *y, float stats[2], const float *x, const float *w, const float *b, double epsilon,
                   int64_t n)
{
    float mean = sum_row(x, n) / (float)n;
    float rstd = (float)(1 / sqrt((double)sum_deviations(x, mean, n) / (double)n + epsilon));
    __m256 m = _mm256_set1_ps(mean), r = _mm256_set1_ps(rstd);
    int64_t i = 0;

    stats[0] = mean;
    stats[1] = rstd;
    for (; i + 8 <= n; i += 8) {
        __m256 h = _mm256_mul_ps(_mm256_sub_ps(_mm256_loadu_ps(x + i), m), r);
        _mm256_storeu_ps(y + i, _mm256_fmadd_ps(h, load8(w, i, 1), load8(b, i, 0)));
    }
    if (i < n) {
        __m256i k = mdm_lanes(n - i);
        __m256 h = _mm256_mul_ps(_mm256_sub_ps(_mm256_maskload_ps(x + i, k), m), r);
        _mm256_maskstore_ps(y + i, k, _mm256_fmadd_ps(h, load_some(w, i, k, 1), load_some(b, i, k, 0)));
    }
}

/* avg g and avg(g h) */
static void gradient_averages(float *g_avg, float *gh_avg, const float *dy, const float *x, const float *w,
                              const float stats[2], int64_t n)
{
    __m256 m = _mm256_set1_ps(stats[0]), r = _mm256_set1_ps(stats[1]);
    __m256 s[2] = {_mm256_setzero_ps(), _mm256_setzero_ps()}, t[2] = {_mm256_setzero_ps(), _mm256_setzero_ps()};

    for (int64_t i = 0, odd = 0; i < n; i += 8, odd ^= 1) {
        __m256i k = n - i < 8 ? mdm_lanes(n - i) : _mm256_set1_epi32(-1);
        __m256 g = _mm256_mul_ps(load_some(w, i, k, 1), _mm256_maskload_ps(dy + i, k));
        __m256 h = _mm256_mul_ps(_mm256_sub_ps(_mm256_maskload_ps(x + i, k), m), r);
        s[odd] = _mm256_add_ps(s[odd], g);
        t[odd] = _mm256_fmadd_ps(g, h, t[odd]);
    }
    *g_avg = mdm_lane_sum(_mm256_add_ps(s[0], s[1])) / (float)n;
    *gh_avg = mdm_lane_sum(_mm256_add_ps(t[0], t[1])) / (float)n;
}

struct gradient {
    __m256 mean, rstd, g_avg, gh_avg;
};

/* dx without `more`; dw and db in and out */
static inline __m256 gradient8(const struct gradient *j, __m256 *dw, __m256 *db, __m256 dy, __m256 x, __m256 w)
{
    __m256 h = _mm256_mul_ps(_mm256_sub_ps(x, j->mean), j->rstd);
    __m256 d = _mm256_sub_ps(_mm256_mul_ps(w, dy), _mm256_fmadd_ps(h, j->gh_avg, j->g_avg));

    *dw = _mm256_fmadd_ps(dy, h, *dw);
    *db = _mm256_add_ps(*db, dy);
    return _mm256_mul_ps(d, j->rstd);
}

void mdm_norm_backward_avx2(float *dx, float *dw, float *db, const float *dy, const float *x, const float *w,
                            const float stats[2], const float *more, int64_t n)
{
    float g_avg, gh_avg;
    struct gradient j = {.mean = _mm256_set1_ps(stats[0]), .rstd = _mm256_set1_ps(stats[1])};
    int64_t i = 0;

    gradient_averages(&g_avg, &gh_avg, dy, x, w, stats, n);
    j.g_avg = _mm256_set1_ps(g_avg);
    j.gh_avg = _mm256_set1_ps(gh_avg);
    for (; i + 8 <= n; i += 8) {
        __m256 u = _mm256_loadu_ps(dw + i), v = _mm256_loadu_ps(db + i);
        __m256 d = gradient8(&j, &u, &v, _mm256_loadu_ps(dy + i), _mm256_loadu_ps(x + i), load8(w, i, 1));
        _mm256_storeu_ps(dw + i, u);
        _mm256_storeu_ps(db + i, v);
        _mm256_storeu_ps(dx + i, more ? _mm256_add_ps(d, _mm256_loadu_ps(more + i)) : d);
    }
    if (i < n) {
        __m256i k = mdm_lanes(n - i);
        __m256 u = _mm256_maskload_ps(dw + i, k), v = _mm256_maskload_ps(db + i, k);
        __m256 d = gradient8(&j, &u, &v, _mm256_maskload_ps(dy + i, k), _mm256_maskload_ps(x + i, k),
                             load_some(w, i, k, 1));
        _mm256_maskstore_ps(dw + i, k, u);
        _mm256_maskstore_ps(db + i, k, v);
        _mm256_maskstore_ps(dx + i, k, more ? _mm256_add_ps(d, _mm256_maskload_ps(more + i, k)) : d);
    }
}
