/* SPDX-License-Identifier: BSD-2-Clause
 *
 * patchify: the indexed patches of each image, a patch's values in (channel, row, column) order. Patches that are
 * not indexed are never read. Both channels and indices may be some of those that are there.
 */
#include "backend/cpu/rows.h"
#include "base/error.h"

#include <string.h>

struct job {
    const real *x, *dy;
    real *y, *dx;
    const int32_t *index;
    int64_t height, width, depth, patch; /* depth: channels of a pixel */
    int64_t channel, channels;           /* of these, the first and how many */
    int64_t indices, place, visible;     /* of an image; of these, the first and how many */
    int64_t first;                       /* index of the first patch */
    int add;
};

static struct job read_call(const struct mdm_call *c)
{
    const struct mdm_shape *s = c->in_shape[0];
    struct job j = {.x = c->in[0], .index = c->in[1], .y = c->out[0], .dy = c->dout[0], .dx = c->din[0]};

    j.height = s->d[1];
    j.width = s->d[2];
    j.depth = s->d[3];
    j.patch = c->attr[0];
    j.channel = c->attr[1];
    j.channels = mdm_shape_last(c->out_shape[0]) / (j.patch * j.patch);
    j.indices = c->in_shape[1]->d[1];
    j.place = c->attr[2];
    j.visible = c->out_shape[0]->d[1];
    j.first = c->attr[3];
    j.add = c->add[0];
    return j;
}

/* Element of the image where patch i of image b begins. */
static int64_t corner(const struct job *j, int64_t b, int64_t i)
{
    int64_t across = j->width / j->patch, patch = j->index[b * j->indices + j->place + i] - j->first;
    int64_t top = patch / across * j->patch, left = patch % across * j->patch;

    return ((b * j->height + top) * j->width + left) * j->depth + j->channel;
}

static void gather_image(void *arg, int64_t b, int worker)
{
    const struct job *j = arg;
    int64_t p = j->patch, ch = j->channels;

    (void)worker;
    for (int64_t i = 0; i < j->visible; i++) {
        const real *x = j->x + corner(j, b, i);
        real *y = j->y + (b * j->visible + i) * ch * p * p;
        for (int64_t c = 0; c < ch; c++)
            for (int64_t r = 0; r < p; r++)
                for (int64_t q = 0; q < p; q++)
                    *y++ = x[(r * j->width + q) * j->depth + c];
    }
}

static void scatter_image(void *arg, int64_t b, int worker)
{
    const struct job *j = arg;
    int64_t p = j->patch, ch = j->channels, image = j->height * j->width * j->depth;

    (void)worker;
    if (!j->add)
        memset(j->dx + b * image, 0, (size_t)image * sizeof(real));
    for (int64_t i = 0; j->dy && i < j->visible; i++) {
        const real *dy = j->dy + (b * j->visible + i) * ch * p * p;
        real *dx = j->dx + corner(j, b, i);
        for (int64_t c = 0; c < ch; c++)
            for (int64_t r = 0; r < p; r++)
                for (int64_t q = 0; q < p; q++)
                    dx[(r * j->width + q) * j->depth + c] += *dy++;
    }
}

static int forward(struct mdm_backend *b, const struct mdm_call *c)
{
    struct job j = read_call(c);

    return mdm_pool_run(mdm_cpu_of(b)->pool, c->in_shape[0]->d[0], gather_image, &j);
}

static int backward(struct mdm_backend *b, const struct mdm_call *c)
{
    struct job j = read_call(c);

    if (j.dx)
        return mdm_pool_run(mdm_cpu_of(b)->pool, c->in_shape[0]->d[0], scatter_image, &j);
    return MASKDM_OK;
}

const struct mdm_kernel REAL(mdm_cpu_patchify) = {.forward = forward, .backward = backward};
