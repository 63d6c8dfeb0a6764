/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Public face of low-rank adapters.
 */
#include <maskdm/model.h>

#include "api/argument.h"
#include "base/control.h"
#include "model/adapter.h"
#include "run/adapter.h"

int maskdm_model_adapt(maskdm_model **out, maskdm_model *model, int which, const maskdm_options *options,
                       uint64_t seed)
{
    struct mdm_work work = {0};

    MDM_NEED_OUT(out);
    MDM_NEED(model);
    MDM_NEED_WEIGHTS(which);
    MDM_NEED(options);
    MDM_TRY(mdm_work_share(&work, &model->handle));
    MDM_TRY(mdm_work_share(&work, mdm_options_handle(options)));
    return mdm_work_end(&work, mdm_model_adapt(out, model, which, options, seed));
}

int maskdm_model_load_adapter(maskdm_model **out, maskdm_model *model, const char *path, int any_base)
{
    struct mdm_work work = {0};

    MDM_NEED_OUT(out);
    MDM_NEED(model);
    MDM_NEED(path);
    MDM_TRY(mdm_work_share(&work, &model->handle));
    return mdm_work_end(&work, mdm_adapter_load(out, model, path, any_base));
}

int maskdm_model_save_adapter(maskdm_model *model, int which, const char *path)
{
    struct mdm_work work = {0};

    MDM_NEED(model);
    MDM_NEED_WEIGHTS(which);
    MDM_NEED(path);
    MDM_TRY(mdm_work_share(&work, &model->handle));
    return mdm_work_end(&work, mdm_adapter_save(model, which, path));
}

int maskdm_model_merge(maskdm_model **out, maskdm_model *model)
{
    struct mdm_work work = {0};

    MDM_NEED_OUT(out);
    MDM_NEED(model);
    MDM_TRY(mdm_work_share(&work, &model->handle));
    return mdm_work_end(&work, mdm_model_merge(out, model));
}

int maskdm_model_has_adapter(const maskdm_model *model)
{
    MDM_NEED(model);
    return model->adapter != NULL;
}

int maskdm_merge(const maskdm_options *options, maskdm_control *control)
{
    struct mdm_work work = {0};

    MDM_NEED(options);
    MDM_TRY(mdm_work_share(&work, mdm_options_handle(options)));
    MDM_TRY(mdm_work_share(&work, MDM_HANDLE(control)));
    return mdm_work_end(&work, mdm_merge_run(options, control));
}
