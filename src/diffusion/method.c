/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What all methods share: how they are made, and how a sum is set up.
 */
#include "diffusion/method.h"

#include "base/alloc.h"
#include "base/error.h"
#include "diffusion/options.h"

#include <math.h>

static int fill(struct mdm_method *s, const maskdm_options *options)
{
    struct mdm_sampler_options o;

    mdm_options_read(options, &mdm_sampler_options, &o);
    s->kind = mdm_method_class_at((int)o.sampler);
    s->clip = o.clip && !o.threshold ? o.clip_range : 0;
    s->threshold = o.threshold ? o.threshold_share : 0;
    s->threshold_max = o.threshold_max;
    s->eps = s->scheduler->prediction->is_noise ? MDM_EPS_F : MDM_EPS_CLIPPED;
    s->looks_back = s->kind->looks_back;
    s->keeps = s->kind->keeps;
    MDM_TRY(s->kind->read(s, options));
    MDM_TRY(mdm_method_lay(s, &o, options));
    s->evaluations = s->kind->evaluations ? s->kind->evaluations(s) : s->steps;
    for (int64_t e = 0; e < s->evaluations; e++) {
        struct mdm_evaluation unused = {0};

        MDM_TRY(s->kind->evaluation(s, e, &unused));
    }
    return MASKDM_OK;
}

int mdm_method_make(struct mdm_method *out, const maskdm_scheduler *scheduler, const maskdm_options *options)
{
    int status;

    *out = (struct mdm_method){.scheduler = scheduler, .start = 1};
    status = fill(out, options);
    if (status < 0)
        mdm_method_free(out);
    return status;
}

void mdm_method_free(struct mdm_method *s)
{
    mdm_free(s->way);
    s->way = NULL;
}

struct mdm_evaluation mdm_method_evaluation(const struct mdm_method *s, int64_t e)
{
    struct mdm_evaluation out = {.before_x = 1};

    (void)s->kind->evaluation(s, e, &out); /* was judged when the solver was made */
    return out;
}

int64_t mdm_method_first(const struct mdm_method *s, int64_t step)
{
    int64_t low = 0, high = s->evaluations;

    while (low < high) {
        const int64_t middle = low + (high - low) / 2;

        if (mdm_method_evaluation(s, middle).step < step)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

int mdm_evaluation_is_noisy(const struct mdm_evaluation *e)
{
    return e->before_z != 0 || e->next.z != 0;
}

int64_t mdm_method_draws(const struct mdm_method *s)
{
    int64_t draws = 0;

    for (int64_t e = 0; e < s->evaluations; e++) {
        const struct mdm_evaluation at = mdm_method_evaluation(s, e);

        draws += mdm_evaluation_is_noisy(&at);
    }
    return draws;
}

struct mdm_solve mdm_method_job(const struct mdm_method *s, const struct mdm_evaluation *e)
{
    const struct mdm_level at = e->at.level;
    const struct mdm_pair clean = s->scheduler->prediction->clean(s->scheduler->process, at);

    return (struct mdm_solve){.clean_x = clean.a,
                              .clean_f = clean.b,
                              .clip = s->clip,
                              .eps = s->eps,
                              .signal = at.signal,
                              .noise = at.noise,
                              .next = e->next,
                              .keeps = e->keeps,
                              .kept = e->kept,
                              .spread_a = e->spread.a,
                              .spread_b = e->spread.b};
}

void mdm_method_turn(const struct mdm_method *s, float **x0, float *before[MDM_BEFORE])
{
    float *newest = *x0;

    for (int k = 0; k < s->looks_back; k++) {
        float *older = before[k];

        before[k] = newest;
        newest = older;
    }
    *x0 = newest;
}

void mdm_method_limits(const struct mdm_method *s, int64_t batch, double *limit)
{
    for (int64_t i = 0; i < batch; i++)
        limit[i] = fmin(fmax(limit[i], 1), s->threshold_max);
}
