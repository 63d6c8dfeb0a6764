/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The kinds of schedules.
 */
#include "diffusion/discrete_betas.h"

#include "base/error.h"

#include <math.h>

static const double PI = 3.14159265358979323846;
enum { REFERENCE_SIZE = 64 }; /* pixels at which shifted_cosine is cosine */

/* ---- betas on a line ---- */

static void line(double *out, int64_t n, double first, double last)
{
    for (int64_t i = 0; i < n; i++)
        out[i] = n > 1 ? first + (last - first) * (double)i / (double)(n - 1) : first;
}

/* Ho et al. 2020, scaled so that T steps reach about the same noise as 1000, unless the ends are given. */
static int linear(double *beta, const struct mdm_betas *how)
{
    const double scale = 1000.0 / (double)how->timesteps;
    const double first = how->start > 0 ? how->start : scale * 1e-4, last = how->end > 0 ? how->end : scale * 2e-2;

    if (last >= 1 || first >= 1)
        return mdm_fail(MASKDM_EINVAL,
                        "a linear schedule needs more than 20 timesteps, not %lld: its last beta would be %g",
                        (long long)how->timesteps, last);
    line(beta, how->timesteps, first, last);
    return MASKDM_OK;
}

/* Rombach et al. 2022: the square roots lie on a line. */
static int scaled_linear(double *beta, const struct mdm_betas *how)
{
    line(beta, how->timesteps, sqrt(how->start > 0 ? how->start : 0.00085), sqrt(how->end > 0 ? how->end : 0.012));
    for (int64_t t = 0; t < how->timesteps; t++)
        beta[t] *= beta[t];
    return MASKDM_OK;
}

/* Xu et al. 2022 (GeoDiff, arXiv 2203.02923): a sigmoid over -6 .. 6 from one end to the other. */
static int sigmoid_betas(double *beta, const struct mdm_betas *how)
{
    const double first = how->start > 0 ? how->start : 1e-4, last = how->end > 0 ? how->end : 2e-2;

    line(beta, how->timesteps, -6, 6);
    for (int64_t t = 0; t < how->timesteps; t++)
        beta[t] = first + (last - first) / (1 + exp(-beta[t]));
    return MASKDM_OK;
}

/* ---- betas from abar at u = t/T ---- */

/* Nichol and Dhariwal 2021, eq. 17. */
static double cosine_abar(const struct mdm_betas *how, double u)
{
    const double s = 0.008, c = cos((u + s) / (1 + s) * PI / 2);

    (void)how;
    return c * c;
}

/* Hoogeboom et al. 2023: the signal-to-noise ratio of size d is that of 64 pixels times (64/d)^2. */
static double shifted_abar(const struct mdm_betas *how, double u)
{
    const double abar = cosine_abar(how, u), shift = REFERENCE_SIZE / how->shift_size;

    return 1 / (1 + (1 - abar) / (shift * shift * abar));
}

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

/* Jabri et al. 2022 (arXiv 2212.11972), as denoising-diffusion-pytorch has it. */
static double sigmoid_abar(const struct mdm_betas *how, double u)
{
    const double start = how->sigmoid_start, end = how->sigmoid_end, tau = how->sigmoid_tau;
    const double first = sigmoid(start / tau), last = sigmoid(end / tau);

    return (last - sigmoid((u * (end - start) + start) / tau)) / (last - first);
}

/* Hang and Gu 2024 (arXiv 2407.03297), as diffusers has it: ln SNR from a Laplace distribution. */
static double laplace_abar(const struct mdm_betas *how, double u)
{
    const double ratio = -0.5 * copysign(1, 0.5 - u) * log(1 - 2 * fabs(0.5 - u) + 1e-6);

    (void)how;
    return sqrt(1 / (1 + exp(-ratio)));
}

static double beta_between(double abar_before, double abar)
{
    const double beta = 1 - abar / abar_before;

    return beta < 0 ? 0 : beta > 0.999 ? 0.999 : beta;
}

