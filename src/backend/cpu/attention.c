/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Scaled dot-product attention, portable: y = softmax(q k' (D/h)^-1/2) v per image and head, in tiles that never
 * hold the N x N scores (Dao et al. 2022, FlashAttention; Milakov and Gimelshein 2018 for the running softmax).
 *
 * A row of qkv[B,N,3D] is [q heads | k heads | v heads]. Forward keeps one number per row, lse = log sum exp of
 * its scores; backward gets the weights back as exp(s - lse). Units write apart from each other and sum in the
 * order of the rows, so neither threads nor the batch touch the result.
 */
#include "backend/cpu/attention.h"
#include "backend/cpu/real.h"
#include "base/error.h"

#include <string.h>

enum { QUERIES = 16, KEYS = 64 }; /* rows and columns of a tile of scores */

struct job {
    const real *qkv, *dy;
    real *y, *lse, *dqkv;
    int64_t n, heads, width, dim; /* N, h, D/h, D */
    real scale;
    int add;
    const atomic_int *cancel;
};

/* One head of one image: rows are 3D (q, k, v and their gradients) or D (y, dy) apart. */
struct head {
    const real *q, *k, *v, *dy;
    real *y, *lse, *dq, *dk, *dv;
};

static struct job read_call(const struct mdm_call *c)
{
    const struct mdm_shape *s = c->in_shape[0];
    struct job j = {.qkv = c->in[0], .dy = c->dout[0], .y = c->out[0], .lse = c->out[1], .dqkv = c->din[0]};

    j.n = mdm_shape_rows(s) / s->d[0];
    j.heads = c->attr[0];
    j.dim = mdm_shape_last(s) / 3;
    j.width = j.dim / j.heads;
    j.scale = 1 / real_sqrt((real)j.width);
    j.add = c->add[0];
    j.cancel = c->cancel;
    return j;
}

static struct head find_head(const struct job *j, int64_t index)
{
    int64_t b = index / j->heads, column = index % j->heads * j->width;
    int64_t at = b * j->n * 3 * j->dim + column, row = b * j->n * j->dim + column;
    struct head h = {.q = j->qkv + at, .k = j->qkv + at + j->dim, .v = j->qkv + at + 2 * j->dim};

    if (j->y)
        h.y = j->y + row;
    if (j->lse)
        h.lse = j->lse + index * j->n;
    if (j->dy)
        h.dy = j->dy + row;
    if (j->dqkv) {
        h.dq = j->dqkv + at;
        h.dk = h.dq + j->dim;
        h.dv = h.dk + j->dim;
    }
    return h;
}

static int64_t lesser(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static real dot(const real *a, const real *b, int64_t n)
{
    real s = 0;

    for (int64_t i = 0; i < n; i++)
        s += a[i] * b[i];
    return s;
}

static void add_scaled(real *y, real a, const real *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        y[i] += a * x[i];
}

static void scale_row(real *y, real a, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        y[i] *= a;
}

/* One query over one tile of keys: y holds the weighted sum of v so far, relative to the largest score `top`. */
static void attend(const struct job *j, const real *q, const real *k, const real *v, int64_t keys, real *y,
                   real *top, real *total)
{
    real s[KEYS], most = *top;

    for (int64_t i = 0; i < keys; i++) {
        s[i] = j->scale * dot(q, k + i * 3 * j->dim, j->width);
        most = s[i] > most ? s[i] : most;
    }
    if (most > *top) {
        real shrink = real_exp(*top - most);
        scale_row(y, shrink, j->width);
        *total *= shrink;
        *top = most;
    }
    for (int64_t i = 0; i < keys; i++) {
        real p = real_exp(s[i] - most);
        *total += p;
        add_scaled(y, p, v + i * 3 * j->dim, j->width);
    }
}

static void forward_unit(void *arg, int64_t unit, int worker)
{
    const struct job *j = arg;
    int64_t tiles = (j->n + QUERIES - 1) / QUERIES, first = unit % tiles * QUERIES;
    int64_t rows = lesser(QUERIES, j->n - first), step = 3 * j->dim;
    struct head h = find_head(j, unit / tiles);
    real top[QUERIES], total[QUERIES];

    (void)worker;
    for (int64_t i = 0; i < rows; i++) {
        memset(h.y + (first + i) * j->dim, 0, (size_t)j->width * sizeof(real));
        top[i] = -(real)INFINITY;
        total[i] = 0;
    }
    for (int64_t t = 0; t < j->n && !mdm_cancelled(j->cancel); t += KEYS)
        for (int64_t i = 0; i < rows; i++)
            attend(j, h.q + (first + i) * step, h.k + t * step, h.v + t * step, lesser(KEYS, j->n - t),
                   h.y + (first + i) * j->dim, &top[i], &total[i]);
    for (int64_t i = 0; i < rows; i++) {
        scale_row(h.y + (first + i) * j->dim, 1 / total[i], j->width);
        if (h.lse)
            h.lse[first + i] = top[i] + (real)log((double)total[i]);
    }
}

/* With p = exp(s - lse) and delta = sum(dy y) of the row: dp = dy v', ds = p (dp - delta) scale, and then
 * dv += p' dy, dq += ds k, dk += ds' q. */
static void backward_row(const struct job *j, const struct head *h, int64_t row, int64_t key, int64_t keys)
{
    const int64_t step = 3 * j->dim;
    const real *q = h->q + row * step, *dy = h->dy + row * j->dim;
    const real delta = dot(dy, h->y + row * j->dim, j->width);

    for (int64_t i = key; i < key + keys; i++) {
        real p = real_exp(j->scale * dot(q, h->k + i * step, j->width) - h->lse[row]);
        real ds = p * (dot(dy, h->v + i * step, j->width) - delta) * j->scale;
        add_scaled(h->dv + i * step, p, dy, j->width);
        add_scaled(h->dq + row * step, ds, h->k + i * step, j->width);
        add_scaled(h->dk + i * step, ds, q, j->width);
    }
}

static void clear_gradient(const struct job *j, const struct head *h)
{
    const size_t bytes = (size_t)j->width * sizeof(real);

    for (int64_t i = 0; i < j->n; i++) {
        memset(h->dq + i * 3 * j->dim, 0, bytes);
        memset(h->dk + i * 3 * j->dim, 0, bytes);
        memset(h->dv + i * 3 * j->dim, 0, bytes);
    }
}

static void backward_unit(void *arg, int64_t unit, int worker)
{
    const struct job *j = arg;
    struct head h = find_head(j, unit);

    (void)worker;
    if (!j->add)
        clear_gradient(j, &h);
    if (!j->dy)
        return;
    for (int64_t t = 0; t < j->n; t += KEYS)
        for (int64_t i = 0; i < j->n; i++) {
            if (i % QUERIES == 0 && mdm_cancelled(j->cancel))
                return;
            backward_row(j, &h, i, t, lesser(KEYS, j->n - t));
        }
}

static int finish(const struct mdm_call *c)
{
    return mdm_cancelled(c->cancel) ? mdm_fail(MASKDM_ECANCELED, "attention was cancelled") : MASKDM_OK;
}

static int forward(struct mdm_backend *b, const struct mdm_call *c)
{
    struct job j = read_call(c);
    int64_t tiles = (j.n + QUERIES - 1) / QUERIES;

    MDM_TRY(mdm_pool_run(mdm_cpu_of(b)->pool, c->in_shape[0]->d[0] * j.heads * tiles, forward_unit, &j));
    return finish(c);
}

static int backward(struct mdm_backend *b, const struct mdm_call *c)
{
    struct job j = read_call(c);

    if (!j.dqkv)
        return MASKDM_OK;
    MDM_TRY(mdm_pool_run(mdm_cpu_of(b)->pool, c->in_shape[0]->d[0] * j.heads, backward_unit, &j));
    return finish(c);
}

const struct mdm_kernel REAL(mdm_cpu_attention) = {.forward = forward, .backward = backward};
