/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Attention backward: a unit is one head and a group of its tiles of keys. For each tile of keys it goes through
 * all queries and sums dk and dv in its buffers; dq is summed in place, or, where several units share a head, in
 * a partial result per unit.
 *
 * With p = 2^(s - lse) and delta = sum(dy y) of the row: dp = dy v', ds = p (dp - delta), and then dv += p' dy,
 * dq += ds k (D/h)^-1/2, dk += ds' q (D/h)^-1/2.
 */
#include "backend/cpu/avx2/attention.h"
#include "backend/cpu/avx2/exp2.h"
#include "backend/cpu/avx2/product.h"

#include <math.h>

enum { ROWS = MDM_ATTENTION_BACK_ROWS };

/* A worker's buffers: the names of the formula; _t is packed transposed. */
struct buffers {
    float *lse, *delta, *q, *dy, *k, *k_t, *v_t, *p, *ds, *dk, *dv;
};

/* Where dq of the unit is summed, and whether its first tile adds to what is there. */
struct target {
    float *at;
    int64_t stride;
    int add;
};

/* Deals out a worker's part; with `at` NULL only counts. */
static int64_t lay_out(const struct mdm_attention_job *j, float *at, struct buffers *b)
{
    int64_t used = 0;

    b->lse = mdm_take(at, &used, ROWS);
    b->delta = mdm_take(at, &used, ROWS);
    b->q = mdm_take(at, &used, ROWS * j->width);
    b->dy = mdm_take(at, &used, ROWS * j->width);
    b->k = mdm_take(at, &used, j->keys * j->width);
    b->k_t = mdm_take(at, &used, j->keys * j->width);
    b->v_t = mdm_take(at, &used, j->keys * j->width);
    b->p = mdm_take(at, &used, ROWS * j->keys);
    b->ds = mdm_take(at, &used, ROWS * j->keys);
    b->dk = mdm_take(at, &used, j->keys * j->width);
    b->dv = mdm_take(at, &used, j->keys * j->width);
    return used;
}

int64_t mdm_attention_backward_floats(const struct mdm_attention_job *j)
{
    struct buffers b;

    return lay_out(j, NULL, &b);
}

static float dot(const float *a, const float *b, int64_t n)
{
    __m256 s = _mm256_setzero_ps();
    __m128 h;

    for (int64_t i = 0; i < n; i += 8)
        s = _mm256_fmadd_ps(_mm256_loadu_ps(a + i), _mm256_loadu_ps(b + i), s);
    h = _mm_add_ps(_mm256_castps256_ps128(s), _mm256_extractf128_ps(s, 1));
    h = _mm_add_ps(h, _mm_movehl_ps(h, h));
    return _mm_cvtss_f32(_mm_add_ss(h, _mm_shuffle_ps(h, h, 1)));
}

static void pack_queries(const struct mdm_attention_job *j, const struct mdm_attention_head *h,
                         const struct buffers *b, int64_t first, int64_t rows)
{
    const float *q = h->q + first * 3 * j->dim, *dy = h->dy + first * j->dim, *y = h->y + first * j->dim;
    const float factor = (float)(j->scale * MDM_LOG2E);

    mdm_pack_rows(b->q, q, 3 * j->dim, rows, j->width, factor);
    mdm_pack_rows(b->dy, dy, j->dim, rows, j->width, 1);
    for (int64_t i = 0; i < rows; i++) {
        b->lse[i] = (float)(h->lse[first + i] * MDM_LOG2E);
        b->delta[i] = dot(b->dy + i * j->width, y + i * j->dim, j->width);
    }
}

static void pack_keys(const struct mdm_attention_job *j, const struct mdm_attention_head *h, const struct buffers *b,
                      int64_t first, int64_t keys)
{
    const int64_t step = 3 * j->dim, panel = 16 * j->width;

    mdm_pack_transposed(b->k_t, panel, h->k + first * step, step, keys, j->width);
    mdm_pack_transposed(b->v_t, panel, h->v + first * step, step, keys, j->width);
    mdm_pack_rows(b->k, h->k + first * step, step, keys, j->width, j->scale);
}

/* The tail is hidden: what it would come to is used nowhere, but may be anything. */
static void find_weights(float *s, int64_t keys, float lse)
{
    const __m256 top = _mm256_set1_ps(lse);

    for (int64_t i = keys; i % 8; i++)
        s[i] = -INFINITY;
    for (int64_t i = 0; i < keys; i += 8)
        _mm256_storeu_ps(s + i, mdm_avx2_exp2(_mm256_sub_ps(_mm256_loadu_ps(s + i), top)));
}

