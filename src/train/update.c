/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One step of an optimizer: the norm of the gradients, clipping, the update, and the averages.
 */
#include "train/optimizer.h"

#include "base/error.h"

#include <float.h>
#include <math.h>

/* Beyond max_norm, gradients are scaled as torch.nn.utils.clip_grad_norm_ does it. */
static double clip_factor(const maskdm_optimizer *o, double norm)
{
    double factor = o->clip > 0 ? o->clip / (norm + 1e-6) : 1;

    return factor < 1 ? factor : 1;
}

/* Whether the second moment can hold the squares of the gradients as they are applied: a moment that overflows would
 * freeze its weight for good, in a state that no file may hold. */
static int fits_moments(const maskdm_optimizer *o, double squares)
{
    double factor;

    if (!isfinite(squares))
        return 0;
    factor = clip_factor(o, sqrt(squares));
    return squares * factor * factor < (double)FLT_MAX;
}

static int is_frozen(const struct mdm_run_of *run)
{
    return run->group && run->group->lr_factor == 0;
}

/* Of the gradients of what is trained. */
static int sum_squares(const maskdm_optimizer *o, struct mdm_backend *b, double *squares)
{
    *squares = 0;
    for (struct mdm_run_of run = {0}; mdm_optimizer_run(o, &run);) {
        double part;

        if (is_frozen(&run))
            continue;
        MDM_TRY(b->v->sum_squares(b, &part, o->gradients + run.from, run.end - run.from));
        *squares += part;
    }
    return MASKDM_OK;
}

/* What stays as it is has its gradients set to zero and its average moved, as the others have. */
static int pass_over(struct mdm_backend *b, const struct mdm_optimizer *a)
{
    MDM_TRY(b->v->fill(b, a->g, 0, a->n * sizeof *a->g));
    return a->ema ? b->v->ema(b, a->ema, a->w, a->n, a->ema_mode, a->ema_decay) : MASKDM_OK;
}

static int update(const maskdm_optimizer *o, struct mdm_backend *b, const struct mdm_optimizer *whole)
{
    for (struct mdm_run_of run = {.adamw = 1}; mdm_optimizer_run(o, &run);) {
        struct mdm_optimizer a = *whole;

        a.n = run.end - run.from;
        a.w += run.from;
        a.g += run.from;
        a.m += run.from;
        a.v += run.from;
        if (a.ema)
            a.ema += run.from;
        if (run.group) {
            a.lr *= run.group->lr_factor;
            if (!isnan(run.group->weight_decay))
                a.weight_decay = run.group->weight_decay;
        }
        MDM_TRY(is_frozen(&run) ? pass_over(b, &a) : b->v->adamw(b, &a));
    }
    return o->kind->update ? o->kind->update(o, b, whole->lr, whole->grad_scale) : MASKDM_OK;
}

/* Average `width` as update s of it is. */
static int move_average(const maskdm_optimizer *o, struct mdm_backend *b, int width, int64_t s)
{
    float *average = mdm_optimizer_average(o, width);
    double decay;
    const int mode = mdm_ema_mode(&o->rule, width, s, &decay);

    for (size_t at = 0, from; mode && mdm_params_trained(o->layout, &at, &from);)
        MDM_TRY(b->v->ema(b, average + from, o->weights + from, at - from, mode, decay));
    return MASKDM_OK;
}

static int move_averages(const maskdm_optimizer *o, struct mdm_backend *b, int first)
{
    for (int width = first; width < o->rule.widths; width++)
        MDM_TRY(move_average(o, b, width, o->ema_updates));
    return MASKDM_OK;
}

/* The first average goes along with AdamW where that moves everything. */
static void fuse_average(const maskdm_optimizer *o, struct mdm_optimizer *a, int with_ema)
{
    a->ema = with_ema && !o->kind->takes ? o->ema : NULL;
    a->ema_mode = a->ema ? mdm_ema_mode(&o->rule, 0, o->ema_updates, &a->ema_decay) : MDM_EMA_STAYS;
    if (!a->ema_mode)
        a->ema = NULL;
}

int mdm_optimizer_measure(maskdm_optimizer *o, double *squares)
{
    int status;

    MDM_TRY(mdm_optimizer_check(o));
    MDM_TRY(mdm_device_enter(o->device));
    status = sum_squares(o, mdm_device_backend(o->device), squares);
    mdm_device_leave(o->device);
    return status;
}

int mdm_optimizer_apply(maskdm_optimizer *o, int with_ema, int skip, double squares)
{
    struct mdm_backend *b;
    struct mdm_optimizer a = {.w = o->weights,
                              .g = o->gradients,
                              .m = o->moment1,
                              .v = o->moment2,
                              .lr = mdm_optimizer_lr(o, o->steps),
                              .beta1 = o->beta1,
                              .beta2 = o->beta2,
                              .eps = o->eps,
                              .weight_decay = o->weight_decay};
    int status;

    MDM_TRY(mdm_optimizer_check(o));
    b = mdm_device_backend(o->device);
    MDM_TRY(mdm_device_enter(o->device));
    if (skip || !fits_moments(o, squares)) {
        status = b->v->fill(b, o->gradients, 0, o->length * sizeof(float));
        skip = 1;
    } else {
        o->grad_norm = sqrt(squares);
        a.grad_scale = clip_factor(o, o->grad_norm);
        a.bias1 = 1 - pow(o->beta1, (double)(o->applied + 1));
        a.bias2 = 1 - pow(o->beta2, (double)(o->applied + 1));
        fuse_average(o, &a, with_ema);
        status = update(o, b, &a);
        if (status == MASKDM_OK && with_ema)
            status = move_averages(o, b, a.ema ? 1 : 0);
        o->torn = status < 0 && status != MASKDM_EBUSY; /* which is before it began */
    }
    mdm_device_leave(o->device);
    MDM_TRY(status);
    o->steps++;
    o->last_skipped = skip;
    if (skip) {
        o->grad_norm = sqrt(squares);
        return MASKDM_OK;
    }
    o->applied++;
    o->ema_updates += with_ema && o->ema;
    return MASKDM_OK;
}

int mdm_optimizer_step(maskdm_optimizer *o, int with_ema, int skip)
{
    double squares;

    MDM_TRY(mdm_optimizer_measure(o, &squares));
    return mdm_optimizer_apply(o, with_ema, skip, squares);
}

int mdm_optimizer_update_ema(maskdm_optimizer *o)
{
    int status;

    MDM_TRY(mdm_optimizer_check(o));
    if (!o->ema || o->last_skipped)
        return MASKDM_OK;
    MDM_TRY(mdm_device_enter(o->device));
    status = move_averages(o, mdm_device_backend(o->device), 0);
    mdm_device_leave(o->device);
    o->torn = status < 0 && status != MASKDM_EBUSY; /* which is before it began */
    if (status == MASKDM_OK)
        o->ema_updates++;
    return status;
}