static void follow(double *beta, const struct mdm_betas *how, double (*abar)(const struct mdm_betas *how, double u))
{
    const double T = (double)how->timesteps, first = abar(how, 0);

    for (int64_t t = 0; t < how->timesteps; t++)
        beta[t] = beta_between(abar(how, (double)t / T) / first, abar(how, (double)(t + 1) / T) / first);
}

static int cosine(double *beta, const struct mdm_betas *how)
{
    follow(beta, how, cosine_abar);
    return MASKDM_OK;
}

static int shifted_cosine(double *beta, const struct mdm_betas *how)
{
    follow(beta, how, shifted_abar);
    return MASKDM_OK;
}

static int sigmoid_schedule(double *beta, const struct mdm_betas *how)
{
    if (!(how->sigmoid_start < how->sigmoid_end))
        return mdm_fail(MASKDM_EINVAL, "sigmoid_start %g is not below sigmoid_end %g", how->sigmoid_start,
                        how->sigmoid_end);
    follow(beta, how, sigmoid_abar);
    return MASKDM_OK;
}

static int laplace(double *beta, const struct mdm_betas *how)
{
    follow(beta, how, laplace_abar);
    return MASKDM_OK;
}

/* ---- all of them ---- */

static int given(double *beta, const struct mdm_betas *how)
{
    for (int64_t t = 0; t < how->timesteps; t++)
        beta[t] = how->given[t];
    return MASKDM_OK;
}

static const struct {
    const char *name;
    int (*betas)(double *beta, const struct mdm_betas *how);
} kinds[] = {{"linear", linear},
             {"cosine", cosine},
             {"shifted_cosine", shifted_cosine},
             {"scaled_linear", scaled_linear},
             {"sigmoid", sigmoid_schedule},
             {"sigmoid_betas", sigmoid_betas},
             {"laplace", laplace},
             {"given", given}};

const char *mdm_betas_name(int i)
{
    return (size_t)i < MDM_LENGTH(kinds) ? kinds[i].name : NULL;
}

/* Written so that NaN fails. */
static int check(const double *beta, int64_t T)
{
    for (int64_t t = 0; t < T; t++)
        if (!(beta[t] >= 0 && (beta[t] < 1 || (beta[t] == 1 && t == T - 1 && t > 0))))
            return mdm_fail(MASKDM_EINVAL,
                            "beta %lld of %lld is %g: each lies between 0 and 1, and only the last may "
                            "be 1",
                            (long long)t + 1, (long long)T, beta[t]);
    if (1 - beta[0] == 1)
        return mdm_fail(MASKDM_EINVAL, "the first of %lld betas is %g, which adds no noise", (long long)T, beta[0]);
    return MASKDM_OK;
}

/* Lin et al. 2024 (arXiv 2305.08891), algorithm 1: sqrt(abar) is shifted so that its last is 0, and scaled so that
 * its first stays. */
static int rescale(double *beta, int64_t T)
{
    const double first = sqrt(1 - beta[0]);
    double abar = 1, before = 1, last;

    if (T < 2)
        return mdm_fail(MASKDM_EINVAL, "zero_terminal_snr needs a schedule of at least 2 timesteps");
    for (int64_t t = 0; t < T; t++)
        abar *= 1 - beta[t];
    last = sqrt(abar);
    abar = 1;
    for (int64_t t = 0; t < T; t++) {
        double root, now;

        abar *= 1 - beta[t];
        root = t == T - 1 ? 0 : (sqrt(abar) - last) * (first / (first - last));
        now = root * root;
        if (!(now > 0) && t < T - 1)
            return mdm_fail(MASKDM_EINVAL,
                            "zero_terminal_snr has no meaning for %lld betas that leave the image as it is from time "
                            "%lld on",
                            (long long)T, (long long)t);
        beta[t] = 1 - now / before;
        before = now;
    }
    return MASKDM_OK;
}

int mdm_betas_make(double *beta, const struct mdm_betas *how)
{
    MDM_TRY(kinds[how->kind].betas(beta, how));
    MDM_TRY(check(beta, how->timesteps));
    return how->zero_terminal_snr ? rescale(beta, how->timesteps) : MASKDM_OK;
}
