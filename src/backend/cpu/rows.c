/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Row functions in portable C: plain loops, sums in double, accuracy before speed.
 */
#include "backend/cpu/rows.h"

static const double half_root = 0.70710678118654752440;   /* sqrt(1/2) */
static const double gauss_scale = 0.39894228040143267794; /* 1/sqrt(2 pi) */

/* exp(-x), and exp(-x^2/2), without an overflow on the way, which a host may trap; a compiler may compute both sides
 * of a choice. */
static real exp_minus(real x)
{
    real near = x < -real_exp_top ? -real_exp_top : x, e = real_exp(-near);

    return near > x ? (real)INFINITY : e;
}

static real exp_square(real x)
{
    real near = real_fabs(x) > 100 ? 100 : x; /* 0 either way */

    return real_exp((real)-0.5 * near * near);
}

/* gelu(x) = x Phi(x), gelu'(x) = Phi(x) + x phi(x) */
static void gelu(real *y, const real *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = (real)0.5 * x[i] * (1 + real_erf(x[i] * (real)half_root));
}

static void gelu_backward(real *dx, const real *x, const real *dy, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        real phi = (real)gauss_scale * exp_square(x[i]);
        dx[i] = dy[i] * ((real)0.5 * (1 + real_erf(x[i] * (real)half_root)) + x[i] * phi);
    }
}

static const double tanh_scale = 1.59576912160573071176; /* 2 sqrt(2/pi) */
static const double tanh_cube = 0.044715;

/* With z = 2 sqrt(2/pi)(x + c x^3): s = (1 + tanh z/2)/2 = 1/(1 + exp(-z)), and x s' in *bend. Beyond 64 s is 0 or 1
 * and bend 0, so that the cube stays in range; exp(-|z|) does, and loses nothing where s is near 1. */
static real tanh_gate(real *bend, real x)
{
    real near = x < -64 ? -64 : x > 64 ? 64 : x, square = (real)tanh_cube * near * near;
    real z = (real)tanh_scale * near, e = real_exp(-real_fabs(z * (1 + square))), s = 1 / (1 + e);

    *bend = z * (1 + 3 * square) * e * s * s;
    return z < 0 ? e * s : s;
}

static void gelu_tanh(real *y, const real *x, int64_t n)
{
    real bend;

    for (int64_t i = 0; i < n; i++)
        y[i] = x[i] * tanh_gate(&bend, x[i]);
}

static void gelu_tanh_backward(real *dx, const real *x, const real *dy, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        real bend, s = tanh_gate(&bend, x[i]);
        dx[i] = dy[i] * (s + bend);
    }
}

/* silu(x) = x s(x), silu'(x) = s (1 + x (1 - s)), s = 1/(1 + exp(-x)) */
static void silu(real *y, const real *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = x[i] / (1 + exp_minus(x[i]));
}

static void silu_backward(real *dx, const real *x, const real *dy, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        real s = 1 / (1 + exp_minus(x[i]));
        dx[i] = dy[i] * s * (1 + x[i] * (1 - s));
    }
}

static void silu_mul(real *y, const real *a, const real *b, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = a[i] / (1 + exp_minus(a[i])) * b[i];
}

static void silu_mul_backward(real *da, real *db, const real *a, const real *b, const real *dy, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        real s = 1 / (1 + exp_minus(a[i]));
        da[i] = dy[i] * b[i] * s * (1 + a[i] * (1 - s));
        db[i] = dy[i] * a[i] * s;
    }
}

static void add(real *y, const real *a, const real *b, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = a[i] + b[i];
}

static void mul_add(real *y, const real *a, const real *b, const real *c, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = (a ? a[i] : 0) + b[i] * c[i];
}

static void affine(real *y, const real *x, const real *mean, const real *scale, const real *shift, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = (x[i] - mean[i]) * scale[i] + shift[i];
}

