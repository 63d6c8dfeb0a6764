/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Attention forward: a unit is one head and a chunk of its queries. Each tile of keys is packed once for the
 * chunk; the running softmax then goes through it in tiles of scores that stay in the first-level cache.
 */
#include "backend/cpu/avx2/attention.h"
#include "backend/cpu/avx2/exp2.h"
#include "backend/cpu/avx2/product.h"

#include <math.h>

/* A worker's buffers. q and o: the chunk's queries and unscaled results [rows, D/h]; top and total: per query. */
struct buffers {
    float *q, *o, *top, *total, *s, *k, *v;
};

/* Deals out a worker's part; with `at` NULL only counts. */
static int64_t lay_out(const struct mdm_attention_job *j, float *at, struct buffers *b)
{
    int64_t used = 0;

    b->q = mdm_take(at, &used, j->rows * j->width);
    b->o = mdm_take(at, &used, j->rows * j->width);
    b->top = mdm_take(at, &used, j->rows);
    b->total = mdm_take(at, &used, j->rows);
    b->s = mdm_take(at, &used, MDM_ATTENTION_ROWS * j->keys);
    b->k = mdm_take(at, &used, j->keys * j->width);
    b->v = mdm_take(at, &used, j->keys * j->width);
    return used;
}

int64_t mdm_attention_forward_floats(const struct mdm_attention_job *j)
{
    struct buffers b;

    return lay_out(j, NULL, &b);
}

static float largest(__m256 x)
{
    __m128 m = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));

    m = _mm_max_ps(m, _mm_movehl_ps(m, m));
    return _mm_cvtss_f32(_mm_max_ss(m, _mm_shuffle_ps(m, m, 1)));
}

static float sum(__m256 x)
{
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));

    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_shuffle_ps(s, s, 1)));
}

static void hide_tail(float *s, int64_t keys)
{
    for (int64_t i = keys; i % 8; i++)
        s[i] = -INFINITY;
}

/* One row of scores to weights relative to the new top; the row's sum and result are scaled to it. */
static void soften(float *s, int64_t keys, float *top, float *total, float *o, int64_t width)
{
    __m256 most, weight = _mm256_setzero_ps();
    float peak;

    hide_tail(s, keys);
    most = _mm256_loadu_ps(s);
    for (int64_t i = 8; i < keys; i += 8)
        most = _mm256_max_ps(most, _mm256_loadu_ps(s + i));
    peak = largest(most);
    if (peak > *top) {
        __m256 shrink = mdm_avx2_exp2(_mm256_set1_ps(*top - peak));
        for (int64_t i = 0; o && i < width; i += 8)
            _mm256_storeu_ps(o + i, _mm256_mul_ps(shrink, _mm256_loadu_ps(o + i)));
        *total *= _mm256_cvtss_f32(shrink);
        *top = peak;
    }
    most = _mm256_set1_ps(*top);
    for (int64_t i = 0; i < keys; i += 8) {
        __m256 p = mdm_avx2_exp2(_mm256_sub_ps(_mm256_loadu_ps(s + i), most));
        weight = _mm256_add_ps(weight, p);
        _mm256_storeu_ps(s + i, p);
    }
    *total += sum(weight);
}

static void attend(const struct mdm_attention_job *j, const struct buffers *b, int64_t rows, int64_t keys,
                   int first)
{
    const struct mdm_right k = {b->k, 16 * j->width, 16}, v = {b->v, 16, j->width};
    const struct mdm_left p = mdm_rows_left(b->s, j->keys, 1);

    for (int64_t r = 0; r < rows; r += MDM_ATTENTION_ROWS) {
        const int64_t m = mdm_lesser(MDM_ATTENTION_ROWS, rows - r);
        const struct mdm_left q = mdm_rows_left(b->q + r * j->width, j->width, 1);
        float *o = b->o + r * j->width;

        if (mdm_cancelled(j->cancel))
            return;
        mdm_avx2_product(m, mdm_round_up(keys, 8), j->width, q, k, b->s, j->keys, 0);
        for (int64_t i = 0; i < m; i++)
            soften(b->s + i * j->keys, keys, b->top + r + i, b->total + r + i, first ? NULL : o + i * j->width,
                   j->width);
        mdm_avx2_product(m, j->width, keys, p, v, o, j->width, !first);
    }
}

static void finish(const struct mdm_attention_job *j, const struct buffers *b, float *y, float *lse,
                   int64_t rows)
{
    for (int64_t i = 0; i < rows; i++) {
        const __m256 f = _mm256_set1_ps(1 / b->total[i]);
        for (int64_t k = 0; k < j->width; k += 8)
            _mm256_storeu_ps(y + i * j->dim + k, _mm256_mul_ps(f, _mm256_loadu_ps(b->o + i * j->width + k)));
        if (lse)
            lse[i] = (float)(b->top[i] * MDM_LN2 + log((double)b->total[i]));
    }
}

void mdm_attention_forward_unit(void *arg, int64_t unit, int worker)
{
    const struct mdm_attention_job *j = arg;
    const struct mdm_attention_head h = mdm_attention_head(j, unit / j->row_units);
    const int64_t first = unit % j->row_units * j->rows, rows = mdm_lesser(j->rows, j->n - first);
    const int64_t step = 3 * j->dim;
    struct buffers b;

    lay_out(j, j->scratch + worker * j->worker_floats, &b);
    mdm_pack_rows(b.q, h.q + first * step, step, rows, j->width, (float)(j->scale * MDM_LOG2E));
    for (int64_t i = 0; i < rows; i++) {
        b.top[i] = -INFINITY;
        b.total[i] = 0;
    }
    for (int64_t t = 0; t < j->n; t += j->keys) {
        const int64_t keys = mdm_lesser(j->keys, j->n - t);
        mdm_pack_transposed(b.k, 16 * j->width, h.k + t * step, step, keys, j->width);
        mdm_pack_rows(b.v, h.v + t * step, step, keys, j->width, 1);
        attend(j, &b, rows, keys, t == 0);
    }
    if (!mdm_cancelled(j->cancel))
        finish(j, &b, h.y + first * j->dim, h.lse ? h.lse + first : NULL, rows);
}
