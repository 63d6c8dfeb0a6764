/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Public face of models: arguments checked, then forwarded.
 */
#include <maskdm/model.h>

#include "api/argument.h"
#include "diffusion/scheduler.h"
#include "model/model.h"
#include "run/run.h"
#include "sample/sampler.h"
#include "train/trainer.h"

int maskdm_model_create(maskdm_model **out, maskdm_device *device, const char *network, const maskdm_options *options,
                        maskdm_scheduler *scheduler, uint64_t seed)
{
    struct mdm_work work = {0};

    MDM_NEED_OUT(out);
    MDM_NEED(device);
    MDM_NEED(network);
    MDM_TRY(mdm_work_share(&work, mdm_device_handle(device)));
    MDM_TRY(mdm_work_share(&work, mdm_options_handle(options)));
    MDM_TRY(mdm_work_share(&work, MDM_HANDLE(scheduler)));
    return mdm_work_end(&work, mdm_model_create(out, device, network, options, scheduler, seed));
}

int maskdm_model_clone(maskdm_model **out, maskdm_model *model)
{
    struct mdm_work work = {0};

    MDM_NEED_OUT(out);
    MDM_NEED(model);
    MDM_TRY(mdm_work_share(&work, &model->handle));
    return mdm_work_end(&work, mdm_model_copy(out, model));
}

void maskdm_model_release(maskdm_model **model)
{
    if (model)
        mdm_model_drop(model);
}

const char *maskdm_model_network(const maskdm_model *model)
{
    MDM_NEED_OR(model, NULL);
    return model->network->name;
}

int64_t maskdm_model_height(const maskdm_model *model)
{
    MDM_NEED(model);
    return model->geometry.height;
}

int64_t maskdm_model_width(const maskdm_model *model)
{
    MDM_NEED(model);
    return model->geometry.width;
}

int maskdm_model_outputs(const maskdm_model *model)
{
    MDM_NEED(model);
    return (int)model->geometry.outputs;
}

int maskdm_model_channels(const maskdm_model *model)
{
    MDM_NEED(model);
    return (int)model->geometry.channels;
}

int64_t maskdm_model_patch_size(const maskdm_model *model)
{
    MDM_NEED(model);
    return model->geometry.patch;
}

int64_t maskdm_model_classes(const maskdm_model *model)
{
    MDM_NEED(model);
    return model->geometry.classes;
}

int maskdm_model_has_online(const maskdm_model *model)
{
    MDM_NEED(model);
    return model->online != NULL;
}

int maskdm_model_options_json(const maskdm_model *model, char *buffer, size_t capacity, size_t *needed)
{
    MDM_NEED(model);
    MDM_NEED_ARRAY(buffer, capacity);
    return maskdm_options_json(model->options, buffer, capacity, needed);
}

int maskdm_model_scheduler(maskdm_scheduler **out, maskdm_model *model)
{
    MDM_NEED_OUT(out);
    MDM_NEED(model);
    mdm_scheduler_hold(model->scheduler);
    *out = model->scheduler;
    return MASKDM_OK;
}

int64_t maskdm_model_parameter_count(const maskdm_model *model)
{
    MDM_NEED(model);
    return model->layout.count;
}

int64_t maskdm_model_parameter_elements(const maskdm_model *model)
{
    MDM_NEED(model);
    return model->layout.numel;
}

const char *maskdm_model_parameter_name(const maskdm_model *model, int64_t i)
{
    MDM_NEED_OR(model, NULL);
    return i >= 0 && i < model->layout.count ? model->layout.list[i].name : NULL;
}

int64_t maskdm_model_parameter_find(const maskdm_model *model, const char *name)
{
    int i;

    MDM_NEED(model);
    MDM_NEED(name);
    i = mdm_params_find(&model->layout, name);
    return i < 0 ? MASKDM_ENOTFOUND : i;
}

int maskdm_model_parameter_shape(const maskdm_model *model, int64_t i, int64_t *shape, int capacity)
{
    const struct mdm_param *p;
    const struct mdm_shape *s;

    MDM_NEED(model);
    MDM_NEED_ARRAY(shape, capacity);
    MDM_TRY(mdm_argument_parameter(&p, &model->layout, i));
    s = &p->shape;
    for (int d = 0; d < s->n && d < capacity; d++)
        shape[d] = s->d[d];
    return s->n;
}

