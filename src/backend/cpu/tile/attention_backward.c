/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Attention backward: a unit is one head and a group of its tiles of keys. For each tile of keys it goes through
 * all queries and sums dk and dv in its buffers; dq is summed in place, or, where several units share a head, in
 * a partial result per unit.
 *
 * With p = 2^(s - lse) and delta = sum(dy y) of the row: dp = dy v', ds = p (dp - delta), and then dv += p' dy,
 * dq += ds k (D/h)^-1/2, dk += ds' q (D/h)^-1/2.
 */
#include "backend/cpu/tile/attention.h"

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

static void pack_queries(const struct mdm_attention_job *j, const struct mdm_attention_head *h,
                         const struct buffers *b, int64_t first, int64_t rows)
{
    const float *q = h->q + first * 3 * j->dim, *dy = h->dy + first * j->dim, *y = h->y + first * j->dim;
    const float factor = (float)(j->scale * MDM_LOG2E);

    j->tile->pack_rows(b->q, q, 3 * j->dim, rows, j->width, factor);
    j->tile->pack_rows(b->dy, dy, j->dim, rows, j->width, 1);
    for (int64_t i = 0; i < rows; i++) {
        b->lse[i] = (float)(h->lse[first + i] * MDM_LOG2E);
        b->delta[i] = j->tile->dot(b->dy + i * j->width, y + i * j->dim, j->width);
    }
}

static void pack_keys(const struct mdm_attention_job *j, const struct mdm_attention_head *h, const struct buffers *b,
                      int64_t first, int64_t keys)
{
    const int64_t step = 3 * j->dim, panel = j->tile->columns * j->width;

    j->tile->pack_transposed(b->k_t, panel, h->k + first * step, step, keys, j->width);
    j->tile->pack_transposed(b->v_t, panel, h->v + first * step, step, keys, j->width);
    j->tile->pack_rows(b->k, h->k + first * step, step, keys, j->width, j->scale);
}

/* One tile of scores: `rows` queries, packed, by `keys` keys, packed; `first` starts dk and dv. */
static void run_tile(const struct mdm_attention_job *j, const struct buffers *b, int64_t rows, int64_t keys,
                     struct target dq, int first)
{
    const struct mdm_tile *t = j->tile;
    const int64_t wide = mdm_round_up(keys, t->lanes), width = j->width, panel = t->columns * width;
    const struct mdm_right k_t = {b->k_t, panel, t->columns}, v_t = {b->v_t, panel, t->columns};
    const struct mdm_right k = {b->k, t->columns, width}, q = {b->q, t->columns, width},
                           dy = {b->dy, t->columns, width};
    const struct mdm_left q_rows = mdm_rows_left(t, b->q, width, 1), dy_rows = mdm_rows_left(t, b->dy, width, 1);
    const struct mdm_left p_t = mdm_rows_left(t, b->p, 1, j->keys), ds_t = mdm_rows_left(t, b->ds, 1, j->keys);
    const struct mdm_left ds = mdm_rows_left(t, b->ds, j->keys, 1);

    t->product(rows, wide, width, q_rows, k_t, b->p, j->keys, 0);
    for (int64_t i = 0; i < rows; i++)
        t->weigh(b->p + i * j->keys, keys, b->lse[i]);
    t->product(keys, width, rows, p_t, dy, b->dv, width, !first);
    t->product(rows, wide, width, dy_rows, v_t, b->ds, j->keys, 0);
    for (int64_t i = 0; i < rows; i++)
        t->slope(b->ds + i * j->keys, b->p + i * j->keys, keys, b->delta[i]);
    t->product(keys, width, rows, ds_t, q, b->dk, width, !first);
    t->product(rows, width, keys, ds, k, dq.at, dq.stride, dq.add);
}

static void write_rows(const struct mdm_attention_job *j, float *out, const float *x, int64_t rows, float factor)
{
    for (int64_t i = 0; i < rows; i++)
        j->tile->scale(out + i * 3 * j->dim, x + i * j->width, j->width, factor, j->add);
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
