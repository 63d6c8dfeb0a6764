/* SPDX-License-Identifier: BSD-2-Clause
 *
 * AdamW over one block (Loshchilov and Hutter 2019, as PyTorch computes it), after clipping by the global norm.
 */
#include "train/optimizer.h"

#include "base/alloc.h"
#include "base/error.h"
#include "train/options.h"

#include <float.h>
#include <math.h>

static void read_options(maskdm_optimizer *o)
{
    struct mdm_optimizer_options told;
    struct mdm_ema_options ema;

    mdm_options_read(o->options, &mdm_optimizer_options, &told);
    mdm_options_read(o->ema_options, &mdm_ema_options, &ema);
    o->lr = told.lr;
    o->beta1 = told.beta1;
    o->beta2 = told.beta2;
    o->eps = told.eps;
    o->weight_decay = told.weight_decay;
    o->clip = told.clip_norm;
    o->warmup = told.warmup_steps;
    o->rule = (struct mdm_ema_rule){ema.decay > 0, ema.decay, ema.inv_gamma, ema.power, ema.start, ema.every};
}

static void destroy(void *object)
{
    maskdm_optimizer *o = object;

    mdm_optimizer_unbind(o);
    mdm_host_rules_free(&o->host);
    mdm_options_release(&o->options);
    mdm_options_release(&o->ema_options);
    mdm_free(o);
}

static const struct mdm_handle_kind kind = {"optimizer", destroy};

int mdm_optimizer_create(maskdm_optimizer **out, const maskdm_options *options, const maskdm_options *ema)
{
    maskdm_optimizer *o = mdm_need(1, sizeof *o, "an optimizer");
    int status;

    *out = NULL;
    if (!o)
        return MASKDM_ENOMEM;
    mdm_handle_init(&o->handle, &kind);
    o->grad_norm = o->host.lr = (double)NAN;
    status = mdm_options_extract(&o->options, options, &mdm_optimizer_kind);
    if (status == MASKDM_OK)
        status = mdm_options_extract(&o->ema_options, ema, &mdm_ema_kind);
    if (status < 0) {
        mdm_optimizer_drop(&o);
        return status;
    }
    read_options(o);
    *out = o;
    return MASKDM_OK;
}

void mdm_optimizer_hold(maskdm_optimizer *o)
{
    mdm_handle_hold(&o->handle);
}

void mdm_optimizer_drop(maskdm_optimizer **optimizer)
{
    maskdm_optimizer *o = *optimizer;

    *optimizer = NULL;
    if (o)
        mdm_handle_drop(&o->handle);
}

int mdm_optimizer_blocks(int with_ema)
{
    return with_ema ? 3 : 2;
}

int mdm_optimizer_bind(maskdm_optimizer *o, struct mdm_handle *owner, maskdm_device *device,
                       const struct mdm_params *layout, float *weights, float *gradients)
{
    size_t bytes = layout->length * sizeof(float);
    void *memory[3] = {0};
    int status = MASKDM_OK;

    if (o->device)
        return mdm_fail(MASKDM_EINVAL, "the optimizer is bound to another trainer");
    for (int i = 0; i < 2 && status == MASKDM_OK; i++)
        status = mdm_device_alloc(device, &memory[i], bytes, 1, "the optimizer's moments");
    if (status == MASKDM_OK && o->rule.on)
        status = mdm_device_alloc(device, &memory[2], bytes, 0, "the optimizer's average");
    if (status == MASKDM_OK && o->rule.on)
        status = mdm_device_copy(device, memory[2], weights, bytes);
    if (status < 0) {
        for (int i = 0; i < 3; i++)
            if (memory[i])
                mdm_device_free(device, memory[i], bytes);
        return status;
    }
    mdm_device_hold(device);
    o->device = device;
    o->owner = owner;
    o->length = layout->length;
    o->layout = layout;
    o->weights = weights;
    o->gradients = gradients;
    o->moment1 = memory[0];
    o->moment2 = memory[1];
    o->ema = memory[2];
    o->steps = o->applied = o->ema_updates = 0;
    o->last_skipped = o->torn = 0;
    o->grad_norm = (double)NAN;
    return MASKDM_OK;
}

