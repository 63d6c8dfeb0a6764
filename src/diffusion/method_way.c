/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The way of a method from noise to image: its steps' ends.
 */
#include "base/alloc.h"
#include "base/error.h"
#include "diffusion/discrete_listed.h"
#include "diffusion/method.h"
#include "diffusion/options.h"

#include <math.h>
#include <string.h>

static int take_way(struct mdm_method *s)
{
    s->way = mdm_need((size_t)s->steps, sizeof *s->way, "steps of the solver");
    return s->way ? MASKDM_OK : MASKDM_ENOMEM;
}

/* A trace of the image where x_T has none and the method divides by it: as much as half precision knows on a table,
 * and on straight paths a millionth. */
static void leave_a_trace(struct mdm_method *s)
{
    const struct mdm_process *p = s->scheduler->process;
    struct mdm_stop *first = &s->way[0].from;

    if (!s->needs_trace || first->level.signal > 0)
        return;
    if (mdm_discrete_schedule(p)) {
        const double ratio = mdm_listed_ratio(mdm_discrete_schedule(p), first->time);

        first->level = mdm_listed_level(ratio);
        first->ratio = log(ratio);
    } else {
        *first = mdm_stop_at(p, first->time * (1 - 1e-6));
    }
}

/* The host's own times: falling, and all of them the process's. */
static int take_times(struct mdm_method *s, const struct mdm_float_list *list)
{
    const struct mdm_process *p = s->scheduler->process;

    s->steps = list->count - 1;
    if (s->steps < 1)
        return mdm_fail(MASKDM_EINVAL, "a sampler needs two times at least, not 1");
    MDM_TRY(take_way(s));
    for (int i = 0; i < list->count; i++) {
        const double t = list->value[i];

        if (!(t <= p->last && (t >= p->first || (t == p->image && i == s->steps))))
            return mdm_fail(MASKDM_EINVAL, "time %g of the sampler is outside %g .. %g of process %s", t, p->first,
                            p->last, p->kind->name);
        if (i && !(t < s->way[i - 1].from.time))
            return mdm_fail(MASKDM_EINVAL, "a sampler goes to an earlier time, not from %g to %g",
                            s->way[i - 1].from.time, t);
        if (i)
            s->way[i - 1].to = mdm_stop_at(p, t);
        if (i < s->steps)
            s->way[i].from = mdm_stop_at(p, t);
    }
    leave_a_trace(s);
    return MASKDM_OK;
}

/* Where the way ends. */
static double end_of(const struct mdm_method *s, unsigned final_sigma)
{
    const struct mdm_process *p = s->scheduler->process;
    const double end[] = {s->kind->stops_before && p->kind->preserves ? p->first : p->image, p->image, p->first};

    return end[final_sigma];
}

static double told(unsigned telling, double time)
{
    return telling == MDM_TELLING_EXACT ? time : telling == MDM_TELLING_BELOW ? floor(time) : rint(time);
}

/* Steps of listed times that go where diffusers' DDIM goes: T div S back, whatever the next time is. */
static void stride(struct mdm_method *s, const struct mdm_stop *end)
{
    const struct mdm_process *p = s->scheduler->process;
    const int64_t back = mdm_listed_count(p) / s->steps;

    for (int64_t i = 0; i < s->steps; i++) {
        const double time = s->way[i].from.time - (double)back;

        s->way[i].to = time < p->first ? *end : mdm_stop_at(p, time);
    }
}

