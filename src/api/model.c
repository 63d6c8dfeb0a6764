/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Public face of models: arguments checked, then forwarded.
 */
#include <maskdm/model.h>

#include "diffusion/scheduler.h"
#include "model/model.h"
#include "util/error.h"

#include <string.h>

static int missing(const char *what)
{
    return maskdm_fail(MASKDM_EINVAL, "%s is NULL", what);
}

int maskdm_model_create(maskdm_model **out, maskdm_device *device, const char *network, const maskdm_options *options,
                        maskdm_scheduler *scheduler, uint64_t seed)
{
    if (!out)
        return missing("out");
    *out = NULL;
    if (!device || !network)
        return missing(device ? "network" : "device");
    return maskdm_weights_create(out, device, network, options, scheduler, seed);
}

int maskdm_model_load(maskdm_model **out, maskdm_device *device, const char *path)
{
    if (!out)
        return missing("out");
    *out = NULL;
    if (!device || !path)
        return missing(device ? "path" : "device");
    return maskdm_weights_load(out, device, path);
}

int maskdm_model_load_memory(maskdm_model **out, maskdm_device *device, const void *bytes, size_t size)
{
    if (!out)
        return missing("out");
    *out = NULL;
    if (!device || !bytes)
        return missing(device ? "bytes" : "device");
    return maskdm_weights_load_memory(out, device, bytes, size);
}

static int check_which(enum maskdm_weights which)
{
    if (which != MASKDM_WEIGHTS_EMA && which != MASKDM_WEIGHTS_ONLINE)
        return maskdm_fail(MASKDM_EINVAL, "which is %d, neither of the two sets of weights", (int)which);
    return MASKDM_OK;
}

int maskdm_model_load_one(maskdm_model **out, maskdm_device *device, const char *path, enum maskdm_weights which)
{
    if (!out)
        return missing("out");
    *out = NULL;
    if (!device || !path)
        return missing(device ? "path" : "device");
    MASKDM_TRY(check_which(which));
    return maskdm_weights_load_one(out, device, path, which);
}

int maskdm_model_load_one_memory(maskdm_model **out, maskdm_device *device, const void *bytes, size_t size,
                                 enum maskdm_weights which)
{
    if (!out)
        return missing("out");
    *out = NULL;
    if (!device || !bytes)
        return missing(device ? "bytes" : "device");
    MASKDM_TRY(check_which(which));
    return maskdm_weights_load_one_memory(out, device, bytes, size, which);
}

int maskdm_model_save(maskdm_model *model, const char *path)
{
    if (!model || !path)
        return missing(model ? "path" : "model");
    return maskdm_weights_save(model, path);
}

int maskdm_model_clone(maskdm_model **out, maskdm_model *model)
{
    if (!out)
        return missing("out");
    *out = NULL;
    return model ? maskdm_weights_copy(out, model) : missing("model");
}

void maskdm_model_release(maskdm_model **model)
{
    if (model)
        maskdm_weights_drop(model);
}

const char *maskdm_model_network(const maskdm_model *model)
{
    return model->network->name;
}

int64_t maskdm_model_height(const maskdm_model *model)
{
    return model->geometry.height;
}

int64_t maskdm_model_width(const maskdm_model *model)
{
    return model->geometry.width;
}

int maskdm_model_channels(const maskdm_model *model)
{
    return (int)model->geometry.channels;
}

int64_t maskdm_model_patch_size(const maskdm_model *model)
{
    return model->geometry.patch;
}

int64_t maskdm_model_classes(const maskdm_model *model)
{
    return model->geometry.classes;
}

int maskdm_model_has_online(const maskdm_model *model)
{
    return model->online != NULL;
}

int64_t maskdm_model_labels(const maskdm_model *model)
{
    return model ? model->labels.count : 0;
}

const char *maskdm_model_label_name(const maskdm_model *model, int64_t i)
{
    return model && i >= 0 && i < model->labels.count ? model->labels.name[i] : NULL;
}

int maskdm_model_set_labels(maskdm_model *model, const char *const *names, int64_t count)
{
    if (!model || (!names && count))
        return missing(model ? "names" : "model");
    if (count < 0)
        return maskdm_fail(MASKDM_EINVAL, "%lld names of labels", (long long)count);
    return maskdm_labels_set(&model->labels, names, count, model->geometry.classes);
}