int maskdm_model_get_parameter(const maskdm_model *model, int which, int64_t i, float *out,
                               int64_t count)
{
    struct mdm_work work = {0};
    const struct mdm_param *p;

    MDM_NEED(model);
    MDM_NEED_WEIGHTS(which);
    MDM_NEED(out);
    MDM_TRY(mdm_argument_elements(&p, &model->layout, i, count));
    MDM_TRY(mdm_work_share(&work, &model->handle));
    return mdm_work_end(&work, mdm_model_get(model->device, p, mdm_model_block(model, which), out));
}

int maskdm_model_set_parameter(maskdm_model *model, int which, int64_t i, const float *value, int64_t count)
{
    struct mdm_work work = {0};
    const struct mdm_param *p;

    MDM_NEED(model);
    MDM_NEED_WEIGHTS(which);
    MDM_NEED(value);
    MDM_TRY(mdm_argument_elements(&p, &model->layout, i, count));
    MDM_TRY(mdm_work_alone(&work, &model->handle));
    return mdm_work_end(&work, mdm_model_put(model->device, p, mdm_model_block(model, which), 0, value, count));
}

int maskdm_model_predict(maskdm_model *model, int which, int64_t batch, const float *x_t,
                         const double *times, const int32_t *labels, const int32_t *index, int64_t visible,
                         float *out)
{
    const struct mdm_extent extent = {.batch = batch, .visible = index ? visible : 0};
    struct mdm_work work = {0};

    MDM_NEED(model);
    MDM_NEED_WEIGHTS(which);
    MDM_NEED(x_t);
    MDM_NEED(times);
    MDM_NEED(out);
    if (index && visible < 1)
        return mdm_fail(MASKDM_EINVAL, "%lld visible patches beside their indices", (long long)visible);
    MDM_TRY(mdm_work_share(&work, &model->handle));
    return mdm_work_end(&work, mdm_model_predict(model, which, extent, x_t, times, labels, index, out));
}

int maskdm_model_predict_shallow(maskdm_model *model, int which, int64_t batch, const float *x_t, const double *times,
                                 const int32_t *labels, float *out)
{
    const struct mdm_extent extent = {.batch = batch, .shallow = 1};
    struct mdm_work work = {0};

    MDM_NEED(model);
    MDM_NEED_WEIGHTS(which);
    MDM_NEED(x_t);
    MDM_NEED(times);
    MDM_NEED(out);
    MDM_TRY(mdm_network_check_deep(model->network, model->options, "a shallow prediction"));
    MDM_TRY(mdm_work_share(&work, &model->handle));
    return mdm_work_end(&work, mdm_model_predict(model, which, extent, x_t, times, labels, NULL, out));
}

/* Of a run's options, of whose masks something follows from its steps. */
static int estimate(size_t *size, maskdm_device *device, const char *network, const maskdm_options *options,
                    struct mdm_extent extent)
{
    maskdm_options *settled;
    int status;

    if (!options || !mdm_options_text(options, "masked_share"))
        return mdm_trainer_estimate(size, device, network, options, extent);
    MDM_TRY(mdm_options_clone(&settled, options));
    status = mdm_run_settle(settled);
    if (status == MASKDM_OK)
        status = mdm_trainer_estimate(size, device, network, settled, extent);
    mdm_options_release(&settled);
    return status;
}

int maskdm_model_estimate(size_t *size, maskdm_device *device, const char *network, const maskdm_options *options,
                          int train, int64_t batch, int64_t visible)
{
    const struct mdm_extent extent = {.batch = batch, .visible = visible};
    struct mdm_work work = {0};

    MDM_NEED(size);
    MDM_NEED(device);
    MDM_NEED(network);
    MDM_TRY(mdm_work_share(&work, mdm_device_handle(device)));
    MDM_TRY(mdm_work_share(&work, mdm_options_handle(options)));
    *size = 0;
    return mdm_work_end(&work, (train ? estimate : mdm_sampler_estimate)(size, device, network, options, extent));
}
