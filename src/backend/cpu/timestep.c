/* SPDX-License-Identifier: BSD-2-Clause
 *
 * timestep: y[B,D] = [cos | sin](t f_i), f_i = exp(-ln 10000 i / (D/2)); an odd D ends in a zero. It has no gradient.
 *
 * Frequencies and angles are rounded to float as the authors' program has them, whatever type it computes in: at
 * t = 999 the rounded angle is off by up to 3e-5, which their weights have learned. The rest is in double.
 */
#include "backend/cpu/rows.h"
#include "base/error.h"

static int forward(struct mdm_backend *b, const struct mdm_call *c)
{
    const double *t = c->in[0];
    real *y = c->out[0];
    int64_t d = mdm_shape_last(c->out_shape[0]), half = d / 2, batch = mdm_shape_rows(c->out_shape[0]);

    (void)b;
    for (int64_t i = 0; i < half; i++) {
        float step = (float)-log(10000.0) * (float)i / (float)half, f = (float)exp((double)step);
        for (int64_t n = 0; n < batch; n++) {
            float angle = (float)t[n] * f;
            y[n * d + i] = (real)cos((double)angle);
            y[n * d + half + i] = (real)sin((double)angle);
        }
    }
    for (int64_t n = 0; d % 2 && n < batch; n++)
        y[n * d + d - 1] = 0;
    return MASKDM_OK;
}

static int backward(struct mdm_backend *b, const struct mdm_call *c)
{
    (void)b;
    (void)c;
    return MASKDM_OK;
}

const struct mdm_kernel REAL(mdm_cpu_timestep) = {.forward = forward, .backward = backward};