/* The way along a span, and what x_T is on it. */
static void space(struct mdm_method *s, const struct mdm_spacing *spacing, const struct mdm_span *span,
                  unsigned telling)
{
    const struct mdm_process *p = s->scheduler->process;
    const struct mdm_stop end = mdm_stop_at(p, span->end);
    struct mdm_way *last = &s->way[s->steps - 1];

    for (int64_t i = 0; i < s->steps; i++) {
        s->way[i].from = mdm_spacing_stop(spacing, span, i);
        s->way[i].from.time = told(telling, s->way[i].from.time);
        if (i)
            s->way[i - 1].to = s->way[i].from;
    }
    last->to = fabs(end.ratio - last->from.ratio) < 1e-9 ? last->from : end; /* not a step of rounding errors */
    leave_a_trace(s);
    if (spacing->listed && s->kind->strides)
        stride(s, &end);
    if (s->kind->all_noise && p->kind->preserves && (spacing->all_noise || (span->ends && span->ends->all_noise)))
        s->start = s->way[0].from.level.noise;
}

static int check_telling(const struct mdm_process *p, const struct mdm_sampler_options *o,
                         const maskdm_options *options)
{
    if (o->told_times == MDM_TELLING_EXACT || mdm_discrete_schedule(p))
        return MASKDM_OK;
    return mdm_fail(MASKDM_EINVAL, "%s %s has a meaning for process discrete alone, and this one is %s",
                    mdm_options_said(options, "told_times"), mdm_options_text(options, "told_times"), p->kind->name);
}

static int make_times(struct mdm_method *s, const struct mdm_sampler_options *o, const maskdm_options *options)
{
    const struct mdm_process *p = s->scheduler->process;
    const int stops = s->kind->stops_before && p->kind->preserves;
    struct mdm_span span = {.process = p,
                            .steps = s->steps,
                            .end = end_of(s, o->final_sigma),
                            .listing = s->kind->listing,
                            .offset = o->steps_offset};
    const struct mdm_spacing *spacing;

    MDM_TRY(mdm_spacing_choose(&spacing, p, o->spacing, stops ? "logsnr" : p->kind->spacing,
                               mdm_options_said(options, "spacing")));
    if (o->karras_ends)
        MDM_TRY(mdm_spacing_choose(&span.ends, p, 0, mdm_spacing_listed_name((int)o->karras_ends),
                                   mdm_options_said(options, "karras_ends")));
    MDM_TRY(check_telling(p, o, options));
    MDM_TRY(mdm_spacing_check(spacing, &span));
    MDM_TRY(take_way(s));
    space(s, spacing, &span, o->told_times);
    return MASKDM_OK;
}

/* By the method's own stops. */
static int place(struct mdm_method *s, const struct mdm_sampler_options *o, const maskdm_options *options)
{
    MDM_TRY(check_telling(s->scheduler->process, o, options));
    MDM_TRY(take_way(s));
    MDM_TRY(s->kind->place(s, options));
    for (int64_t i = 0; i < s->steps; i++) {
        s->way[i].from.time = told(o->told_times, s->way[i].from.time);
        if (i)
            s->way[i - 1].to = s->way[i].from;
    }
    s->way[s->steps - 1].to = mdm_stop_at(s->scheduler->process, end_of(s, o->final_sigma));
    return MASKDM_OK;
}

/* Less noise at every step's end, but for a last one that stands still: there its time is told, and nothing done. */
static int check_way(const struct mdm_method *s)
{
    for (int64_t i = 0; i < s->steps; i++) {
        const struct mdm_stop from = s->way[i].from, to = s->way[i].to;

        if (!(to.ratio < from.ratio) && !(to.ratio == from.ratio && i + 1 == s->steps))
            return mdm_fail(MASKDM_EINVAL,
                            "step %lld of the sampler goes from time %g to %g, which has no less noise", (long long)i,
                            from.time, to.time);
    }
    return MASKDM_OK;
}

int mdm_method_lay(struct mdm_method *s, const struct mdm_sampler_options *o, const maskdm_options *options)
{
    if (o->times.count)
        MDM_TRY(take_times(s, &o->times));
    else if (s->kind->place && !o->spacing)
        MDM_TRY(place(s, o, options));
    else
        MDM_TRY(make_times(s, o, options));
    if (!s->scheduler->process->kind->preserves)
        s->start = s->way[0].from.level.noise;
    return check_way(s);
}
