/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A convolution's weights in the order of windows, and their gradient back.
 */
#include "backend/cpu/conv.h"
#include "backend/cpu/stored.h"

/* Every `pixels`-th value of 16 bits. */
static void turn_stored(real *out, const struct mdm_turn *j, int64_t from)
{
    for (int64_t i = 0; i < j->in; i++)
        out[i] = (real)mdm_stored_value(j->w, j->stored, from + i * j->pixels);
}

/* Of one output channel, whose weights stay in the first-level cache while they are gone through pixel by pixel. */
static void turn_out(void *arg, int64_t o, int worker)
{
    const struct mdm_turn *j = arg;
    const int64_t in = j->in, pixels = j->pixels;
    real *out = j->turned + o * j->by_out;

    (void)worker;
    for (int64_t a = 0; a < j->taps.tall; a++)
        for (int64_t b = 0; b < j->taps.wide; b++, out += j->by_tap) {
            const int64_t from = o * in * pixels + j->taps.first + a * j->taps.down + b * j->taps.right;
            const real *w = (const real *)j->w + from;

            if (j->stored != MDM_F32) {
                turn_stored(out, j, from);
                continue;
            }
            for (int64_t i = 0; i < in; i++)
                out[i] = w[i * pixels];
        }
}

static void turn_back(void *arg, int64_t o, int worker)
{
    const struct mdm_turn *j = arg;
    const int64_t in = j->in, pixels = j->pixels;

    (void)worker;
    for (int64_t t = 0; t < pixels; t++) {
        const real *from = j->turned + o * j->by_out + t * j->by_tap;
        real *dw = j->dw + o * in * pixels + t;

        for (int64_t i = 0; i < in; i++)
            dw[i * pixels] = from[i] + (j->add ? dw[i * pixels] : 0);
    }
}

int REAL(mdm_conv_turn)(struct mdm_cpu *cpu, struct mdm_turn *t)
{
    return mdm_pool_run(cpu->pool, t->out, t->dw ? turn_back : turn_out, t);
}
