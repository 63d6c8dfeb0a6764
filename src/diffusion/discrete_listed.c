/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Times in lists. That lists agree with diffusers' in every place, they round where NumPy does.
 */
#include "diffusion/discrete_listed.h"

#include <math.h>

int64_t mdm_listed_count(const struct mdm_process *p)
{
    return (int64_t)p->last + 1;
}

static double count(const struct mdm_span *s)
{
    return (double)mdm_listed_count(s->process);
}

/* Points from which the list is taken, and which of them, counted from the image, is time i. */
static int64_t points(const struct mdm_span *s)
{
    return s->steps + (s->listing == MDM_LISTING_SHORT);
}

static int64_t place(const struct mdm_span *s, int64_t i)
{
    return points(s) - 1 - i;
}

double mdm_listed_leading(const struct mdm_span *s, int64_t i)
{
    return (double)(place(s, i) * ((int64_t)count(s) / points(s)) + s->offset);
}

/* T, T - T/S, ..., rounded to the even number where halfway, less one. */
double mdm_listed_trailing(const struct mdm_span *s, int64_t i)
{
    const double all = count(s), step = (all - all / (double)s->steps) - all;

    return rint(all + (double)i * step) - 1;
}

double mdm_listed_linspace(const struct mdm_span *s, int64_t i)
{
    const double last = count(s) - 1, step = last / (double)(points(s) - 1);
    const double time = i == 0 ? last : (double)place(s, i) * step;

    return s->listing == MDM_LISTING_REAL ? time : rint(time);
}

/* Signal^2 of the last time, where a schedule leaves none: the least number of half precision. */
static const double trace = 0x1p-24;

static double ratio_at(const struct mdm_schedule *table, int64_t t)
{
    const double abar = table->abar[t] > 0 ? table->abar[t] : trace;

    return sqrt((1 - abar) / abar);
}

double mdm_listed_ratio(const struct mdm_schedule *table, double time)
{
    const int64_t k = (int64_t)time;
    const double share = time - (double)k, a = ratio_at(table, k);

    return share > 0 ? a + share * (ratio_at(table, k + 1) - a) : a;
}

double mdm_listed_time_of(const struct mdm_schedule *table, double ratio)
{
    int64_t low = 0, high = table->timesteps - 1;
    double a, b;

    while (high - low > 1) {
        const int64_t middle = low + (high - low) / 2;

        if (ratio_at(table, middle) <= ratio)
            low = middle;
        else
            high = middle;
    }
    a = log(ratio_at(table, low));
    b = log(ratio_at(table, high));
    return high > low ? (double)low + fmin(fmax((log(ratio) - a) / (b - a), 0), 1) : 0;
}

struct mdm_level mdm_listed_level(double ratio)
{
    const double signal = 1 / sqrt(ratio * ratio + 1);

    return (struct mdm_level){signal, ratio * signal};
}
