/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The ways of spacing times.
 */
#include "diffusion/spacing.h"

#include "base/error.h"
#include "diffusion/discrete_listed.h"

#include <math.h>
#include <string.h>

/* How far time i is from the most noise towards the least, 0 to 1. A span that ends at the image goes there from the
 * least noise in its last step. */
static double share(const struct mdm_span *s, int64_t i)
{
    const int64_t last = s->end == s->process->first ? s->steps : s->steps - 1;

    return last ? (double)i / (double)last : 0;
}

/* linspace(-1, T-1, S+1) truncated, from its end, in whole numbers: value k is k T / S - 1, and only the first lies
 * below 0, where truncating would not round down. */
static double whole(const struct mdm_span *s, int64_t i)
{
    const int64_t times = (int64_t)s->process->last + 1;

    return (double)((s->steps - i) * times / s->steps - 1);
}

static double even(const struct mdm_span *s, int64_t i)
{
    const struct mdm_process *p = s->process;

    return mdm_process_shift(p, p->last * (1 - share(s, i)) + p->first * share(s, i));
}

static double even_ratio(const struct mdm_span *s, int64_t i)
{
    const struct mdm_process *p = s->process;
    const double most = p->kind->ratio(p, p->last);

    if (i == 0)
        return p->last;
    return mdm_process_time_of(p, most + share(s, i) * (p->kind->ratio(p, p->first) - most));
}

/* ln(noise / signal) of a time that other levels are to be taken from. */
static double end_ratio(const struct mdm_process *p, double time)
{
    const struct mdm_schedule *table = mdm_discrete_schedule(p);

    return table ? log(mdm_listed_ratio(table, time)) : p->kind->ratio(p, time);
}

/* The one whose ends Karras' levels lie between: where diffusers has such, its times need not be whole. */
static struct mdm_span ends_span(const struct mdm_span *s)
{
    struct mdm_span out = *s;

    out.listing = MDM_LISTING_REAL;
    out.ends = NULL;
    return out;
}

/* The time that Karras' levels begin at. */
static double first_end(const struct mdm_span *s)
{
    const struct mdm_span listed = ends_span(s);

    return s->ends ? s->ends->time(&listed, 0) : s->process->last;
}

/* Karras et al. 2022, eq. 5, with rho = 7: its logarithm. */
static double karras_ratio(const struct mdm_span *s, int64_t i)
{
    const struct mdm_process *p = s->process;
    const int64_t end = s->steps - 1;
    const struct mdm_span listed = ends_span(s);
    const double most = exp(end_ratio(p, first_end(s)) / 7);
    const double least = exp(end_ratio(p, s->ends ? s->ends->time(&listed, end) : p->first) / 7);
    const double part = !s->ends ? share(s, i) : end ? (double)i / (double)end : 0;

    return 7 * log(most + part * (least - most));
}

static double karras(const struct mdm_span *s, int64_t i)
{
    const struct mdm_process *p = s->process;
    const struct mdm_schedule *table = mdm_discrete_schedule(p);

    /* Told as it is: where no signal is left, an earlier time may have as much noise in the table as this. */
    if (i == 0 && first_end(s) == p->last)
        return p->last;
    return table ? mdm_listed_time_of(table, exp(karras_ratio(s, i))) : mdm_process_time_of(p, karras_ratio(s, i));
}

/* Karras' levels are what matters: on a table they do not go by the time that is nearest to them. */
static struct mdm_level karras_level(const struct mdm_span *s, int64_t i)
{
    return mdm_discrete_schedule(s->process) ? mdm_listed_level(exp(karras_ratio(s, i)))
                                             : mdm_process_at(s->process, karras(s, i));
}

static struct mdm_level linspace_level(const struct mdm_span *s, int64_t i)
{
    const double time = mdm_listed_linspace(s, i);

    return time == floor(time) ? mdm_process_at(s->process, time)
                               : mdm_listed_level(mdm_listed_ratio(mdm_discrete_schedule(s->process), time));
}

/* The least of a thousand times: where diffusers' flow matching schedulers stop before the image. */
static const double thousandth = 1e-3;

/* As diffusers' FlowMatchEulerDiscreteScheduler has it for Stable Diffusion 3: both ends are shifted, and all again.
 */
static double sd3(const struct mdm_span *s, int64_t i)
{
    const struct mdm_process *p = s->process;
    const double part = s->steps > 1 ? (double)i / (double)(s->steps - 1) : 0;

    return mdm_process_shift(p, 1 + part * (mdm_process_shift(p, thousandth) - 1));
}

