/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A run that trains adapters in place of weights, and jobs that bring both together.
 */
#include "run/adapter.h"

#include "base/alloc.h"
#include "base/control.h"
#include "base/error.h"
#include "model/adapter.h"
#include "run/convert.h"
#include "run/options.h"
#include "run/run.h"
#include "train/freeze.h"

int mdm_run_is_adapting(const struct mdm_run *run)
{
    struct mdm_lora_options told;

    mdm_options_read(run->options, &mdm_lora_options, &told);
    return told.rank > 0;
}

int mdm_run_adapt(struct mdm_run *run)
{
    const enum maskdm_weights only = MASKDM_WEIGHTS_EMA; /* a model of one set was loaded */
    maskdm_model *adapted;

    if (!mdm_run_is_adapting(run))
        return MASKDM_OK;
    if (run->transfer)
        return mdm_fail(MASKDM_EINVAL,
                        "%s asks for adapters, which stand beside the weights of %s as they are, but these images or "
                        "labels need others",
                        mdm_options_said(run->options, "lora_rank"), run->told.init);
    MDM_TRY(mdm_model_adapt(&adapted, run->model, only, run->options, run->seed));
    mdm_model_drop(&run->model);
    run->model = adapted;
    return MASKDM_OK;
}

int mdm_run_publish(struct mdm_run *run)
{
    return mdm_run_publish_as(run, run->trainer->model->adapter ? "adapter.safetensors" : "model.safetensors");
}

int mdm_run_publish_as(struct mdm_run *run, const char *name)
{
    const maskdm_model *model = run->trainer->model;
    char *path = mdm_path_join(run->told.out, name);
    int status = MASKDM_ENOMEM;

    if (path)
        status = model->adapter ? mdm_adapter_save(model, MASKDM_WEIGHTS_EMA, path) : mdm_model_save(model, path);
    mdm_free(path);
    return status;
}

int mdm_merged_load(maskdm_model **out, maskdm_device *device, const char *model, const char *adapter, int any)
{
    maskdm_model *base = NULL, *adapted = NULL;
    int status = mdm_model_load(&base, device, model);

    *out = NULL;
    if (status == MASKDM_OK)
        status = mdm_adapter_load(&adapted, base, adapter, any);
    if (status == MASKDM_OK)
        status = mdm_model_merge(out, adapted);
    mdm_model_drop(&adapted);
    mdm_model_drop(&base);
    return status;
}

static int merge(const struct mdm_merge_run_options *told, maskdm_device *device, maskdm_control *control)
{
    maskdm_model *merged;
    int status;

    MDM_TRY(mdm_merged_load(&merged, device, told->model, told->adapter, told->any_base));
    status = mdm_control_check(control, "merging");
    if (status == MASKDM_OK)
        status = mdm_model_save(merged, told->out);
    if (status == MASKDM_OK)
        mdm_log_line(mdm_control_log(control), MASKDM_LOG_INFO, "%s: %s with %s, %lld parameters", told->out,
                     told->model, told->adapter, (long long)merged->layout.numel);
    mdm_model_drop(&merged);
    return status;
}

int mdm_merge_run(const maskdm_options *options, maskdm_control *control)
{
    struct mdm_merge_run_options told;
    struct mdm_writer *place;
    maskdm_device *device;
    int status;

    if (mdm_options_kind(options) != &mdm_merge_kind)
        return mdm_fail(MASKDM_EINVAL, "options of kind %s, not merge", mdm_options_kind(options)->name);
    MDM_TRY(mdm_options_check(options));
    mdm_options_read(options, &mdm_merge_run_options, &told);
    MDM_TRY(mdm_convert_check_apart("model", told.model, told.out));
    MDM_TRY(mdm_convert_check_apart("adapter", told.adapter, told.out));
    MDM_TRY(mdm_writer_reserve(&place, told.out));
    status = mdm_backend_open(&device, "cpu", NULL, NULL, 0, NULL);
    if (status == MASKDM_OK) {
        status = merge(&told, device, control);
        mdm_device_drop(&device);
    }
    mdm_writer_abandon(&place);
    return status;
}
