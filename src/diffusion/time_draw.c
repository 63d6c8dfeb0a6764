/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Times for training. An independent number is of (seed, position in the run's stream, step). An even one is of
 * (seed, position) alone: the fractional part of u + position / golden ratio, u of the seed, so that the numbers of
 * any images in a row, of a batch, of its parts and of several batches, cover 0 .. 1 with gaps of a few times their
 * mean; and neither the batch's size, nor how it is cut, nor threads change it.
 */
#include "diffusion/time_draw.h"

#include "base/error.h"
#include "diffusion/discrete.h"

#include <math.h>
#include <string.h>

struct mdm_time_kind {
    const char *name;
    int normal; /* its number is normal */
    double (*of)(const struct mdm_time_draw *d, const struct mdm_process *p, double number);
};

static double uniform(const struct mdm_time_draw *d, const struct mdm_process *p, double number)
{
    (void)d;
    return p->kind->time_at(p, number);
}

/* Esser et al. 2024 (arXiv 2403.03206), sec. 3.1. */
static double logit_normal(const struct mdm_time_draw *d, const struct mdm_process *p, double number)
{
    return p->kind->time_at(p, 1 / (1 + exp(-(d->mean + d->deviation * number))));
}

/* Karras et al. 2022: of the noise-to-signal ratio. */
static double log_normal(const struct mdm_time_draw *d, const struct mdm_process *p, double number)
{
    const double time = mdm_process_time_of(p, d->mean + d->deviation * number);

    return mdm_discrete_schedule(p) ? round(time) : time;
}

/* Esser et al. 2024, with heavy tails. */
static double mode(const struct mdm_time_draw *d, const struct mdm_process *p, double number)
{
    const double c = cos(acos(-1) / 2 * number);

    return p->kind->time_at(p, 1 - number - d->mode_scale * (c * c - 1 + number));
}

static const struct mdm_time_kind kinds[] = {
    {"uniform", 0, uniform}, {"logit_normal", 1, logit_normal}, {"log_normal", 1, log_normal}, {"mode", 0, mode}};

const char *mdm_time_draw_name(int i)
{
    return i == 0 ? "auto" : (size_t)i <= MDM_LENGTH(kinds) ? kinds[i - 1].name : NULL;
}

const char *mdm_time_spread_name(int i)
{
    static const char *const names[] = {"independent", "even"};

    return (size_t)i < MDM_LENGTH(names) ? names[i] : NULL;
}

static int refuse(int fits, const char *given, const struct mdm_time_kind *kind, const maskdm_options *options)
{
    if (fits)
        return MASKDM_OK;
    return mdm_fail(MASKDM_EINVAL, "%s has no meaning for %s %s", mdm_options_said(options, given),
                    mdm_options_said(options, "time_draw"), kind->name);
}

int mdm_time_draw_choose(struct mdm_time_draw *out, const struct mdm_process *p, const struct mdm_time_wish *wish,
                         const maskdm_options *options)
{

    *out = (struct mdm_time_draw){.mean = isnan(wish->mean) ? p->draw_mean : wish->mean,
                                  .deviation = isnan(wish->deviation) ? p->draw_deviation : wish->deviation,
                                  .mode_scale = isnan(wish->mode_scale) ? 1.29 : wish->mode_scale,
                                  .even = wish->spread != 0};
    for (size_t i = 0; i < MDM_LENGTH(kinds); i++)
        if (wish->kind ? wish->kind == i + 1 : !strcmp(kinds[i].name, p->kind->drawn))
            out->kind = &kinds[i];
    MDM_TRY(refuse(out->kind->normal || isnan(wish->mean), "time_mean", out->kind, options));
    MDM_TRY(refuse(out->kind->normal || isnan(wish->deviation), "time_std", out->kind, options));
    return refuse(out->kind->of == mode || isnan(wish->mode_scale), "mode_scale", out->kind, options);
}

/* Written so that NaN fails. */
int mdm_time_draw_check(const struct mdm_time_draw *d, double number)
{
    const double most = d->kind->normal ? 1000 : 1, least = d->kind->normal ? -1000 : 0;

    if (number >= least && number <= most)
        return MASKDM_OK;
    return mdm_fail(MASKDM_EINVAL, "number %g is outside %g .. %g, of which time_draw %s makes times", number, least,
                    most, d->kind->name);
}

double mdm_time_draw_of(const struct mdm_time_draw *d, const struct mdm_process *p, double number)
{
    return d->kind->of(d, p, number);
}

/* Below which normal numbers lie with this probability, by halves. */
static double quantile(double probability)
{
    double low = -9, high = 9;

    for (int i = 0; i < 60; i++) {
        const double middle = (low + high) / 2;

        *(erfc(-middle / sqrt(2)) / 2 < probability ? &low : &high) = middle;
    }
    return (low + high) / 2;
}

/* In 64 bits that wrap around, so that every machine has the same and a long run loses none. */
static double even_number(const struct mdm_time_draw *d, uint64_t seed, uint64_t position)
{
    static const uint64_t golden = 0x9e3779b97f4a7c15, no_step = (uint64_t)1 << 41; /* that a run reaches */
    struct mdm_rng stream = mdm_rng_make(seed, MDM_DRAW_TIME, 0, no_step);
    const uint64_t high = mdm_rng_u32(&stream), start = high << 32 | mdm_rng_u32(&stream);
    const double u = ((double)((start + golden * position) >> 11) + 0.5) * 0x1p-53;

    return d->kind->normal ? quantile(u) : u;
}

double mdm_time_draw_at(const struct mdm_time_draw *d, const struct mdm_process *p, uint64_t seed, uint64_t position,
                        int64_t step)
{
    struct mdm_rng stream = mdm_rng_make(seed, MDM_DRAW_TIME, position, (uint64_t)step);
    float normal;

    if (d->even)
        return mdm_time_draw_of(d, p, even_number(d, seed, position));
    if (!d->kind->normal)
        return mdm_time_draw_of(d, p, p->kind->uniform ? p->kind->uniform(p, &stream) : mdm_rng_uniform(&stream));
    mdm_rng_normal(&normal, 1, &stream, 0);
    return mdm_time_draw_of(d, p, (double)normal);
}
