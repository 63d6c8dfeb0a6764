/* SPDX-License-Identifier: BSD-2-Clause
 *
 * AdamW over one block (Loshchilov and Hutter 2019, as PyTorch computes it), after clipping by the global norm.
 */
#include "train/optimizer.h"

#include "base/alloc.h"
#include "base/error.h"

#include <math.h>

enum { MOMENTS = 2 };

static int read_options(maskdm_optimizer *o)
{
    struct mdm_optimizer_options told;

    mdm_options_read(o->options, &mdm_optimizer_options, &told);
    o->lr = told.lr;
    o->beta1 = told.beta1;
    o->beta2 = told.beta2;
    o->eps = told.eps;
    o->weight_decay = told.weight_decay;
    o->clip = told.clip_norm;
    o->kind = mdm_optimizer_class_at(told.optimizer);
    MDM_TRY(mdm_ema_read(&o->rule, o->ema_options));
    MDM_TRY(mdm_lr_read(&o->rate, o->options));
    return o->kind->read ? o->kind->read(o, &told) : MASKDM_OK;
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
    if (status == MASKDM_OK)
        status = read_options(o);
    if (status < 0) {
        mdm_optimizer_drop(&o);
        return status;
    }
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

int mdm_optimizer_blocks(int averages)
{
    return MOMENTS + averages;
}

float *mdm_optimizer_average(const maskdm_optimizer *o, int width)
{
    return width >= o->rule.widths ? NULL : width ? o->further[width - 1] : o->ema;
}

int mdm_optimizer_share(struct mdm_optimizer_share *out, const maskdm_optimizer *o)
{
    if (o->kind->share)
        o->kind->share(out, o);
    return o->kind->share != NULL;
}

size_t mdm_optimizer_bytes(const maskdm_optimizer *o, maskdm_device *device, const struct mdm_params *layout)
{
    return o->kind->bytes ? o->kind->bytes(o, device, layout) : 0;
}

/* Where block i is kept, moments first; NULL past the last. */
static float **block_at(maskdm_optimizer *o, int i)
{
    const int width = i - MOMENTS;

    if (width < 0)
        return i ? &o->moment2 : &o->moment1;
    return width >= o->rule.widths ? NULL : width ? &o->further[width - 1] : &o->ema;
}

static void give_blocks(maskdm_optimizer *o, maskdm_device *device, size_t bytes)
{
    float **block;

    for (int i = 0; (block = block_at(o, i)); i++) {
        if (*block)
            mdm_device_free(device, *block, bytes);
        *block = NULL;
    }
}

static int take_blocks(maskdm_optimizer *o, maskdm_device *device, const float *weights, size_t bytes)
{
    float **block;

    for (int i = 0; (block = block_at(o, i)); i++) {
        void *memory;

        MDM_TRY(mdm_device_alloc(device, &memory, bytes, i < MOMENTS,
                                 i < MOMENTS ? "the optimizer's moments" : "the optimizer's average"));
        *block = memory;
        if (i >= MOMENTS)
            MDM_TRY(mdm_device_copy(device, memory, weights, bytes));
    }
    return MASKDM_OK;
}

int mdm_optimizer_bind(maskdm_optimizer *o, struct mdm_handle *owner, maskdm_device *device,
                       const struct mdm_params *layout, float *weights, float *gradients)
{
    const size_t bytes = layout->length * sizeof(float);
    int status;

    if (o->device)
        return mdm_fail(MASKDM_EINVAL, "the optimizer is bound to another trainer");
    status = take_blocks(o, device, weights, bytes);
    if (status < 0) {
        give_blocks(o, device, bytes);
        return status;
    }
    mdm_device_hold(device);
    o->device = device;
    o->owner = owner;
    o->length = layout->length;
    o->layout = layout;
    o->weights = weights;
    o->gradients = gradients;
    status = o->kind->bind ? o->kind->bind(o) : MASKDM_OK;
    if (status < 0) {
        mdm_optimizer_unbind(o);
        return status;
    }
    o->steps = o->applied = o->ema_updates = 0;
    o->last_skipped = o->torn = 0;
    o->grad_norm = (double)NAN;
    return MASKDM_OK;
}

void mdm_own_free(struct mdm_own *own, maskdm_device *device)
{
    const size_t bytes = own->layout.length * sizeof(float);

    if (own->weights)
        mdm_device_free(device, own->weights, bytes);
    if (own->gradients)
        mdm_device_free(device, own->gradients, bytes);
    mdm_params_free(&own->layout);
    *own = (struct mdm_own){.weights = NULL};
}

void mdm_optimizer_unbind(maskdm_optimizer *o)
{
    if (!o->device)
        return;
    if (o->kind->unbind)
        o->kind->unbind(o);
    give_blocks(o, o->device, o->length * sizeof(float));
    o->weights = o->gradients = NULL;
    o->layout = NULL;
    o->owner = NULL;
    mdm_own_free(&o->own, o->device);
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
    return o->lr * mdm_lr_factor(&o->rate, step);
}
