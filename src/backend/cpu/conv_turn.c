/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A convolution's weights in the order of windows, and their gradient back.
 */
#include "backend/cpu/conv.h"

static void turn_out(void *arg, int64_t o, int worker)
{
    const struct mdm_turn *j = arg;
    const real *w = j->w + o * j->in * j->pixels + j->taps.first;
    real *out = j->turned + o * j->by_out;

    (void)worker;
    for (int64_t i = 0; i < j->in; i++)
        for (int64_t a = 0, t = 0; a < j->taps.tall; a++)
            for (int64_t b = 0; b < j->taps.wide; b++, t++)
                out[t * j->by_tap + i] = w[i * j->pixels + a * j->taps.down + b * j->taps.right];
}

static void turn_back(void *arg, int64_t o, int worker)
{
    const struct mdm_turn *j = arg;
    real *dw = j->dw + o * j->in * j->pixels;
    const real *from = j->turned + o * j->by_out;

    (void)worker;
    for (int64_t i = 0; i < j->in; i++)
        for (int64_t t = 0; t < j->pixels; t++)
            dw[i * j->pixels + t] = from[t * j->by_tap + i] + (j->add ? dw[i * j->pixels + t] : 0);
}

int REAL(mdm_conv_turn)(struct mdm_cpu *cpu, struct mdm_turn *t)
{
    return mdm_pool_run(cpu->pool, t->out, t->dw ? turn_back : turn_out, t);
}
