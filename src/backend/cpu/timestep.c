/* SPDX-License-Identifier: BSD-2-Clause
 *
 * timestep: y[B,D] = [cos | sin](t f_i), f_i = exp(-ln 10000 i / (D/2)), in double up to the last rounding; an odd D
 * ends in a zero. It has no gradient.
 */
#include "backend/cpu/rows.h"
#include "util/error.h"

static int forward(struct maskdm_backend *b, const struct maskdm_call *c)
{
    const double *t = c->in[0];
    real *y = c->out[0];
    int64_t d = maskdm_shape_last(c->out_shape[0]), half = d / 2, batch = maskdm_shape_rows(c->out_shape[0]);

    (void)b;
    for (int64_t i = 0; i < half; i++) {
        double f = exp(-log(10000.0) * (double)i / (double)half);
        for (int64_t n = 0; n < batch; n++) {
            y[n * d + i] = (real)cos(t[n] * f);
            y[n * d + half + i] = (real)sin(t[n] * f);
        }
    }
    for (int64_t n = 0; d % 2 && n < batch; n++)
        y[n * d + d - 1] = 0;
    return MASKDM_OK;
}

static int backward(struct maskdm_backend *b, const struct maskdm_call *c)
{
    (void)b;
    (void)c;
    return MASKDM_OK;
}

const struct maskdm_kernel REAL(maskdm_cpu_timestep) = {forward, backward, NULL};
