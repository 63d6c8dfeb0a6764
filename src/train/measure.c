/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How long forward and backward take, and would on whole images: the rest of a step is the same for both. What the
 * images are makes no difference to that, so that they are zeros here.
 */
#include "train/trainer.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"

enum { ROUNDS = 5 };
static const double enough = 0.5; /* seconds */

/* 0, 1, ... for every row. */
static int32_t *count_up(int32_t *out, int64_t rows, int64_t each)
{
    for (int64_t i = 0; i < rows * each; i++)
        *out++ = (int32_t)(i % each);
    return out;
}

static int32_t *make_index(const struct mdm_extent *e)
{
    int32_t *out = mdm_need((size_t)e->batch, (size_t)e->visible * sizeof *out, "indices");

    if (out)
        count_up(out, e->batch, e->visible);
    return out;
}

static int32_t *make_keep(const struct mdm_extent *e)
{
    int32_t *out = mdm_need((size_t)mdm_extent_kept(e) + 1, sizeof *out, "tokens of routes"), *at = out;

    for (int i = 0; at && i < MDM_MOST_ROUTES; i++)
        at = count_up(at, e->batch, e->routed[i]);
    return out;
}

/* No path is dropped: most of the images have none dropped. */
static int fill(struct mdm_program *p)
{
    struct mdm_backend *b = p->graph.backend;
    const struct mdm_extent e = p->extent;
    int32_t *index = make_index(&e), *keep = make_keep(&e);
    int32_t *dropped = mdm_need((size_t)e.batch, sizeof *dropped, "paths");
    double *times = mdm_need((size_t)e.batch, sizeof *times, "times");
    int status = index && keep && dropped && times ? MASKDM_OK : MASKDM_ENOMEM;

    if (status == MASKDM_OK)
        status = b->v->fill(b, mdm_program_input(p), 0, (size_t)(e.batch * p->image_values) * sizeof(float));
    if (status == MASKDM_OK)
        status = mdm_program_set(p, mdm_program_input(p), times, NULL, index);
    if (status == MASKDM_OK)
        status = mdm_program_set_kept(p, keep);
    if (status == MASKDM_OK)
        status = mdm_program_set_dropped(p, dropped);
    mdm_free(times);
    mdm_free(dropped);
    mdm_free(keep);
    mdm_free(index);
    return status;
}

static int run(maskdm_trainer *tr, struct mdm_program *p)
{
    struct mdm_backend *b = p->graph.backend;
    const atomic_int *cancel = mdm_control_cancel_flag(tr->control);

    MDM_TRY(mdm_program_forward(p, tr->weights, cancel));
    MDM_TRY(b->v->fill(b, mdm_program_output_gradient(p), 0,
                       (size_t)(p->extent.batch * p->output_values) * sizeof(float)));
    MDM_TRY(mdm_program_backward(p, tr->weights, tr->gradients, cancel));
    return b->v->wait(b);
}

/* The shortest of a few, behind one that brings the memory in. */
static int time_passes(double *seconds, maskdm_trainer *tr, struct mdm_program *p)
{
    double all = 0;

    MDM_TRY(fill(p));
    MDM_TRY(run(tr, p));
    for (int i = 0; i < ROUNDS && (i < 2 || all < enough); i++) {
        const double began = mdm_clock();
        double taken;

        MDM_TRY(run(tr, p));
        taken = mdm_clock() - began;
        *seconds = i && *seconds < taken ? *seconds : taken;
        all += taken;
    }
    *seconds *= (double)tr->pace.accumulate;
    return MASKDM_OK;
}

static int time_both(double *now, double *whole, maskdm_trainer *tr)
{
    const struct mdm_extent e = {.batch = tr->images, .visible = tr->model->geometry.patches};
    struct mdm_program *p;
    int status;

    MDM_TRY(mdm_program_create(&p, tr->model, e, MDM_PROGRAM_TRAIN));
    status = mdm_device_enter(tr->device);
    if (status == MASKDM_OK) {
        status = time_passes(now, tr, tr->program);
        if (status == MASKDM_OK)
            status = time_passes(whole, tr, p);
        mdm_device_leave(tr->device);
    }
    mdm_program_release(&p);
    return status;
}

int mdm_trainer_measure(maskdm_trainer *tr, double *now, double *whole)
{
    struct mdm_failure why;
    int status;

    if (tr->stage != MDM_STAGE_EMPTY)
        return mdm_fail(MASKDM_EINVAL, "passes are measured between two steps, not within one");
    status = time_both(now, whole, tr);
    if (status == MASKDM_ECANCELED)
        status = mdm_control_canceled(tr->control, "measuring");
    mdm_failure_take(&why, status);
    MDM_TRY(mdm_trainer_zero_gradients(tr));
    return mdm_failure_record(&why);
}
