/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Noise schedules: a kind gives the betas, everything else follows from them.
 */
#include "diffusion/discrete_schedule.h"

#include "base/alloc.h"
#include "base/error.h"

#include <math.h>
#include <string.h>

static const double PI = 3.14159265358979323846;
enum { TABLES = 5, REFERENCE_SIZE = 64 }; /* pixels at which shifted_cosine is cosine */

/* Ho et al. 2020, scaled so that T steps reach about the same noise as 1000. */
static int linear(double *beta, int64_t T, double image_size)
{
    const double scale = 1000.0 / (double)T, first = scale * 1e-4, last = scale * 2e-2;

    (void)image_size;
    if (last >= 1)
        return mdm_fail(MASKDM_EINVAL,
                        "a linear schedule needs more than 20 timesteps, not %lld: its last beta "
                        "would be %g",
                        (long long)T, last);
    for (int64_t t = 0; t < T; t++)
        beta[t] = first + (last - first) * (double)t / (double)(T - 1);
    return MASKDM_OK;
}

/* Nichol and Dhariwal 2021, eq. 17, at u = t/T. */
static double cosine_abar(double u)
{
    const double s = 0.008, c = cos((u + s) / (1 + s) * PI / 2);

    return c * c;
}

/* Hoogeboom et al. 2023: the signal-to-noise ratio of size d is that of 64 pixels times (64/d)^2. */
static double shifted_abar(double u, double d)
{
    const double abar = cosine_abar(u), shift = REFERENCE_SIZE / d;

    return 1 / (1 + (1 - abar) / (shift * shift * abar));
}

static double beta_between(double abar_before, double abar)
{
    const double beta = 1 - abar / abar_before;

    return beta < 0 ? 0 : beta > 0.999 ? 0.999 : beta;
}

static int cosine(double *beta, int64_t T, double image_size)
{
    const double first = cosine_abar(0);

    (void)image_size;
    for (int64_t t = 0; t < T; t++)
        beta[t] = beta_between(cosine_abar((double)t / (double)T) / first,
                               cosine_abar((double)(t + 1) / (double)T) / first);
    return MASKDM_OK;
}

static int shifted_cosine(double *beta, int64_t T, double image_size)
{
    const double first = shifted_abar(0, image_size);

    for (int64_t t = 0; t < T; t++)
        beta[t] = beta_between(shifted_abar((double)t / (double)T, image_size) / first,
                               shifted_abar((double)(t + 1) / (double)T, image_size) / first);
    return MASKDM_OK;
}

static const struct {
    const char *name;
    int (*betas)(double *beta, int64_t timesteps, double image_size);
} kinds[] = {{"linear", linear}, {"cosine", cosine}, {"shifted_cosine", shifted_cosine}};

static void derive(struct mdm_schedule *s)
{
    double before = 1;

    for (int64_t t = 0; t < s->timesteps; t++) {
        const double abar = before * (1 - s->beta[t]);

        s->abar[t] = abar;
        s->variance[t] = s->beta[t] * (1 - before) / (1 - abar);
        s->coef1[t] = s->beta[t] * sqrt(before) / (1 - abar);
        s->coef2[t] = (1 - before) * sqrt(1 - s->beta[t]) / (1 - abar);
        before = abar;
    }
}

const char *mdm_schedule_name(int i)
{
    return (size_t)i < MDM_LENGTH(kinds) ? kinds[i].name : NULL;
}

int mdm_schedule_make(struct mdm_schedule *out, int kind, int64_t timesteps, double image_size)
{
    double *table;
    int status;

    memset(out, 0, sizeof *out);
    if (timesteps < 1)
        return mdm_fail(MASKDM_EINVAL, "a schedule needs at least 1 timestep, not %lld", (long long)timesteps);
    table = mdm_need((size_t)timesteps, TABLES * sizeof *table, "the noise schedule");
    if (!table)
        return MASKDM_ENOMEM;
    status = kinds[kind].betas(table, timesteps, image_size);
    if (status < 0) {
        mdm_free(table);
        return status;
    }
    out->timesteps = timesteps;
    out->table = out->beta = table;
    out->abar = table + timesteps;
    out->variance = table + 2 * timesteps;
    out->coef1 = table + 3 * timesteps;
    out->coef2 = table + 4 * timesteps;
    derive(out);
    return MASKDM_OK;
}

void mdm_schedule_free(struct mdm_schedule *s)
{
    mdm_free(s->table);
    memset(s, 0, sizeof *s);
}

const double *mdm_schedule_table(const struct mdm_schedule *s, const char *name)
{
    const struct {
        const char *name;
        const double *table;
    } tables[TABLES] = {{"betas", s->beta},
                        {"alphas_cumprod", s->abar},
                        {"posterior_variance", s->variance},
                        {"posterior_mean_coef1", s->coef1},
                        {"posterior_mean_coef2", s->coef2}};

    for (size_t i = 0; i < TABLES; i++)
        if (!strcmp(tables[i].name, name))
            return tables[i].table;
    return NULL;
}

static double log_signal_at(const struct mdm_schedule *s, int64_t t)
{
    return 0.5 * log(s->abar[t]);
}

double mdm_schedule_log_signal(const struct mdm_schedule *s, double t)
{
    const int64_t k = (int64_t)t;
    const double share = t - (double)k;

    return share > 0 ? (1 - share) * log_signal_at(s, k) + share * log_signal_at(s, k + 1) : log_signal_at(s, k);
}

double mdm_schedule_time(const struct mdm_schedule *s, double log_signal)
{
    int64_t low = 0, high = s->timesteps - 1;
    double a, b;

    /* It falls with time: at `low` it is above, at `high` below. */
    if (log_signal >= log_signal_at(s, low))
        return 0;
    if (log_signal <= log_signal_at(s, high))
        return (double)high;
    while (high - low > 1) {
        const int64_t middle = low + (high - low) / 2;

        if (log_signal_at(s, middle) > log_signal)
            low = middle;
        else
            high = middle;
    }
    a = log_signal_at(s, low);
    b = log_signal_at(s, high);
    return (double)low + (a - log_signal) / (a - b);
}
