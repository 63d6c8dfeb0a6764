/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Stepping on memory of the host.
 */
#include "diffusion/solver.h"

#include "base/alloc.h"
#include "base/error.h"
#include "diffusion/options.h"

#include <string.h>

static void free_memory(maskdm_solver *s)
{
    mdm_free(s->start);
    mdm_free(s->x0);
    mdm_free(s->limit);
    s->start = s->x0 = NULL;
    s->limit = NULL;
    for (int k = 0; k < MDM_BEFORE; k++) {
        mdm_free(s->before[k]);
        s->before[k] = NULL;
    }
    s->values = 0;
}

static void destroy(void *object)
{
    maskdm_solver *s = object;

    free_memory(s);
    mdm_method_free(&s->method);
    mdm_scheduler_drop(&s->scheduler);
    mdm_free(s);
}

static const struct mdm_handle_kind kind = {"solver", destroy};

int mdm_solver_create(maskdm_solver **out, maskdm_scheduler *scheduler, const maskdm_options *options)
{
    maskdm_solver *s = mdm_need(1, sizeof *s, "a solver");
    maskdm_options *o;
    int status;

    *out = NULL;
    if (!s)
        return MASKDM_ENOMEM;
    mdm_handle_init(&s->handle, &kind);
    mdm_scheduler_hold(scheduler);
    s->scheduler = scheduler;
    status = mdm_options_extract(&o, options, &mdm_sampler_kind);
    if (status >= 0)
        status = mdm_options_check_needs(o, NULL);
    if (status >= 0)
        status = mdm_guidance_read(&s->guidance, o);
    if (status >= 0)
        status = mdm_method_make(&s->method, scheduler, o);
    mdm_options_release(&o);
    if (status < 0)
        mdm_solver_drop(&s);
    *out = s;
    return status;
}

void mdm_solver_drop(maskdm_solver **out)
{
    maskdm_solver *s = *out;

    *out = NULL;
    if (s)
        mdm_handle_drop(&s->handle);
}

static int take(float **out, int wanted, int64_t values)
{
    *out = wanted ? mdm_need((size_t)values, sizeof **out, "what a solver looks back at") : NULL;
    return wanted && !*out ? MASKDM_ENOMEM : MASKDM_OK;
}

static int take_all(maskdm_solver *s, int64_t batch, int64_t values)
{
    const struct mdm_method *m = &s->method;

    if (m->threshold > 0)
        s->limit = mdm_need((size_t)batch, sizeof *s->limit, "limits of the images of a solver");
    if (m->threshold > 0 && !s->limit)
        return MASKDM_ENOMEM;
    MDM_TRY(take(&s->start, m->keeps, values));
    MDM_TRY(take(&s->x0, m->looks_back > 0, values));
    for (int k = 0; k < MDM_BEFORE; k++)
        MDM_TRY(take(&s->before[k], k < m->looks_back, values));
    return MASKDM_OK;
}

int mdm_solver_begin(maskdm_solver *s, int64_t batch, int64_t n, float *x)
{
    const struct mdm_method *m = &s->method;
    const int64_t values = batch * n;

    if (values != s->values || batch != s->batch) {
        int status;

        free_memory(s);
        status = take_all(s, batch, values);
        if (status < 0) {
            free_memory(s);
            return status;
        }
    }
    s->batch = batch;
    s->values = values;
    s->done = 0;
    s->ready = 0;
    if (m->start != 1)
        mdm_mix_on_host(&(struct mdm_mix){.n = values, .count = 1, .x = {x}, .a = {m->start}, .y = x});
    return MASKDM_OK;
}

int mdm_solver_takes_noise(const maskdm_solver *s)
{
    struct mdm_evaluation e;

    if (s->done == s->method.evaluations)
        return 0;
    e = mdm_method_evaluation(&s->method, s->done);
    return mdm_evaluation_is_noisy(&e);
}

static int need_noise(const struct mdm_evaluation *e, double factor, const float *noise)
{
    if (factor == 0 || noise)
        return MASKDM_OK;
    return mdm_fail(MASKDM_EINVAL, "the solver's evaluation at time %g needs noise, not NULL", e->at.time);
}