static void moment(real *y, const real *a, const real *x, const real *mean, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        real away = x[i] - mean[i];

        y[i] += (a ? a[i] : away) * away;
    }
}

static void modulate(real *y, const real *x, const real *scale, const real *shift, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = x[i] * (1 + scale[i]) + shift[i];
}

static void norm(real *y, real stats[2], const real *x, const real *w, const real *b, double epsilon, int64_t n)
{
    double mean = 0, var = 0, rstd;

    for (int64_t i = 0; i < n; i++)
        mean += (double)x[i];
    mean /= (double)n;
    for (int64_t i = 0; i < n; i++)
        var += ((double)x[i] - mean) * ((double)x[i] - mean);
    rstd = 1 / sqrt(var / (double)n + epsilon);
    for (int64_t i = 0; i < n; i++)
        y[i] = (real)(((double)x[i] - mean) * rstd * (w ? (double)w[i] : 1) + (b ? (double)b[i] : 0));
    stats[0] = (real)mean;
    stats[1] = (real)rstd;
}

static void norm_backward(real *dx, real *dw, real *db, const real *dy, const real *x, const real *w,
                          const real stats[2], const real *more, int64_t n)
{
    double g_avg = 0, gh_avg = 0;
    real mean = stats[0], rstd = stats[1];

    for (int64_t i = 0; i < n; i++) {
        double h = (double)((x[i] - mean) * rstd), g = (w ? (double)w[i] : 1) * (double)dy[i];
        g_avg += g;
        gh_avg += g * h;
    }
    g_avg /= (double)n;
    gh_avg /= (double)n;
    for (int64_t i = 0; i < n; i++) {
        real h = (x[i] - mean) * rstd;
        real d = rstd * ((w ? w[i] : 1) * dy[i] - (real)g_avg - h * (real)gh_avg);
        dw[i] += dy[i] * h;
        db[i] += dy[i];
        dx[i] = more ? more[i] + d : d;
    }
}

static real rms_norm(real *y, const real *x, const real *w, double epsilon, int64_t n)
{
    double sum = 0, r;

    for (int64_t i = 0; i < n; i++)
        sum += (double)x[i] * (double)x[i];
    r = 1 / sqrt(sum / (double)n + epsilon);
    for (int64_t i = 0; i < n; i++)
        y[i] = (real)((double)x[i] * r * (double)w[i]);
    return (real)r;
}

static void rms_norm_backward(real *dx, real *dw, const real *dy, const real *x, const real *w, real r, int64_t n)
{
    double gh_avg = 0;

    for (int64_t i = 0; i < n; i++)
        gh_avg += (double)w[i] * (double)dy[i] * (double)(x[i] * r);
    gh_avg /= (double)n;
    for (int64_t i = 0; i < n; i++) {
        real h = x[i] * r;
        real d = r * (w[i] * dy[i] - h * (real)gh_avg);
        dw[i] += dy[i] * h;
        dx[i] = d;
    }
}

static void turn(real *y, const real *x, const real *c, const real *s, real way, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        real a = x[2 * i], b = x[2 * i + 1];
        y[2 * i] = a * c[i] - b * (way * s[i]);
        y[2 * i + 1] = b * c[i] + a * (way * s[i]);
    }
}

const struct REAL(mdm_rows) REAL(mdm_rows_c) = {
    .gelu = gelu,
    .gelu_tanh = gelu_tanh,
    .silu = silu,
    .gelu_backward = gelu_backward,
    .gelu_tanh_backward = gelu_tanh_backward,
    .silu_backward = silu_backward,
    .silu_mul = silu_mul,
    .silu_mul_backward = silu_mul_backward,
    .add = add,
    .mul_add = mul_add,
    .affine = affine,
    .moment = moment,
    .modulate = modulate,
    .norm = norm,
    .norm_backward = norm_backward,
    .rms_norm = rms_norm,
    .rms_norm_backward = rms_norm_backward,
    .turn = turn,
};
