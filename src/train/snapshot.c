/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Snapshots of averages that have a profile: a model file for each width, of which maskdm_average() makes those of
 * other widths, and which samples as any model does.
 */
#include "train/average.h"

#include "base/alloc.h"
#include "base/error.h"
#include "model/narrow.h"
#include "os/file.h"
#include "tensorfile/safetensors.h"
#include "text/number.h"
#include "text/text.h"

#include <math.h>

static const char std_key[] = "maskdm.average.std", updates_key[] = "maskdm.average.updates",
                  step_key[] = "maskdm.step", first_key[] = "maskdm.average.first";

static int write_number(struct mdm_safetensors_writer *w, const char *key, double x)
{
    struct mdm_text t = {0};
    int status;

    mdm_text_add_double(&t, x);
    status = mdm_text_ok(&t);
    if (status == MASKDM_OK)
        status = mdm_safetensors_writer_meta(w, key, t.data);
    mdm_text_free(&t);
    return status;
}

/* In the steps of the run, whose stages count their own. */
static int64_t step_of(const maskdm_trainer *tr)
{
    return tr->stage_first + tr->optimizer->steps;
}

static int write_meta(struct mdm_safetensors_writer *w, const maskdm_model *view, const maskdm_trainer *tr, int width)
{
    const maskdm_optimizer *o = tr->optimizer;

    MDM_TRY(mdm_model_write_meta(w, view));
    MDM_TRY(write_number(w, std_key, o->rule.std[width]));
    MDM_TRY(write_number(w, updates_key, (double)o->ema_updates));
    if (tr->average_first)
        MDM_TRY(write_number(w, first_key, (double)tr->average_first));
    return write_number(w, step_key, (double)step_of(tr));
}

static int write_file(const maskdm_model *view, const maskdm_trainer *tr, int width, int dtype, const char *path)
{
    struct mdm_narrow narrow = {.piece = NULL};
    struct mdm_safetensors_writer *w;
    int status;

    MDM_TRY(mdm_safetensors_writer_create(&w));
    status = write_meta(w, view, tr, width);
    if (status == MASKDM_OK)
        status = mdm_narrow_begin(&narrow, view->device, view->ema, dtype);
    if (status == MASKDM_OK)
        status = mdm_narrow_check(&narrow, &view->layout);
    if (status == MASKDM_OK)
        status = mdm_narrow_write(&narrow, w, &view->layout, "");
    if (status == MASKDM_OK)
        status = mdm_safetensors_writer_save(w, path, 1);
    mdm_safetensors_writer_release(&w);
    mdm_narrow_end(&narrow);
    return status;
}

static char *path_of(const maskdm_trainer *tr, int width, const char *folder)
{
    struct mdm_text name = {0};
    char *path = NULL;

    mdm_text_addf(&name, MDM_SNAPSHOT_HEAD "%lld-", (long long)step_of(tr));
    mdm_text_add_double(&name, tr->optimizer->rule.std[width]);
    mdm_text_add(&name, MDM_SNAPSHOT_TAIL);
    if (mdm_text_ok(&name) == MASKDM_OK)
        path = mdm_path_join(folder, name.data);
    mdm_text_free(&name);
    return path;
}

static int write_width(maskdm_trainer *tr, int width, const char *folder, int dtype)
{
    const maskdm_optimizer *o = tr->optimizer;
    char *path = path_of(tr, width, folder);
    maskdm_model *view = NULL;
    int status = path ? mdm_model_view(&view, tr->model, mdm_optimizer_average(o, width), NULL) : MASKDM_ENOMEM;

    if (status == MASKDM_OK)
        status = write_file(view, tr, width, dtype, path);
    mdm_model_drop(&view);
    mdm_free(path);
    return status;
}

int mdm_trainer_snapshot(maskdm_trainer *tr, const char *folder, int dtype)
{
    const maskdm_optimizer *o = tr->optimizer;

    if (!mdm_ema_has_profile(&o->rule))
        return mdm_fail(MASKDM_EINVAL, "snapshots are for averages of kind power, not %s",
                        mdm_ema_name(o->rule.type));
    if (tr->model->adapter)
        return mdm_fail(MASKDM_EINVAL, "there are no snapshots of an adapter");
    if (!o->ema_updates)
        return mdm_fail(MASKDM_EINVAL, "there is no snapshot of an average before its first update");
    MDM_TRY(mdm_optimizer_check(o));
    for (int width = 0; width < o->rule.widths; width++)
        MDM_TRY(write_width(tr, width, folder, dtype));
    return MASKDM_OK;
}

static int read_number(double *out, const struct mdm_tensorfile *s, const char *key)
{
    const char *text = mdm_tensorfile_meta(s, key);

    if (!text || mdm_parse_double(text, out) || !(*out > 0 && *out < 0x1p53))
        return mdm_fail(MASKDM_EFORMAT, "metadata entry \"%s\" is %.40s", key, text ? text : "missing");
    return MASKDM_OK;
}

int mdm_snapshot_read(struct mdm_snapshot *out, const struct mdm_tensorfile *s)
{
    double step;

    MDM_TRY(read_number(&out->profile.std, s, std_key));
    MDM_TRY(read_number(&out->profile.at, s, updates_key));
    MDM_TRY(read_number(&step, s, step_key));
    if (out->profile.std < MDM_EMA_NARROWEST || out->profile.std > MDM_EMA_WIDEST || step != floor(step))
        return mdm_fail(MASKDM_EFORMAT, "a snapshot of deviation %g at step %g", out->profile.std, step);
    out->step = (int64_t)step;
    out->first = 0;
    if (!mdm_tensorfile_meta(s, first_key))
        return MASKDM_OK;
    MDM_TRY(read_number(&step, s, first_key));
    if (step != floor(step))
        return mdm_fail(MASKDM_EFORMAT, "a snapshot of an average that began at step %g", step);
    out->first = (int64_t)step;
    return MASKDM_OK;
}
