/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What happens between two steps: what is known of an image is put in its place, with as much noise as x has there
 * (Lugmayr et al. 2022, eq. 8), the host may look at x and change it, and where stretches are done more than once, x
 * goes back. All of it on memory of the host: against a network's evaluation it costs next to nothing.
 */
#include "base/error.h"
#include "sample/hole.h"
#include "sample/job.h"

#include <math.h>

/* Signal and noise of x before a step, and of the image behind the last, whatever little noise a solver stops at. */
static struct mdm_level level_before(const maskdm_sampler *s, int64_t step)
{
    return step == s->method.steps ? (struct mdm_level){1, 0} : s->method.way[step].from.level;
}

static int transfer(maskdm_sampler *s, const struct mdm_job *j, float *host, float *device, int up)
{
    struct mdm_backend *b = mdm_device_backend(s->device);
    const size_t bytes = (size_t)(j->batch * j->n) * sizeof *host;
    int status;

    MDM_TRY(mdm_device_enter(s->device));
    status = up ? b->v->upload(b, device, host, bytes) : b->v->download(b, host, device, bytes);
    mdm_device_leave(s->device);
    return status;
}

/* The known pixels of x in host memory at a level of noise. */
static void hold(const maskdm_sampler *s, const struct mdm_job *j, struct mdm_level at, float *x)
{
    for (int64_t i = 0; i < j->batch; i++) {
        if (at.noise != 0)
            mdm_job_normals(s, j, i, MDM_DRAW_KNOWN, j->walk.done, s->hole->noise);
        mdm_hole_hold(s->hole, j->first + i, at, x + i * j->n);
    }
}

/* What the network does not see, while there is something left to predict. */
static void blank(const maskdm_sampler *s, const struct mdm_job *j, struct mdm_level at)
{
    for (int64_t i = 0; at.noise != 0 && i < j->batch; i++)
        mdm_hole_blank(s->hole, s->seen + i * j->n);
}

static int call_host(maskdm_sampler *s, struct mdm_job *j, struct mdm_level at)
{
    const struct maskdm_step step = {.struct_size = sizeof step,
                                     .step = j->walk.done,
                                     .steps = j->walk.done + mdm_walk_left(j->walk),
                                     .first = j->first,
                                     .count = j->batch,
                                     .values = j->n,
                                     .signal = at.signal,
                                     .noise = at.noise,
                                     .x = s->seen,
                                     .x0 = s->shown};

    MDM_TRY(transfer(s, j, s->shown, s->x0, 0));
    if (s->hole)
        hold(s, j, (struct mdm_level){1, 0}, s->shown);
    return s->step(s->step_user, &step) ? mdm_fail(MASKDM_ECANCELED, "the step callback cancelled sampling")
                                        : MASKDM_OK;
}

/* A solver that corrects a step in the next one does not look at x again but at what it kept before that step: there
 * the host's change counts as it does in x. Nothing is changed by what is equal. */
static int shift_kept(maskdm_sampler *s, const struct mdm_job *j, int64_t step)
{
    struct mdm_backend *b = mdm_device_backend(s->device);
    struct mdm_evaluation e;
    struct mdm_mix mix = {.n = j->batch * j->n, .count = 3, .x = {s->spare, s->x, s->start}, .y = s->start};
    int status;

    if (step == s->method.steps)
        return MASKDM_OK;
    e = mdm_method_evaluation(&s->method, mdm_method_first(&s->method, step));
    if (e.kept.start == 0)
        return MASKDM_OK;
    mix.a[0] = 1 / e.kept.start;
    mix.a[1] = -mix.a[0];
    mix.a[2] = 1;
    MDM_TRY(transfer(s, j, s->seen, s->spare, 1));
    MDM_TRY(mdm_device_enter(s->device));
    status = b->v->mix(b, &mix);
    mdm_device_leave(s->device);
    return status;
}

int mdm_job_between(maskdm_sampler *s, struct mdm_job *j, int64_t step)
{
    const struct mdm_level at = level_before(s, step);

    if (!s->hole && !s->step)
        return MASKDM_OK;
    MDM_TRY(transfer(s, j, s->seen, s->x, 0));
    if (s->hole)
        hold(s, j, at, s->seen);
    if (s->step && j->walk.done) {
        MDM_TRY(call_host(s, j, at));
        MDM_TRY(shift_kept(s, j, step));
    }
    if (s->hole)
        blank(s, j, at);
    return transfer(s, j, s->seen, s->x, 1);
}

int mdm_job_within(maskdm_sampler *s, struct mdm_job *j, struct mdm_level at)
{
    if (!s->hole)
        return MASKDM_OK;
    MDM_TRY(transfer(s, j, s->seen, s->x, 0));
    hold(s, j, at, s->seen);
    blank(s, j, at);
    return transfer(s, j, s->seen, s->x, 1);
}

int mdm_job_back(maskdm_sampler *s, struct mdm_job *j, int64_t step, int64_t earlier)
{
    struct mdm_backend *b = mdm_device_backend(s->device);
    const struct mdm_level from = level_before(s, step), to = level_before(s, earlier);
    const double kept = to.signal / from.signal, had = kept * from.noise;
    const struct mdm_mix mix = {.n = j->batch * j->n,
                                .count = 2,
                                .x = {s->x, s->spare},
                                .a = {kept, sqrt(fmax(0, to.noise * to.noise - had * had))},
                                .y = s->x};
    int status;

    MDM_TRY(mdm_device_enter(s->device));
    status = mdm_job_draw(s, j, MDM_DRAW_BACK, j->walk.done, s->spare);
    if (status == MASKDM_OK)
        status = b->v->mix(b, &mix);
    mdm_device_leave(s->device);
    return status < 0 ? status : mdm_job_within(s, j, to);
}
