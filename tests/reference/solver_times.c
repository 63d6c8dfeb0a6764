/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Times that the library has no spacing for, made as the programs make them and given as a list.
 */
#include "solver_settings.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 256 };

static int add_times(struct reference_case *c, struct solver_settings *s, const double *time, int count, double end)
{
    size_t n = strlen(s->sampler);

    n += (size_t)snprintf(s->sampler + n, sizeof s->sampler - n, " times=");
    for (int i = 0; i < count && n < sizeof s->sampler; i++)
        n += (size_t)snprintf(s->sampler + n, sizeof s->sampler - n, "%.17g,", time[i]);
    n += n < sizeof s->sampler ? (size_t)snprintf(s->sampler + n, sizeof s->sampler - n, "%g", end) : 0;
    if (n < sizeof s->sampler)
        return 0;
    snprintf(c->skipped, sizeof c->skipped, "a list of %d times is longer than can be said", count);
    return -1;
}

/* How many times a case lists, or -1 where they are too many. */
static int read_times(struct reference_case *c, const char *key, double *time)
{
    const char *at = case_value(c, "set_timesteps", key, "");
    int count = 0;

    while (*at && count < MOST) {
        char *end;

        time[count] = strtod(at, &end);
        if (end == at)
            break;
        count++;
        at = end + strspn(end, ", ");
    }
    return count < MOST ? count : -1;
}

/* From `first` to `last` evenly in the roots; rho 0: in the logarithms. */
static void divide(double *time, int count, double first, double last, double rho)
{
    for (int i = 0; i < count; i++) {
        const double part = count > 1 ? i / (double)(count - 1) : 0;

        if (rho == 0)
            time[i] = exp(log(first) + part * (log(last) - log(first)));
        else
            time[i] = pow(pow(first, 1 / rho) + part * (pow(last, 1 / rho) - pow(first, 1 / rho)), rho);
    }
    /* The ends themselves, which a root and its power miss by a rounding. */
    time[count - 1] = last;
    time[0] = first;
}

static int count_steps(struct reference_case *c)
{
    const char *text = maskdm_file_metadata(c->file, "steps");
    const int count = text ? atoi(text) : 0;

    if (count > 0 && count < MOST)
        return count;
    snprintf(c->skipped, sizeof c->skipped, "a list of %d times is not built", count);
    return -1;
}

int solver_times_edm(struct reference_case *c, struct solver_settings *s)
{
    double time[MOST];
    const int count = count_steps(c);

    if (count < 0)
        return -1;
    divide(time, count, case_number(c, "config", "sigma_max", 80), case_number(c, "config", "sigma_min", 0.002),
           case_number(c, "config", "rho", 7));
    return add_times(c, s, time, count, 0);
}

int solver_times_given(struct reference_case *c, struct solver_settings *s, double end)
{
    double time[MOST];
    const int count = read_times(c, "timesteps", time);

    if (!count && read_times(c, "sigmas", time) == 0)
        return 0;
    if (count > 0)
        return add_times(c, s, time, count, end) ? -1 : 1;
    snprintf(c->skipped, sizeof c->skipped, "a list of sigmas is not built");
    return -1;
}

static int is_on(struct reference_case *c, const char *key)
{
    return !strcmp(case_value(c, "config", key, "false"), "true");
}

/* s sigma / (1 + (s - 1) sigma), which with s = e^mu is the dynamic shift too; Linear's s is mu itself. */
static double shifted(double shift, double sigma)
{
    return shift * sigma / (1 + (shift - 1) * sigma);
}

int solver_times_flow(struct reference_case *c, struct solver_settings *s, double shift, int dynamic)
{
    const double T = case_number(c, "config", "num_train_timesteps", 1000);
    const double terminal = case_number(c, "config", "shift_terminal", 0), least = 1 / T;
    double time[MOST];
    int count = read_times(c, "sigmas", time);
    const int given = count > 0;

    if (!given && terminal == 0 && T == 1000 && !is_on(c, "use_karras_sigmas") && !is_on(c, "use_exponential_sigmas"))
        return 0;
    if (!given)
        count = count_steps(c);
    if (count < 0)
        return -1;
    for (int i = 0; i < count; i++) {
        const double part = count > 1 ? i / (double)(count - 1) : 0;

        if (!given)
            time[i] = 1 + part * ((dynamic ? least : shifted(shift, least)) - 1);
        time[i] = shifted(shift, time[i]);
    }
    for (int i = 0; terminal > 0 && i < count - 1; i++)
        time[i] = 1 - (1 - time[i]) * (1 - terminal) / (1 - time[count - 1]);
    if (terminal > 0)
        time[count - 1] = terminal;
    if (is_on(c, "use_karras_sigmas") || is_on(c, "use_exponential_sigmas"))
        divide(time, count, time[0], time[count - 1], is_on(c, "use_karras_sigmas") ? 7 : 0);
    return add_times(c, s, time, count, 0) ? -1 : 1;
}
