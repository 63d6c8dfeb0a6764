/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What follows from betas.
 */
#include "diffusion/discrete_schedule.h"

#include "base/alloc.h"
#include "base/error.h"

#include <math.h>
#include <string.h>

enum { TABLES = 5 };

static int derive(struct mdm_schedule *s)
{
    double before = 1;

    for (int64_t t = 0; t < s->timesteps; t++) {
        const double abar = before * (1 - s->beta[t]);

        if (!(before > 1e-300))
            return mdm_fail(MASKDM_EINVAL, "nothing of the image is left at time %lld of %lld already",
                            (long long)t - 1, (long long)s->timesteps);
        s->abar[t] = abar;
        s->variance[t] = s->beta[t] * (1 - before) / (1 - abar);
        s->coef1[t] = s->beta[t] * sqrt(before) / (1 - abar);
        s->coef2[t] = (1 - before) * sqrt(1 - s->beta[t]) / (1 - abar);
        before = abar;
    }
    return MASKDM_OK;
}

int mdm_schedule_make(struct mdm_schedule *out, const struct mdm_betas *how)
{
    const int64_t T = how->timesteps;
    double *table;
    int status;

    memset(out, 0, sizeof *out);
    if (T < 1)
        return mdm_fail(MASKDM_EINVAL, "a schedule needs at least 1 timestep, not %lld", (long long)T);
    table = mdm_need((size_t)T, TABLES * sizeof *table, "the noise schedule");
    if (!table)
        return MASKDM_ENOMEM;
    *out = (struct mdm_schedule){.timesteps = T,
                                 .table = table,
                                 .beta = table,
                                 .abar = table + T,
                                 .variance = table + 2 * T,
                                 .coef1 = table + 3 * T,
                                 .coef2 = table + 4 * T};
    status = mdm_betas_make(table, how);
    if (status == MASKDM_OK)
        status = derive(out);
    if (status < 0)
        mdm_schedule_free(out);
    return status;
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

/* Where nothing of the image is left, which has no logarithm, what diffusers puts there: abar = 2^-24, or less where
 * the time before has no more. */
static double log_signal_at(const struct mdm_schedule *s, int64_t t)
{
    return 0.5 * log(s->abar[t] > 0 ? s->abar[t] : fmin(0x1p-24, s->abar[t - 1] / 4));
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
