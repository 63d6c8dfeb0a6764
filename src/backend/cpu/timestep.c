/* SPDX-License-Identifier: BSD-2-Clause
 *
 * timestep: y[B,D] = [cos | sin](t f_i), f_i = exp(-ln 10000 i / (D/2 - shift)), or [sin | cos]; an odd D ends in a
 * zero. It has no gradient.
 *
 * Frequencies and angles are rounded to float as U-ViT's authors have them, whatever type it computes in: at t = 999
 * the rounded angle is off by up to 3e-5, which their weights have learned. Asked to be exact, it rounds neither. The
 * rest is in double.
 */
#include "backend/cpu/rows.h"
#include "base/error.h"

static double find_angle(double t, int64_t i, int64_t half, int exact, double shift)
{
    float step = (float)-log(10000.0) * (float)i / (float)half;

    return exact ? t * exp(-log(10000.0) * (double)i / ((double)half - shift))
                 : (double)((float)t * (float)exp((double)step));
}

static int forward(struct mdm_backend *b, const struct mdm_call *c)
{
    const double *t = c->in[0];
    real *y = c->out[0];
    int64_t d = mdm_shape_last(c->out_shape[0]), half = d / 2, batch = mdm_shape_rows(c->out_shape[0]);
    const int64_t cosines = c->attr[1] ? half : 0, sines = half - cosines;

    (void)b;
    for (int64_t n = 0; n < batch; n++)
        for (int64_t i = 0; i < half; i++) {
            double angle = find_angle(t[n], i, half, c->attr[0] != 0, c->constant[0]);

            y[n * d + cosines + i] = (real)cos(angle);
            y[n * d + sines + i] = (real)sin(angle);
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
