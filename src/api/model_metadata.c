/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What stands beside a model's weights: names of its labels, and what the host keeps with it.
 */
#include <maskdm/model.h>

#include "api/argument.h"
#include "model/model.h"

int64_t maskdm_model_label_count(const maskdm_model *model)
{
    MDM_NEED(model);
    return model->labels.count;
}

const char *maskdm_model_label_name(const maskdm_model *model, int64_t i)
{
    MDM_NEED_OR(model, NULL);
    return i >= 0 && i < model->labels.count ? model->labels.name[i] : NULL;
}

int maskdm_model_set_labels(maskdm_model *model, const char *const *names, int64_t count)
{
    struct mdm_work work = {0};

    MDM_NEED(model);
    MDM_NEED_COUNT(count);
    MDM_NEED_ARRAY(names, count);
    MDM_TRY(mdm_work_alone(&work, &model->handle));
    return mdm_work_end(&work, mdm_labels_set(&model->labels, names, count, model->geometry.classes));
}

int64_t maskdm_model_metadata_count(const maskdm_model *model)
{
    MDM_NEED(model);
    return model->metadata.count;
}

const char *maskdm_model_metadata_key(const maskdm_model *model, int64_t i)
{
    MDM_NEED_OR(model, NULL);
    return i >= 0 && i < model->metadata.count ? model->metadata.entry[i].key : NULL;
}

const char *maskdm_model_metadata(const maskdm_model *model, const char *key)
{
    MDM_NEED_OR(model, NULL);
    MDM_NEED_OR(key, NULL);
    return mdm_metadata_get(&model->metadata, key);
}

int maskdm_model_set_metadata(maskdm_model *model, const char *key, const char *value)
{
    struct mdm_work work = {0};

    MDM_NEED(model);
    MDM_NEED(key);
    MDM_TRY(mdm_work_alone(&work, &model->handle));
    return mdm_work_end(&work, mdm_metadata_set(&model->metadata, key, value));
}
