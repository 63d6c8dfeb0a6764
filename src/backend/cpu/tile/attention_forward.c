/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Attention forward: a unit is one head and a chunk of its queries. Each tile of keys is packed once for the
 * chunk; the running softmax then goes through it in tiles of scores that stay in the first-level cache.
 */
#include "backend/cpu/tile/attention.h"

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

static void attend(const struct mdm_attention_job *j, const struct buffers *b, int64_t rows, int64_t keys, int first)
{
    const struct mdm_tile *t = j->tile;
    const struct mdm_right k = {b->k, t->columns * j->width, t->columns}, v = {b->v, t->columns, j->width};
    const struct mdm_left p = mdm_rows_left(t, b->s, j->keys, 1);

    for (int64_t r = 0; r < rows; r += MDM_ATTENTION_ROWS) {
        const int64_t m = mdm_lesser(MDM_ATTENTION_ROWS, rows - r);
        const struct mdm_left q = mdm_rows_left(t, b->q + r * j->width, j->width, 1);
        float *o = b->o + r * j->width;

        if (mdm_cancelled(j->cancel))
            return;
        t->product(m, mdm_round_up(keys, t->lanes), j->width, q, k, b->s, j->keys, 0);
        for (int64_t i = 0; i < m; i++)
            t->soften(b->s + i * j->keys, keys, b->top + r + i, b->total + r + i, first ? NULL : o + i * j->width,
                      j->width);
        t->product(m, j->width, keys, p, v, o, j->width, !first);
    }
}

static void finish(const struct mdm_attention_job *j, const struct buffers *b, float *y, float *lse, int64_t rows)
{
    for (int64_t i = 0; i < rows; i++) {
        j->tile->scale(y + i * j->dim, b->o + i * j->width, j->width, 1 / b->total[i], 0);
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
    j->tile->pack_rows(b.q, h.q + first * step, step, rows, j->width, (float)(j->scale * MDM_LOG2E));
    for (int64_t i = 0; i < rows; i++) {
        b.top[i] = -INFINITY;
        b.total[i] = 0;
    }
    for (int64_t t = 0; t < j->n; t += j->keys) {
        const int64_t keys = mdm_lesser(j->keys, j->n - t);
        j->tile->pack_transposed(b.k, j->tile->columns * j->width, h.k + t * step, step, keys, j->width);
        j->tile->pack_rows(b.v, h.v + t * step, step, keys, j->width, 1);
        attend(j, &b, rows, keys, t == 0);
    }
    if (!mdm_cancelled(j->cancel))
        finish(j, &b, h.y + first * j->dim, h.lse ? h.lse + first : NULL, rows);
}
