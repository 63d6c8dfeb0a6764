/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Attention over tiles: how a call is cut into units. Head widths that are no multiple of 8 go to the
 * portable kernel.
 *
 * The cut of the arithmetic depends on N and the head width alone, so that an image's result is the same in every
 * batch; how many heads run in one round depends on the workers, and touches no sum.
 */
#include "backend/cpu/tile/attention.h"

#include "base/error.h"

#include <math.h>

enum { CHUNK_FLOATS = 24576, GROUP_ROWS = 512, MOST_GROUPS = 4 };

/* Tiles of about equal width, a multiple of tile columns but for the last one. */
static void cut_keys(struct mdm_attention_job *j, int64_t most)
{
    j->keys = mdm_round_up(mdm_pieces(j->n, mdm_pieces(j->n, most)), j->tile->columns);
    j->key_tiles = mdm_pieces(j->n, j->keys);
}

static struct mdm_attention_job read_call(const struct mdm_backend *b, const struct mdm_call *c)
{
    const struct mdm_shape *s = c->in_shape[0];
    struct mdm_attention_job j = {.batch = s->d[0], .heads = c->attr[0], .dim = mdm_shape_last(s) / 3};

    j.tile = ((const struct mdm_cpu *)b)->f32.tile;
    j.n = mdm_shape_rows(s) / s->d[0];
    j.width = j.dim / j.heads;
    j.scale = 1 / sqrtf((float)j.width);
    j.qkv = c->in[0];
    j.dy = c->dout[0];
    j.y = c->out[0];
    j.lse = c->out[1];
    j.cancel = c->cancel;
    j.add = c->add[0];
    j.scratch = c->scratch;
    return j;
}

static void cut_forward(struct mdm_attention_job *j)
{
    int64_t most = CHUNK_FLOATS / j->width / MDM_ATTENTION_ROWS * MDM_ATTENTION_ROWS;

    if (most < MDM_ATTENTION_ROWS)
        most = MDM_ATTENTION_ROWS;
    cut_keys(j, MDM_ATTENTION_KEYS);
    j->rows = mdm_round_up(mdm_pieces(j->n, mdm_pieces(j->n, most)), j->tile->rows);
    j->row_units = mdm_pieces(j->n, j->rows);
    j->worker_floats = mdm_attention_forward_floats(j);
}

/* Few heads of many tokens must still feed many workers: a head's keys are shared out among several units. */
static void cut_backward(struct mdm_attention_job *j)
{
    cut_keys(j, MDM_ATTENTION_BACK_KEYS);
    j->groups = mdm_lesser(MOST_GROUPS, mdm_lesser(j->key_tiles, mdm_pieces(j->n, GROUP_ROWS)));
    j->group = mdm_pieces(j->key_tiles, j->groups);
    j->groups = mdm_pieces(j->key_tiles, j->group);
    j->worker_floats = mdm_attention_backward_floats(j);
    j->partial_floats = j->groups > 1 ? mdm_round_up(j->n * j->width, 16) : 0;
}

/* Heads whose units run side by side. */
static int64_t count_round(const struct mdm_attention_job *j, int64_t workers)
{
    const int64_t heads = j->batch * j->heads;

    return j->groups > 1 ? mdm_lesser(heads, mdm_pieces(4 * workers, j->groups)) : heads;
}

/* dq of one block of rows: the sum of its head's partial results, in order. */
static void combine_unit(void *arg, int64_t unit, int worker)
{
    const struct mdm_attention_job *j = arg;
    const int64_t blocks = mdm_pieces(j->n, GROUP_ROWS), head = unit / blocks, first = unit % blocks * GROUP_ROWS;
    const int64_t last = mdm_lesser(first + GROUP_ROWS, j->n);
    const float *partial = j->partial + head * j->groups * j->partial_floats;
    float *dq = mdm_attention_head(j, j->head + head).dq;

    (void)worker;
    for (int64_t i = first; i < last; i++)
        j->tile->sum(dq + i * 3 * j->dim, partial + i * j->width, j->partial_floats, j->groups, j->width, j->add);
}

static int finish(const struct mdm_call *c)
{
    return mdm_cancelled(c->cancel) ? mdm_fail(MASKDM_ECANCELED, "attention was cancelled") : MASKDM_OK;
}

static int forward(struct mdm_backend *b, const struct mdm_call *c)
{
    struct mdm_attention_job j = read_call(b, c);

    if (j.width % 8)
        return mdm_cpu_attention_f32.forward(b, c);
    cut_forward(&j);
    MDM_TRY(mdm_pool_run(mdm_cpu_of(b)->pool, j.batch * j.heads * j.row_units, mdm_attention_forward_unit, &j));
    return finish(c);
}

static int backward(struct mdm_backend *b, const struct mdm_call *c)
{
    struct mdm_cpu *cpu = mdm_cpu_of(b);
    struct mdm_attention_job j = read_call(b, c);
    int64_t round;

    if (j.width % 8 || !c->dout[0] || !c->din[0])
        return mdm_cpu_attention_f32.backward(b, c);
    j.dqkv = c->din[0];
    cut_backward(&j);
    j.partial = j.scratch + cpu->workers * j.worker_floats;
    round = count_round(&j, cpu->workers);
    for (; j.head < j.batch * j.heads && !mdm_cancelled(c->cancel); j.head += round) {
        const int64_t heads = mdm_lesser(round, j.batch * j.heads - j.head);

        MDM_TRY(mdm_pool_run(cpu->pool, heads * j.groups, mdm_attention_backward_unit, &j));
        if (j.groups > 1)
            MDM_TRY(mdm_pool_run(cpu->pool, heads * mdm_pieces(j.n, GROUP_ROWS), combine_unit, &j));
    }
    return finish(c);
}

static size_t scratch(const struct mdm_backend *b, const struct mdm_call *c, int train)
{
    const int64_t workers = ((const struct mdm_cpu *)b)->workers;
    struct mdm_attention_job j = read_call(b, c);
    int64_t most, floats;

    if (j.width % 8)
        return 0;
    cut_forward(&j);
    most = workers * j.worker_floats;
    if (train) {
        cut_backward(&j);
        floats = workers * j.worker_floats + count_round(&j, workers) * j.groups * j.partial_floats;
        most = floats > most ? floats : most;
    }
    return (size_t)most * sizeof(float);
}

const struct mdm_kernel mdm_tile_attention = {.forward = forward, .backward = backward, .scratch = scratch};
