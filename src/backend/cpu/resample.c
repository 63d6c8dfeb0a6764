/* SPDX-License-Identifier: BSD-2-Clause
 *
 * upsample: each pixel four times; downsample: the means of four. Up to a factor of 4 the backward of each is the
 * other.
 */
#include "backend/cpu/rows.h"
#include "base/error.h"

#include <string.h>

struct job {
    const real *from;
    real *to;
    int add;
    real factor;
    int64_t width, channels; /* of the smaller image */
};

/* A row of the smaller image to two of the larger. */
static void widen_row(void *arg, int64_t row, int worker)
{
    const struct job *j = arg;
    const int64_t c = j->channels, wide = 2 * j->width * c;
    const real *from = j->from + row * j->width * c;
    real *to = j->to + row * 2 * wide;

    (void)worker;
    for (int64_t x = 0; x < 2 * j->width; x++)
        for (int64_t i = 0; i < c; i++) {
            real value = j->factor * from[x / 2 * c + i];

            to[x * c + i] = value + (j->add ? to[x * c + i] : 0);
            to[wide + x * c + i] = value + (j->add ? to[wide + x * c + i] : 0);
        }
}

/* Two rows of the larger image to one of the smaller. */
static void narrow_row(void *arg, int64_t row, int worker)
{
    const struct job *j = arg;
    const int64_t c = j->channels, wide = 2 * j->width * c;
    const real *from = j->from + row * 2 * wide;
    real *to = j->to + row * j->width * c;

    (void)worker;
    for (int64_t x = 0; x < j->width; x++, from += 2 * c, to += c)
        for (int64_t i = 0; i < c; i++) {
            real sum = (from[i] + from[c + i]) + (from[wide + i] + from[wide + c + i]);

            to[i] = j->factor * sum + (j->add ? to[i] : 0);
        }
}

static int run(struct mdm_backend *b, const struct mdm_shape *small, struct job j,
               void (*row)(void *arg, int64_t row, int worker))
{
    j.width = small->d[2];
    j.channels = small->d[3];
    return mdm_pool_run(mdm_cpu_of(b)->pool, small->d[0] * small->d[1], row, &j);
}

/* Nothing to do in backward, or zeros; 0: there is. */
static int clear(const struct mdm_call *c)
{
    if (c->din[0] && c->dout[0])
        return 0;
    if (c->din[0] && !c->add[0])
        memset(c->din[0], 0, (size_t)mdm_shape_numel(c->in_shape[0]) * sizeof(real));
    return 1;
}

static int upsample_forward(struct mdm_backend *b, const struct mdm_call *c)
{
    return run(b, c->in_shape[0], (struct job){.from = c->in[0], .to = c->out[0], .factor = 1}, widen_row);
}

static int upsample_backward(struct mdm_backend *b, const struct mdm_call *c)
{
    struct job j = {.from = c->dout[0], .to = c->din[0], .add = c->add[0], .factor = 1};

    return clear(c) ? MASKDM_OK : run(b, c->in_shape[0], j, narrow_row);
}

static int downsample_forward(struct mdm_backend *b, const struct mdm_call *c)
{
    return run(b, c->out_shape[0], (struct job){.from = c->in[0], .to = c->out[0], .factor = (real)0.25}, narrow_row);
}

static int downsample_backward(struct mdm_backend *b, const struct mdm_call *c)
{
    struct job j = {.from = c->dout[0], .to = c->din[0], .add = c->add[0], .factor = (real)0.25};

    return clear(c) ? MASKDM_OK : run(b, c->out_shape[0], j, widen_row);
}

const struct mdm_kernel REAL(mdm_cpu_upsample) = {
    .forward = upsample_forward, .backward = upsample_backward, .remake = upsample_forward};
const struct mdm_kernel REAL(mdm_cpu_downsample) = {.forward = downsample_forward, .backward = downsample_backward};
