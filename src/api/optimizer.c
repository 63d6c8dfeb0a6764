/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Public face of the optimizer.
 */
#include "train/optimizer.h"

#include "api/argument.h"

#include <math.h>

int maskdm_optimizer_create(maskdm_optimizer **out, const maskdm_options *options, const maskdm_options *ema)
{
    struct mdm_work work = {0};

    MDM_NEED_OUT(out);
    MDM_TRY(mdm_work_share(&work, mdm_options_handle(options)));
    MDM_TRY(mdm_work_share(&work, mdm_options_handle(ema)));
    return mdm_work_end(&work, mdm_optimizer_create(out, options, ema));
}

void maskdm_optimizer_release(maskdm_optimizer **optimizer)
{
    if (optimizer)
        mdm_optimizer_drop(optimizer);
}

int maskdm_optimizer_bind(maskdm_optimizer *optimizer, maskdm_device *device, int64_t count, const char *const *names,
                          const int64_t *shapes, const int32_t *matrices, const float *const *weights)
{
    struct mdm_work work = {0};

    MDM_NEED(optimizer);
    MDM_NEED(device);
    MDM_NEED_COUNT(count);
    MDM_NEED_ARRAY(names, count);
    MDM_NEED_ARRAY(shapes, count);
    MDM_TRY(mdm_work_alone(&work, &optimizer->handle));
    MDM_TRY(mdm_work_share(&work, mdm_device_handle(device)));
    return mdm_work_end(&work, mdm_optimizer_bind_own(optimizer, device, count, names, shapes, matrices, weights));
}

/* Weights and gradients are the trainer's, which must be there to the end. */
static int begin(struct mdm_work *work, const maskdm_optimizer *optimizer)
{
    MDM_TRY(mdm_work_alone(work, &optimizer->handle));
    return mdm_work_alone(work, optimizer->owner);
}

int maskdm_optimizer_step(maskdm_optimizer *optimizer)
{
    struct mdm_work work = {0};

    MDM_NEED(optimizer);
    MDM_TRY(begin(&work, optimizer));
    return mdm_work_end(&work, mdm_optimizer_step(optimizer, 0, 0));
}

int maskdm_optimizer_update_ema(maskdm_optimizer *optimizer)
{
    struct mdm_work work = {0};

    MDM_NEED(optimizer);
    MDM_TRY(begin(&work, optimizer));
    return mdm_work_end(&work, mdm_optimizer_update_ema(optimizer));
}

int maskdm_optimizer_set_lr(maskdm_optimizer *optimizer, double lr)
{
    struct mdm_work work = {0};

    MDM_NEED(optimizer);
    MDM_TRY(mdm_host_rules_check_lr(lr));
    MDM_TRY(mdm_work_alone(&work, &optimizer->handle));
    optimizer->host.lr = lr;
    return mdm_work_end(&work, MASKDM_OK);
}

int maskdm_optimizer_set_group(maskdm_optimizer *optimizer, const char *pattern, double lr_factor,
                               double weight_decay)
{
    struct mdm_work work = {0};

    MDM_NEED(optimizer);
    MDM_NEED(pattern);
    MDM_TRY(mdm_work_alone(&work, &optimizer->handle));
    return mdm_work_end(&work, mdm_optimizer_set_group(optimizer, pattern, lr_factor, weight_decay));
}

int64_t maskdm_optimizer_steps(const maskdm_optimizer *optimizer)
{
    MDM_NEED(optimizer);
    return optimizer->steps;
}

double maskdm_optimizer_lr(const maskdm_optimizer *optimizer, int64_t step)
{
    MDM_NEED_OR(optimizer, (double)NAN);
    return step < 0 ? (double)NAN : mdm_optimizer_lr(optimizer, step);
}

double maskdm_optimizer_grad_norm(const maskdm_optimizer *optimizer)
{
    MDM_NEED_OR(optimizer, (double)NAN);
    return optimizer->grad_norm;
}

int64_t maskdm_optimizer_widths(const maskdm_optimizer *optimizer)
{
    MDM_NEED(optimizer);
    return optimizer->rule.widths;
}

double maskdm_optimizer_decay(const maskdm_optimizer *optimizer, int64_t width, int64_t update)
{
    double decay;

    MDM_NEED_OR(optimizer, (double)NAN);
    if (update < 0 || width < 0 || width >= optimizer->rule.widths)
        return (double)NAN;
    return mdm_ema_mode(&optimizer->rule, (int)width, update, &decay) == MDM_EMA_STAYS ? 1 : decay;
}

/* Its parameter i of so many elements. */
static int find(const struct mdm_param **out, const maskdm_optimizer *optimizer, int64_t i, int64_t count)
{
    if (!optimizer->layout)
        return mdm_fail(MASKDM_EINVAL, "the optimizer is not bound to a trainer or to parameters");
    return mdm_argument_elements(out, optimizer->layout, i, count);
}

static int put(maskdm_optimizer *o, float *block, int64_t i, const float *value, int64_t count)
{
    const struct mdm_param *p;

    MDM_TRY(find(&p, o, i, count));
    return mdm_device_upload(o->device, block + p->at, value, (size_t)count * sizeof *value);
}

static int get(const maskdm_optimizer *o, const float *block, int64_t i, float *out, int64_t count)
{
    const struct mdm_param *p;

    MDM_TRY(find(&p, o, i, count));
    return mdm_device_download(o->device, out, block + p->at, (size_t)count * sizeof *out);
}

int maskdm_optimizer_set_weights(maskdm_optimizer *optimizer, int64_t i, const float *value, int64_t count)
{
    struct mdm_work work = {0};

    MDM_NEED(optimizer);
    MDM_NEED(value);
    if (optimizer->owner)
        return mdm_fail(MASKDM_EINVAL, "the optimizer's weights are a trainer's");
    MDM_TRY(begin(&work, optimizer));
    return mdm_work_end(&work, put(optimizer, optimizer->weights, i, value, count));
}

int maskdm_optimizer_set_gradient(maskdm_optimizer *optimizer, int64_t i, const float *value, int64_t count)
{
    struct mdm_work work = {0};

    MDM_NEED(optimizer);
    MDM_NEED(value);
    MDM_TRY(begin(&work, optimizer));
    return mdm_work_end(&work, put(optimizer, optimizer->gradients, i, value, count));
}

int maskdm_optimizer_weights(const maskdm_optimizer *optimizer, int64_t i, float *out, int64_t count)
{
    struct mdm_work work = {0};

    MDM_NEED(optimizer);
    MDM_NEED(out);
    MDM_TRY(begin(&work, optimizer));
    return mdm_work_end(&work, get(optimizer, optimizer->weights, i, out, count));
}

int maskdm_optimizer_average(const maskdm_optimizer *optimizer, int64_t width, int64_t i, float *out, int64_t count)
{
    struct mdm_work work = {0};

    MDM_NEED(optimizer);
    MDM_NEED(out);
    if (width < 0 || width >= optimizer->rule.widths)
        return mdm_fail(MASKDM_EINVAL, "width %lld is none of the optimizer's %d averages", (long long)width,
                        optimizer->rule.widths);
    MDM_TRY(begin(&work, optimizer));
    return mdm_work_end(&work, get(optimizer, mdm_optimizer_average(optimizer, (int)width), i, out, count));
}