void mdm_optimizer_unbind(maskdm_optimizer *o)
{
    float **block[] = {&o->moment1, &o->moment2, &o->ema};

    if (!o->device)
        return;
    for (size_t i = 0; i < MDM_LENGTH(block); i++) {
        if (*block[i])
            mdm_device_free(o->device, *block[i], o->length * sizeof(float));
        *block[i] = NULL;
    }
    o->weights = o->gradients = NULL;
    o->layout = NULL;
    o->owner = NULL;
    mdm_device_drop(&o->device);
}

int mdm_optimizer_check(const maskdm_optimizer *o)
{
    if (!o->weights)
        return mdm_fail(MASKDM_EINVAL, "the optimizer is not bound to a trainer");
    if (o->torn)
        return mdm_fail(MASKDM_EINVAL, "an update broke off half-way; load a state of the trainer first");
    return MASKDM_OK;
}

double mdm_optimizer_lr(const maskdm_optimizer *o, int64_t step)
{
    if (!isnan(o->host.lr))
        return o->host.lr;
    return step < o->warmup ? o->lr * ((double)step / (double)o->warmup) : o->lr;
}

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
    for (struct mdm_run_of run = {0}; mdm_optimizer_run(o, &run);) {
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
    return MASKDM_OK;
}

int mdm_optimizer_step(maskdm_optimizer *o, int with_ema, int skip)
{
    struct mdm_backend *b;
    struct mdm_optimizer a = {.w = o->weights,
                              .g = o->gradients,
                              .m = o->moment1,
                              .v = o->moment2,
                              .ema = with_ema ? o->ema : NULL,
                              .lr = mdm_optimizer_lr(o, o->steps),
                              .beta1 = o->beta1,
                              .beta2 = o->beta2,
                              .eps = o->eps,
                              .weight_decay = o->weight_decay};
    double squares = 0;
    int status;

    MDM_TRY(mdm_optimizer_check(o));
    b = mdm_device_backend(o->device);
    MDM_TRY(mdm_device_enter(o->device));
    status = sum_squares(o, b, &squares);
    if (status == MASKDM_OK && (skip || !fits_moments(o, squares))) {
        status = b->v->fill(b, o->gradients, 0, o->length * sizeof(float));
        skip = 1;
    } else if (status == MASKDM_OK) {
        o->grad_norm = sqrt(squares);
        a.grad_scale = clip_factor(o, o->grad_norm);
        a.bias1 = 1 - pow(o->beta1, (double)(o->applied + 1));
        a.bias2 = 1 - pow(o->beta2, (double)(o->applied + 1));
        a.ema_mode = a.ema ? mdm_ema_mode(&o->rule, o->ema_updates, &a.ema_decay) : 0;
        if (!a.ema_mode)
            a.ema = NULL;
        status = update(o, b, &a);
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

static int update_ema(const maskdm_optimizer *o, int mode, double decay)
{
    struct mdm_backend *b = mdm_device_backend(o->device);

    for (size_t at = 0, from; mdm_params_trained(o->layout, &at, &from);)
        MDM_TRY(b->v->ema(b, o->ema + from, o->weights + from, at - from, mode, decay));
    return MASKDM_OK;
}

int mdm_optimizer_update_ema(maskdm_optimizer *o)
{
    double decay;
    int mode, status = MASKDM_OK;

    MDM_TRY(mdm_optimizer_check(o));
    if (!o->ema || o->last_skipped)
        return MASKDM_OK;
    mode = mdm_ema_mode(&o->rule, o->ema_updates, &decay);
    if (mode) {
        MDM_TRY(mdm_device_enter(o->device));
        status = update_ema(o, mode, decay);
        mdm_device_leave(o->device);
        o->torn = status < 0 && status != MASKDM_EBUSY; /* which is before it began */
    }
    if (status == MASKDM_OK)
        o->ema_updates++;
    return status;
}