/* The same with dynamic shifting, as Flux has it: shifted once. */
static double flux(const struct mdm_span *s, int64_t i)
{
    const double part = s->steps > 1 ? (double)i / (double)(s->steps - 1) : 0;

    return mdm_process_shift(s->process, 1 + part * (thousandth - 1));
}

static const struct mdm_spacing spacings[] = {
    {"whole", MDM_SPACING_WHOLE, .time = whole},
    {"time", MDM_SPACING_ANY, .time = even},
    {"logsnr", MDM_SPACING_RATIO, .time = even_ratio},
    {"karras", MDM_SPACING_RATIO, .time = karras, .level = karras_level},
    {"sd3", MDM_SPACING_STRAIGHT, .time = sd3},
    {"flux", MDM_SPACING_STRAIGHT, .time = flux},
    {"leading", MDM_SPACING_WHOLE, .time = mdm_listed_leading, .listed = 1},
    {"trailing", MDM_SPACING_WHOLE, .time = mdm_listed_trailing, .listed = 1, .all_noise = 1},
    {"linspace", MDM_SPACING_WHOLE, .time = mdm_listed_linspace, .level = linspace_level, .listed = 1,
     .all_noise = 1},
};

static int has_meaning(const struct mdm_spacing *s, const struct mdm_process *p)
{
    const int has[] = {[MDM_SPACING_ANY] = 1,
                       [MDM_SPACING_WHOLE] = mdm_discrete_schedule(p) != NULL,
                       [MDM_SPACING_STRAIGHT] = mdm_process_is_straight(p),
                       [MDM_SPACING_RATIO] = !mdm_process_is_straight(p)};

    return has[s->of];
}

const char *mdm_spacing_name(int i)
{
    return i == 0 ? "auto" : (size_t)i <= MDM_LENGTH(spacings) ? spacings[i - 1].name : NULL;
}

const char *mdm_spacing_listed_name(int i)
{
    if (i == 0)
        return "auto";
    for (size_t k = 0; k < MDM_LENGTH(spacings); k++)
        if (spacings[k].listed && --i == 0)
            return spacings[k].name;
    return NULL;
}

int mdm_spacing_choose(const struct mdm_spacing **out, const struct mdm_process *p, unsigned choice, const char *name,
                       const char *said)
{
    const struct mdm_spacing *s = NULL;

    for (unsigned i = 0; i < MDM_LENGTH(spacings); i++)
        if (choice ? choice == i + 1 : !strcmp(spacings[i].name, name))
            s = &spacings[i];
    *out = s;
    if (!has_meaning(s, p))
        return mdm_fail(MASKDM_EINVAL, "%s %s has no meaning for process %s", said, s->name, p->kind->name);
    return MASKDM_OK;
}

int mdm_spacing_check(const struct mdm_spacing *s, const struct mdm_span *span)
{
    const struct mdm_process *p = span->process;
    const int64_t times = mdm_listed_count(p);

    if (s->of == MDM_SPACING_WHOLE && span->steps > times)
        return mdm_fail(MASKDM_EINVAL, "%lld sampling steps; the schedule allows 1 to %lld", (long long)span->steps,
                        (long long)times);
    if (s->listed && s->time(span, 0) > p->last)
        return mdm_fail(MASKDM_EINVAL, "%s times with an offset of %lld begin at %g; process %s ends at %g", s->name,
                        (long long)span->offset, s->time(span, 0), p->kind->name, p->last);
    if (span->ends) {
        const struct mdm_span listed = ends_span(span);

        MDM_TRY(mdm_spacing_check(span->ends, &listed));
    }
    return MASKDM_OK;
}

struct mdm_stop mdm_stop_at(const struct mdm_process *p, double time)
{
    const struct mdm_level level = mdm_process_at(p, time);

    if (level.signal == 0 || level.noise == 0)
        return (struct mdm_stop){time, level, level.noise == 0 ? -INFINITY : INFINITY};
    return (struct mdm_stop){time, level, p->kind->ratio(p, time)};
}

struct mdm_stop mdm_spacing_stop(const struct mdm_spacing *s, const struct mdm_span *span, int64_t i)
{
    struct mdm_stop stop = mdm_stop_at(span->process, s->time(span, i));

    if (s->level) {
        stop.level = s->level(span, i);
        stop.ratio = log(stop.level.noise) - log(stop.level.signal);
    }
    return stop;
}
