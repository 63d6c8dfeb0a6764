/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What maskdm_export() does: judge the place, read the model, write it in the form that was asked for.
 */
#include "run/export.h"

#include "base/control.h"
#include "base/error.h"
#include "os/file.h"
#include "run/convert.h"
#include "run/options.h"
#include "run/samples.h"

#include <string.h>

/* A name that promises a checkpoint to other programs gets one, one that ends in a slash a folder of diffusers. */
static int format_of(const struct mdm_export_run_options *told)
{
    if (told->format != MDM_EXPORT_AUTO)
        return told->format;
    if (mdm_convert_promises_torch(told->out))
        return MDM_EXPORT_TORCH;
    return told->out[strlen(told->out) - 1] == '/' ? MDM_EXPORT_DIFFUSERS : MDM_EXPORT_MASKDM;
}

/* The name must not promise another format, and where it alone says which, it must be one that there is. */
static int check_name(const struct mdm_export_run_options *told, const char *said)
{
    const char *suffix = mdm_samples_suffix(told->out);

    if (format_of(told) != MDM_EXPORT_MASKDM)
        return MASKDM_OK;
    if (mdm_convert_promises_torch(told->out))
        return mdm_fail(MASKDM_EINVAL, "cannot write %s: a model is written as .safetensors alone", told->out);
    if (told->format == MDM_EXPORT_AUTO && suffix && strcmp(suffix, "safetensors") != 0)
        return mdm_fail(
            MASKDM_EINVAL,
            "%s tells of no form that can be written: .safetensors is a model of maskdm, .pt, .pth, .ckpt, "
            ".bin and .pkl a checkpoint for the authors' program, / at the end a folder of diffusers; %s "
            "says which under another name",
            told->out, said);
    return MASKDM_OK;
}

static int reserve(struct mdm_writer **place, const struct mdm_export_run_options *told, const char *said)
{
    int stream;

    *place = NULL;
    if (format_of(told) == MDM_EXPORT_DIFFUSERS)
        return mdm_folder_check(told->out);
    MDM_TRY(mdm_file_is_stream(&stream, told->out));
    if (!stream)
        MDM_TRY(check_name(told, said));
    if (!stream)
        MDM_TRY(mdm_convert_check_apart("model", told->model, told->out));
    return mdm_writer_reserve(place, told->out);
}

static int load(maskdm_model **model, maskdm_device *device, const struct mdm_export_run_options *told)
{
    if (told->weights == MDM_EXPORT_BOTH)
        return mdm_model_load(model, device, told->model);
    return mdm_model_load_one(model, device, told->model,
                              told->weights == MDM_EXPORT_ONLINE ? MASKDM_WEIGHTS_ONLINE : MASKDM_WEIGHTS_EMA);
}

static void tell(const struct mdm_log *log, const maskdm_model *model, const struct mdm_export_run_options *told)
{
    static const char *const types[] = {"float32", "float16", "bfloat16"};

    mdm_log_line(log, MASKDM_LOG_INFO, "%lld parameters of network %s, %s, as %s", (long long)model->layout.numel,
                 model->network->name, model->online ? "EMA and online" : "one set", types[told->dtype]);
}

static int export(const struct mdm_export_run_options *told, maskdm_device *device, maskdm_control *control,
                  struct mdm_writer **place)
{
    maskdm_model *model;
    int status;

    MDM_TRY(load(&model, device, told));
    status = mdm_control_check(control, "the export");
    if (status == MASKDM_OK) {
        tell(mdm_control_log(control), model, told);
        if (format_of(told) == MDM_EXPORT_TORCH)
            status = mdm_export_torch(model, (int)told->dtype, mdm_control_log(control), place);
        else if (format_of(told) == MDM_EXPORT_DIFFUSERS)
            status = mdm_export_diffusers(model, (int)told->dtype, mdm_control_log(control), told->out);
        else
            status = mdm_model_save_as(model, (int)told->dtype, told->out);
        if (status < 0)
            status = mdm_fail_prefix(status, "cannot write %s", told->out);
    }
    mdm_model_drop(&model);
    return status;
}

int mdm_export_run(const maskdm_options *options, maskdm_control *control)
{
    struct mdm_export_run_options told;
    struct mdm_writer *place;
    maskdm_device *device;
    int status;

    if (mdm_options_kind(options) != &mdm_export_kind)
        return mdm_fail(MASKDM_EINVAL, "options of kind %s, not export", mdm_options_kind(options)->name);
    MDM_TRY(mdm_options_check(options));
    mdm_options_read(options, &mdm_export_run_options, &told);
    MDM_TRY(reserve(&place, &told, mdm_options_said(options, "format")));
    status = mdm_backend_open(&device, "cpu", NULL, NULL, 0, NULL);
    if (status == MASKDM_OK) {
        status = export(&told, device, control, &place);
        mdm_device_drop(&device);
    }
    mdm_writer_abandon(&place);
    return status;
}
