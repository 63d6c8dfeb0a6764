/* SPDX-License-Identifier: BSD-2-Clause
 *
 * AdamW over one block (Loshchilov and Hutter 2019, as PyTorch computes it), after clipping by the global norm.
 */
#include "train/optimizer.h"

#include "train/options.h"
#include "util/alloc.h"
#include "util/error.h"

#include <float.h>
#include <math.h>
#include <string.h>

static void read_options(maskdm_optimizer *o)
{
    o->lr = maskdm_optionset_float(o->options, "lr");
    o->beta1 = maskdm_optionset_float(o->options, "beta1");
    o->beta2 = maskdm_optionset_float(o->options, "beta2");
    o->eps = maskdm_optionset_float(o->options, "eps");
    o->weight_decay = maskdm_optionset_float(o->options, "weight_decay");
    o->clip = maskdm_optionset_float(o->options, "clip_norm");
    o->warmup = maskdm_optionset_int(o->options, "warmup_steps");
    o->rule.decay = maskdm_optionset_float(o->ema_options, "decay");
    o->rule.on = o->rule.decay > 0;
    o->rule.start = maskdm_optionset_int(o->ema_options, "start");
    o->rule.every = maskdm_optionset_int(o->ema_options, "every");
    o->rule.inv_gamma = maskdm_optionset_float(o->ema_options, "inv_gamma");
    o->rule.power = maskdm_optionset_float(o->ema_options, "power");
}

static void destroy(void *object)
{
    maskdm_optimizer *o = object;

    maskdm_adamw_unbind(o);
    maskdm_optionset_release(&o->options);
    maskdm_optionset_release(&o->ema_options);
    maskdm_free(o);
}

static const struct maskdm_handle_kind kind = {"optimizer", destroy};

int maskdm_adamw_create(maskdm_optimizer **out, const maskdm_options *options, const maskdm_options *ema)
{
    maskdm_optimizer *o = maskdm_need(1, sizeof *o, "an optimizer");
    int status;

    *out = NULL;
    if (!o)
        return MASKDM_ENOMEM;
    maskdm_handle_init(&o->handle, &kind);
    o->grad_norm = (double)NAN;
    status = maskdm_optionset_extract(&o->options, options, &maskdm_optimizer_kind);
    if (status == MASKDM_OK)
        status = maskdm_optionset_extract(&o->ema_options, ema, &maskdm_ema_kind);
    if (status < 0) {
        maskdm_adamw_drop(&o);
        return status;
    }
    read_options(o);
    *out = o;
    return MASKDM_OK;
}

void maskdm_adamw_hold(maskdm_optimizer *o)
{
    maskdm_handle_hold(&o->handle);
}

void maskdm_adamw_drop(maskdm_optimizer **optimizer)
{
    maskdm_optimizer *o = *optimizer;

    *optimizer = NULL;
    if (o)
        maskdm_handle_drop(&o->handle);
}

size_t maskdm_adamw_bytes(const maskdm_optimizer *o, size_t length)
{
    return (o->rule.on ? 3 : 2) * length * sizeof(float);
}

int maskdm_adamw_bind(maskdm_optimizer *o, struct maskdm_handle *owner, maskdm_device *device, size_t length,
                      float *weights, float *gradients)
{
    size_t bytes = length * sizeof(float);
    void *memory[3] = {0};
    int status = MASKDM_OK;

    if (o->device)
        return maskdm_fail(MASKDM_EINVAL, "the optimizer is bound to another trainer");
    for (int i = 0; i < (o->rule.on ? 3 : 2) && status == MASKDM_OK; i++)
        status = maskdm_device_alloc(device, &memory[i], bytes, 1, "the optimizer's moments and average");
    if (status < 0) {
        for (int i = 0; i < 3; i++)
            if (memory[i])
                maskdm_device_free(device, memory[i], bytes);
        return status;
    }
    maskdm_device_hold(device);
    o->device = device;
    o->owner = owner;
    o->length = length;
    o->weights = weights;
    o->gradients = gradients;
    o->moment1 = memory[0];
    o->moment2 = memory[1];
    o->ema = memory[2];
    if (o->ema)
        memcpy(o->ema, weights, bytes);
    o->steps = o->applied = o->ema_updates = 0;
    o->last_skipped = o->torn = 0;
    o->grad_norm = (double)NAN;
    return MASKDM_OK;
}

void maskdm_adamw_unbind(maskdm_optimizer *o)
{
    float **block[] = {&o->moment1, &o->moment2, &o->ema};

    if (!o->device)
        return;
    for (size_t i = 0; i < MASKDM_LENGTH(block); i++) {
        if (*block[i])
            maskdm_device_free(o->device, *block[i], o->length * sizeof(float));
        *block[i] = NULL;
    }
    o->weights = o->gradients = NULL;
    o->owner = NULL;
    maskdm_device_drop(&o->device);
}

int maskdm_adamw_check(const maskdm_optimizer *o)
{
    if (!o->weights)
        return maskdm_fail(MASKDM_EINVAL, "the optimizer is not bound to a trainer");
    if (o->torn)
        return maskdm_fail(MASKDM_EINVAL, "an update broke off half-way; load a state of the trainer first");
    return MASKDM_OK;
}

double maskdm_adamw_lr(const maskdm_optimizer *o, int64_t step)
{
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

int maskdm_adamw_step(maskdm_optimizer *o, int with_ema, int skip)
{
    struct maskdm_backend *b;
    struct maskdm_adamw a = {.n = o->length,
                             .w = o->weights,
                             .g = o->gradients,
                             .m = o->moment1,
                             .v = o->moment2,
                             .ema = with_ema ? o->ema : NULL,
                             .lr = maskdm_adamw_lr(o, o->steps),
                             .beta1 = o->beta1,
                             .beta2 = o->beta2,
                             .eps = o->eps,
                             .weight_decay = o->weight_decay};
    double squares = 0;
    int status;

    MASKDM_TRY(maskdm_adamw_check(o));
    b = maskdm_device_backend(o->device);
    MASKDM_TRY(maskdm_device_enter(o->device));
    status = b->v->sum_squares(b, &squares, o->gradients, o->length);
    if (status == MASKDM_OK && (skip || !fits_moments(o, squares))) {
        status = b->v->fill(b, o->gradients, 0, o->length * sizeof(float));
        skip = 1;
    } else if (status == MASKDM_OK) {
        o->grad_norm = sqrt(squares);
        a.grad_scale = clip_factor(o, o->grad_norm);
        a.bias1 = 1 - pow(o->beta1, (double)(o->applied + 1));
        a.bias2 = 1 - pow(o->beta2, (double)(o->applied + 1));
        a.ema_mode = a.ema ? maskdm_ema_mode(&o->rule, o->ema_updates, &a.ema_decay) : 0;
        if (!a.ema_mode)
            a.ema = NULL;
        status = b->v->adamw(b, &a);
        o->torn = status < 0 && status != MASKDM_EBUSY; /* which is before it began */
    }
    maskdm_device_leave(o->device);
    MASKDM_TRY(status);
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