int maskdm_model_options_json(const maskdm_model *model, char *buffer, size_t capacity, size_t *needed)
{
    return model ? maskdm_options_json(model->options, buffer, capacity, needed) : missing("model");
}

int maskdm_model_scheduler(maskdm_model *model, maskdm_scheduler **out)
{
    if (!out)
        return missing("out");
    *out = NULL;
    if (!model)
        return missing("model");
    maskdm_diffusion_hold(model->scheduler);
    *out = model->scheduler;
    return MASKDM_OK;
}

int64_t maskdm_model_parameter_count(const maskdm_model *model)
{
    return model->layout.count;
}

int64_t maskdm_model_parameter_elements(const maskdm_model *model)
{
    return model->layout.numel;
}

const char *maskdm_model_parameter_name(const maskdm_model *model, int64_t i)
{
    return i >= 0 && i < model->layout.count ? model->layout.list[i].name : NULL;
}

int64_t maskdm_model_parameter_find(const maskdm_model *model, const char *name)
{
    int i = name ? maskdm_params_find(&model->layout, name) : -1;

    return i < 0 ? MASKDM_ENOTFOUND : i;
}

int maskdm_model_parameter_shape(const maskdm_model *model, int64_t i, int64_t *shape, int capacity)
{
    const struct maskdm_shape *s;

    if (i < 0 || i >= model->layout.count)
        return maskdm_fail(MASKDM_EINVAL, "parameter %lld is outside 0 .. %d", (long long)i, model->layout.count - 1);
    s = &model->layout.list[i].shape;
    for (int d = 0; d < s->n && d < capacity; d++)
        shape[d] = s->d[d];
    return s->n;
}

static int check_parameter(const maskdm_model *model, int64_t i, int64_t count, const void *values)
{
    const struct maskdm_param *p;

    if (!model || !values)
        return missing(model ? "values" : "model");
    if (i < 0 || i >= model->layout.count)
        return maskdm_fail(MASKDM_EINVAL, "parameter %lld is outside 0 .. %d", (long long)i, model->layout.count - 1);
    p = &model->layout.list[i];
    if (count != maskdm_shape_numel(&p->shape))
        return maskdm_fail(MASKDM_ESHAPE, "parameter \"%s\" has %lld elements, not %lld", p->name,
                           (long long)maskdm_shape_numel(&p->shape), (long long)count);
    return MASKDM_OK;
}

int maskdm_model_get_parameter(const maskdm_model *model, enum maskdm_weights which, int64_t i, float *out,
                               int64_t count)
{
    MASKDM_TRY(check_parameter(model, i, count, out));
    memcpy(out, maskdm_weights_block(model, which) + model->layout.list[i].at, (size_t)count * sizeof *out);
    return MASKDM_OK;
}

int maskdm_model_set_parameter(maskdm_model *model, int64_t i, const float *value, int64_t count)
{
    MASKDM_TRY(check_parameter(model, i, count, value));
    memcpy(model->ema + model->layout.list[i].at, value, (size_t)count * sizeof *value);
    if (model->online)
        memcpy(model->online + model->layout.list[i].at, value, (size_t)count * sizeof *value);
    return MASKDM_OK;
}

int maskdm_model_predict(maskdm_model *model, enum maskdm_weights which, int64_t batch, const float *x_t,
                         const double *times, const int32_t *labels, const int32_t *index, int64_t visible,
                         float *out)
{
    if (!model || !x_t || !times || !out)
        return missing(!model ? "model" : !x_t ? "x_t" : !times ? "times" : "out");
    return maskdm_weights_predict(model, which, batch, x_t, times, labels, index, visible, out);
}

int maskdm_model_estimate(maskdm_device *device, const char *network, const maskdm_options *options, int train,
                          int64_t batch, int64_t visible, size_t *bytes)
{
    if (!device || !network || !bytes)
        return missing(!device ? "device" : !network ? "network" : "bytes");
    return maskdm_weights_estimate(bytes, device, network, options, train, batch, visible);
}