static int check(const maskdm_solver *s, int ready)
{
    if (s->values == 0)
        return mdm_fail(MASKDM_EINVAL, "the solver was not begun");
    if (s->done == s->method.evaluations)
        return mdm_fail(MASKDM_EINVAL, "all %lld evaluations of the solver are done", (long long)s->done);
    if (s->ready != ready)
        return mdm_fail(MASKDM_EINVAL, "evaluation %lld of the solver awaits its %s", (long long)s->done,
                        s->ready ? "step" : "input");
    return MASKDM_OK;
}

int mdm_solver_input(maskdm_solver *s, float *x, const float *noise, float *input, double *time)
{
    struct mdm_evaluation e;
    struct mdm_facts f;

    MDM_TRY(check(s, 0));
    e = mdm_method_evaluation(&s->method, s->done);
    MDM_TRY(need_noise(&e, e.before_z, noise));
    f = mdm_scheduler_facts(s->scheduler, e.at.time);
    if (e.before_z != 0)
        mdm_mix_on_host(
            &(struct mdm_mix){.n = s->values, .count = 2, .x = {x, noise}, .a = {e.before_x, e.before_z}, .y = x});
    if (input)
        mdm_mix_on_host(&(struct mdm_mix){.n = s->values, .count = 1, .x = {x}, .a = {f.input_scale}, .y = input});
    if (time)
        *time = f.network_time;
    s->ready = 1;
    return MASKDM_OK;
}

double mdm_solver_guidance(const maskdm_solver *s)
{
    if (s->done == s->method.evaluations)
        return 1;
    return mdm_guidance_at(&s->guidance, mdm_method_evaluation(&s->method, s->done).at.level);
}

int mdm_solver_guide(const maskdm_solver *s, int64_t channels, float *prediction, const float *weaker)
{
    const double scale = mdm_solver_guidance(s);
    struct mdm_mix job;

    MDM_TRY(check(s, 1));
    if (channels < 1 || s->values % channels)
        return mdm_fail(MASKDM_EINVAL, "%lld values are no pixels of %lld channels", (long long)s->values,
                        (long long)channels);
    MDM_TRY(mdm_guidance_check(&s->guidance, channels, "guidance_channels"));
    job = mdm_guidance_job(&s->guidance, scale, s->values, channels, prediction, weaker);
    if (scale != 1)
        mdm_mix_on_host(&job);
    return MASKDM_OK;
}

int mdm_solver_set_variance(maskdm_solver *s, const float *says)
{
    MDM_TRY(check(s, 1));
    if (!s->method.learned_variance)
        return mdm_fail(MASKDM_EINVAL, "%s has no use for a variance here; it takes variance=learned_range of ddpm",
                        s->method.kind->name);
    s->variance = says;
    return MASKDM_OK;
}

int mdm_solver_step(maskdm_solver *s, float *x, const float *prediction, const float *noise, float *x0)
{
    struct mdm_evaluation e;
    struct mdm_solve job;

    MDM_TRY(check(s, 1));
    e = mdm_method_evaluation(&s->method, s->done);
    MDM_TRY(need_noise(&e, e.next.z, noise));
    if (s->method.learned_variance && e.next.z != 0 && !s->variance)
        return mdm_fail(MASKDM_EINVAL, "step %lld needs what the network says of its variance", (long long)e.step);
    job = mdm_method_job(&s->method, &e);
    job.spread = s->variance;
    job.n = s->values;
    job.x = x;
    job.f = prediction;
    job.z = noise;
    job.start = s->start;
    for (int k = 0; k < MDM_BEFORE; k++)
        job.before[k] = s->before[k];
    job.x0 = s->x0 ? s->x0 : x0;
    if (s->limit) {
        mdm_quantile_on_host(&(struct mdm_quantile){.batch = s->batch,
                                                    .n = s->values / s->batch,
                                                    .clean_x = job.clean_x,
                                                    .clean_f = job.clean_f,
                                                    .share = s->method.threshold,
                                                    .x = x,
                                                    .f = prediction,
                                                    .out = s->limit});
        mdm_method_limits(&s->method, s->batch, s->limit);
        job.limit = s->limit;
        job.image = s->values / s->batch;
    }
    mdm_solve_on_host(&job);
    if (s->x0 && x0)
        memcpy(x0, s->x0, (size_t)s->values * sizeof *x0);
    mdm_method_turn(&s->method, &s->x0, s->before);
    s->done++;
    s->ready = 0;
    s->variance = NULL;
    return MASKDM_OK;
}
