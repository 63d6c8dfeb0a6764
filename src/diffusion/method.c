/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What all methods share: their times, and how a sum is set up.
 */
#include "diffusion/method.h"

#include "base/alloc.h"
#include "base/error.h"
#include "diffusion/options.h"

#include <math.h>
#include <string.h>

/* The host's own times: falling, and all of them the process's. */
static int take_times(struct mdm_method *s, const struct mdm_float_list *list)
{
    const struct mdm_process *p = s->scheduler->process;

    s->steps = list->count - 1;
    s->time = mdm_need((size_t)list->count, sizeof *s->time, "times of the solver");
    if (!s->time)
        return MASKDM_ENOMEM;
    for (int i = 0; i < list->count; i++) {
        const double t = list->value[i];

        if (!(t <= p->last && (t >= p->first || (t == p->image && i == s->steps))))
            return mdm_fail(MASKDM_EINVAL, "time %g of the sampler is outside %g .. %g of process %s", t, p->first,
                            p->last, p->kind->name);
        if (i && !(t < s->time[i - 1]))
            return mdm_fail(MASKDM_EINVAL, "a sampler goes to an earlier time, not from %g to %g", s->time[i - 1], t);
        s->time[i] = t;
    }
    return s->steps > 0 ? MASKDM_OK : mdm_fail(MASKDM_EINVAL, "a sampler needs two times at least, not 1");
}

static int make_times(struct mdm_method *s, const struct mdm_sampler_options *o, const char *said)
{
    const struct mdm_process *p = s->scheduler->process;
    const struct mdm_span span = {p, s->steps, s->kind->stops_before && p->kind->preserves ? p->first : p->image};
    const struct mdm_spacing *spacing;

    MDM_TRY(mdm_spacing_choose(&spacing, p, o->spacing,
                               s->kind->stops_before && p->kind->preserves ? "logsnr" : p->kind->spacing, said));
    s->time = mdm_need((size_t)s->steps + 1, sizeof *s->time, "times of the solver");
    if (!s->time)
        return MASKDM_ENOMEM;
    for (int64_t i = 0; i < s->steps; i++)
        s->time[i] = spacing->time(&span, i);
    s->time[s->steps] = span.end;
    return MASKDM_OK;
}

static int fill(struct mdm_method *s, const maskdm_options *options)
{
    struct mdm_sampler_options o;

    mdm_options_read(options, &mdm_sampler_options, &o);
    s->kind = mdm_method_class_at((int)o.sampler);
    s->clip = o.clip;
    MDM_TRY(s->kind->read(s, options));
    if (o.times.count)
        MDM_TRY(take_times(s, &o.times));
    else
        MDM_TRY(make_times(s, &o, mdm_options_said(options, "spacing")));
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

    *out = (struct mdm_method){.scheduler = scheduler};
    status = fill(out, options);
    if (status < 0)
        mdm_method_free(out);
    return status;
}

void mdm_method_free(struct mdm_method *s)
{
    mdm_free(s->time);
    s->time = NULL;
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

double mdm_method_start(const struct mdm_method *s)
{
    const struct mdm_process *p = s->scheduler->process;

    return p->kind->preserves ? 1 : mdm_process_at(p, s->time[0]).noise;
}

struct mdm_solve mdm_method_job(const struct mdm_method *s, const struct mdm_evaluation *e)
{
    const struct mdm_facts f = mdm_scheduler_facts(s->scheduler, e->time);

    return (struct mdm_solve){.clean_x = f.clean.a,
                              .clean_f = f.clean.b,
                              .clip = s->clip,
                              .eps_is_f = s->scheduler->prediction->is_noise,
                              .signal = f.level.signal,
                              .noise = f.level.noise,
                              .next = e->next,
                              .begins = e->starts};
}
