/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Models from a model: shells, views and copies that describe themselves as it does.
 */
#include "model/model.h"

#include "base/error.h"

int mdm_model_retrain(maskdm_model *m, const maskdm_options *options)
{
    struct mdm_geometry geometry;
    maskdm_options *now;
    int status;

    MDM_TRY(mdm_options_extract(&now, options, m->network->kind));
    status = m->network->geometry(&geometry, now);
    if (status < 0) {
        mdm_options_release(&now);
        return status;
    }
    mdm_options_release(&m->options);
    m->options = now;
    return MASKDM_OK;
}

int mdm_model_like_with(maskdm_model **out, const maskdm_model *model, const maskdm_options *options,
                        const struct mdm_adapter *adapter)
{
    int status;

    MDM_TRY(mdm_model_shell_with(out, model->device, model->network->name, options ? options : model->options,
                                 model->scheduler, adapter));
    status = mdm_labels_set(&(*out)->labels, (const char *const *)model->labels.name, model->labels.count,
                            model->geometry.classes);
    if (status >= 0)
        status = mdm_metadata_copy(&(*out)->metadata, &model->metadata);
    (*out)->past = model->past;
    if (status >= 0 && model->sampler)
        status = mdm_options_clone(&(*out)->sampler, model->sampler);
    if (status < 0)
        mdm_model_drop(out);
    return status;
}

int mdm_model_like(maskdm_model **out, const maskdm_model *model, const maskdm_options *options)
{
    return mdm_model_like_with(out, model, options, model->adapter);
}

int mdm_model_view(maskdm_model **out, const maskdm_model *model, float *ema, float *online)
{
    MDM_TRY(mdm_model_like(out, model, NULL));
    (*out)->borrowed = 1;
    (*out)->ema = ema;
    (*out)->online = online;
    return MASKDM_OK;
}

int mdm_model_copy(maskdm_model **out, const maskdm_model *model)
{
    size_t bytes = mdm_model_bytes(model);
    int status;

    MDM_TRY(mdm_model_like(out, model, NULL));
    status = mdm_model_take(*out, model->online != NULL);
    if (status == MASKDM_OK)
        status = mdm_device_copy(model->device, (*out)->ema, model->ema, bytes);
    if (status == MASKDM_OK && model->online)
        status = mdm_device_copy(model->device, (*out)->online, model->online, bytes);
    if (status < 0)
        mdm_model_drop(out);
    return status;
}