static void find_ds(float *ds, const float *p, int64_t keys, float delta)
{
    const __m256 mean = _mm256_set1_ps(delta);

    for (int64_t i = 0; i < keys; i += 8)
        _mm256_storeu_ps(ds + i, _mm256_mul_ps(_mm256_loadu_ps(p + i), _mm256_sub_ps(_mm256_loadu_ps(ds + i), mean)));
}

/* One tile of scores: `rows` queries, packed, by `keys` keys, packed; `first` starts dk and dv. */
static void run_tile(const struct mdm_attention_job *j, const struct buffers *b, int64_t rows, int64_t keys,
                     struct target dq, int first)
{
    const int64_t wide = mdm_round_up(keys, 8), width = j->width;
    const struct mdm_right k_t = {b->k_t, 16 * width, 16}, v_t = {b->v_t, 16 * width, 16};
    const struct mdm_right k = {b->k, 16, width}, q = {b->q, 16, width}, dy = {b->dy, 16, width};
    const struct mdm_left q_rows = mdm_rows_left(b->q, width, 1), dy_rows = mdm_rows_left(b->dy, width, 1);
    const struct mdm_left p_t = mdm_rows_left(b->p, 1, j->keys), ds_t = mdm_rows_left(b->ds, 1, j->keys);
    const struct mdm_left ds = mdm_rows_left(b->ds, j->keys, 1);

    mdm_avx2_product(rows, wide, width, q_rows, k_t, b->p, j->keys, 0);
    for (int64_t i = 0; i < rows; i++)
        find_weights(b->p + i * j->keys, keys, b->lse[i]);
    mdm_avx2_product(keys, width, rows, p_t, dy, b->dv, width, !first);
    mdm_avx2_product(rows, wide, width, dy_rows, v_t, b->ds, j->keys, 0);
    for (int64_t i = 0; i < rows; i++)
        find_ds(b->ds + i * j->keys, b->p + i * j->keys, keys, b->delta[i]);
    mdm_avx2_product(keys, width, rows, ds_t, q, b->dk, width, !first);
    mdm_avx2_product(rows, width, keys, ds, k, dq.at, dq.stride, dq.add);
}

static void write_rows(const struct mdm_attention_job *j, float *out, const float *x, int64_t rows, float factor)
{
    const __m256 f = _mm256_set1_ps(factor);

    for (int64_t i = 0; i < rows; i++)
        for (int64_t k = 0; k < j->width; k += 8) {
            float *at = out + i * 3 * j->dim + k;
            __m256 v = _mm256_mul_ps(f, _mm256_loadu_ps(x + i * j->width + k));
            _mm256_storeu_ps(at, j->add ? _mm256_add_ps(_mm256_loadu_ps(at), v) : v);
        }
}

void mdm_attention_backward_unit(void *arg, int64_t unit, int worker)
{
    const struct mdm_attention_job *j = arg;
    const struct mdm_attention_head h = mdm_attention_head(j, j->head + unit / j->groups);
    const int64_t from = unit % j->groups * j->group, to = mdm_lesser(from + j->group, j->key_tiles);
    struct target dq = {h.dq, 3 * j->dim, j->add};
    struct buffers b;

    lay_out(j, j->scratch + worker * j->worker_floats, &b);
    if (j->groups > 1)
        dq = (struct target){j->partial + unit * j->partial_floats, j->width, 0};
    for (int64_t t = from; t < to; t++) {
        const int64_t key = t * j->keys, keys = mdm_lesser(j->keys, j->n - key);

        pack_keys(j, &h, &b, key, keys);
        for (int64_t i = 0; i < j->n; i += ROWS) {
            const int64_t rows = mdm_lesser(ROWS, j->n - i);
            const struct target at = {dq.at + i * dq.stride, dq.stride, dq.add || t > from};

            if (mdm_cancelled(j->cancel))
                return;
            pack_queries(j, &h, &b, i, rows);
            run_tile(j, &b, rows, keys, at, i == 0);
        }
        write_rows(j, h.dk + key * 3 * j->dim, b.dk, keys, (float)MDM_LN2);
        write_rows(j, h.dv + key * 3 * j->dim, b.dv, keys, 1);
    }
}
