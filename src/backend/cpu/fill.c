/* SPDX-License-Identifier: BSD-2-Clause
 *
 * fill: y[B,e+R,D] in the places that route took it from, and the filler in all others, or in all of an image that is
 * dropped. A piece of work is an image; backward leaves each one's sum for the filler in scratch.
 */
#include "backend/cpu/rows.h"
#include "base/error.h"

#include <string.h>

struct job {
    const struct REAL(mdm_rows) * rows;
    const int32_t *keep, *dropped; /* NULL: all patches; no image */
    const real *filler, *y, *dx;   /* y NULL: there is nothing but the filler */
    real *x, *dy, *part;           /* part[B,D]: what the filler gets of an image */
    int64_t tokens, kept, extras, d;
    int has_y, add_y;
};

static struct job read_call(struct mdm_backend *b, const struct mdm_call *c)
{
    struct job j = {.rows = REAL(mdm_rows_of)(b), .filler = c->in[0], .y = c->in[1], .keep = c->in[2]};

    j.dropped = c->in[3];
    j.extras = c->attr[0];
    j.tokens = c->out_shape[0]->d[1];
    j.d = c->out_shape[0]->d[2];
    j.has_y = c->in_shape[1] != NULL;
    j.kept = c->in_shape[2] ? c->in_shape[2]->d[1] : j.tokens - j.extras;
    return j;
}

/* The row of y that token i of an image takes, or -1: the filler. *next is the first of keep that is to come. */
static int64_t find_row(const struct job *j, int64_t b, int64_t i, int64_t *next)
{
    if (!j->has_y || (j->dropped && j->dropped[b]))
        return -1;
    if (i < j->extras || !j->keep)
        return i;
    if (*next < j->kept && j->keep[b * j->kept + *next] == i - j->extras)
        return j->extras + (*next)++;
    return -1;
}

static void fill_image(void *arg, int64_t b, int worker)
{
    const struct job *j = arg;
    const size_t bytes = (size_t)j->d * sizeof(real);

    (void)worker;
    for (int64_t i = 0, next = 0; i < j->tokens; i++) {
        const int64_t row = find_row(j, b, i, &next);

        memcpy(j->x + (b * j->tokens + i) * j->d,
               row < 0 ? j->filler : j->y + (b * (j->extras + j->kept) + row) * j->d, bytes);
    }
}

static int forward(struct mdm_backend *b, const struct mdm_call *c)
{
    struct job j = read_call(b, c);

    j.x = c->out[0];
    return mdm_pool_run(mdm_cpu_of(b)->pool, c->out_shape[0]->d[0], fill_image, &j);
}

/* What of a dropped image's y is not taken has no gradient. */
static void clear_image(const struct job *j, int64_t b)
{
    const int64_t n = (j->extras + j->kept) * j->d;

    if (j->dy && !j->add_y)
        memset(j->dy + b * n, 0, (size_t)n * sizeof(real));
}

static void part_image(void *arg, int64_t b, int worker)
{
    const struct job *j = arg;
    real *part = j->part ? j->part + b * j->d : NULL;

    (void)worker;
    if (part)
        memset(part, 0, (size_t)j->d * sizeof(real));
    if (j->dropped && j->dropped[b])
        clear_image(j, b);
    for (int64_t i = 0, next = 0; i < j->tokens; i++) {
        const int64_t row = find_row(j, b, i, &next);
        const real *dx = j->dx + (b * j->tokens + i) * j->d;
        real *to = row < 0 ? part : j->dy ? j->dy + (b * (j->extras + j->kept) + row) * j->d : NULL;

        if (to && (row < 0 || j->add_y))
            j->rows->add(to, to, dx, j->d);
        else if (to)
            memcpy(to, dx, (size_t)j->d * sizeof(real));
    }
}

static int backward(struct mdm_backend *b, const struct mdm_call *c)
{
    struct mdm_cpu *cpu = mdm_cpu_of(b);
    struct job j = read_call(b, c);
    const int64_t batch = c->out_shape[0]->d[0];

    j.dx = c->dout[0];
    j.dy = c->din[1];
    j.add_y = c->add[1];
    j.part = c->din[0] ? c->scratch : NULL;
    if (!j.dx) {
        for (int i = 0; i < 2; i++)
            if (c->din[i] && !c->add[i])
                memset(c->din[i], 0, (size_t)mdm_shape_numel(c->in_shape[i]) * sizeof(real));
        return MASKDM_OK;
    }
    MDM_TRY(mdm_pool_run(cpu->pool, batch, part_image, &j));
    return j.part ? REAL(mdm_cpu_combine)(cpu, c->din[0], c->add[0], j.part, batch, j.d, j.d) : MASKDM_OK;
}

static size_t scratch(const struct mdm_backend *b, const struct mdm_call *c, int train)
{
    (void)b;
    return train ? (size_t)(c->out_shape[0]->d[0] * c->out_shape[0]->d[2]) * sizeof(real) : 0;
}

const struct mdm_kernel REAL(mdm_cpu_fill) = {.forward = forward, .backward = backward, .scratch = scratch};
