/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Writing model files: what describes the model, and its weights, as they are or in 16 bits.
 */
#include "model/model.h"

#include "base/error.h"
#include "diffusion/scheduler.h"
#include "model/narrow.h"
#include "tensorfile/safetensors.h"
#include "text/text.h"

/* An entry of what was written into `text`, which is freed; none where that is nothing. */
static int add_text(struct mdm_safetensors_writer *w, const char *key, struct mdm_text *text)
{
    int status = mdm_text_ok(text);

    if (status == MASKDM_OK && text->length)
        status = mdm_safetensors_writer_meta(w, key, text->data);
    mdm_text_free(text);
    return status;
}

static int write_labels(struct mdm_safetensors_writer *w, const struct mdm_labels *labels)
{
    struct mdm_text text = {0};

    if (labels->count)
        mdm_labels_write(labels, &text);
    return add_text(w, "maskdm.labels", &text);
}

static int write_past(struct mdm_safetensors_writer *w, const struct mdm_past *past)
{
    struct mdm_text text = {0};

    mdm_past_write(past, &text);
    return add_text(w, "maskdm.masks", &text);
}

int mdm_model_write_meta(struct mdm_safetensors_writer *w, const maskdm_model *model)
{
    struct mdm_text network = {0}, scheduler = {0};
    char version[32], form[16];
    int status;

    mdm_format(form, sizeof form, "%d", MDM_FILE_FORMAT);
    mdm_format(version, sizeof version, "%d.%d.%d", MASKDM_VERSION_MAJOR, MASKDM_VERSION_MINOR, MASKDM_VERSION_PATCH);
    mdm_options_write_json(model->options, &network);
    mdm_options_write_json(model->scheduler->options, &scheduler);
    status = mdm_text_ok(&network);
    if (status == MASKDM_OK)
        status = mdm_text_ok(&scheduler);
    if (status == MASKDM_OK)
        status = mdm_safetensors_writer_meta(w, "format", "pt");
    if (status == MASKDM_OK)
        status = mdm_safetensors_writer_meta(w, "maskdm.format", form);
    if (status == MASKDM_OK)
        status = mdm_safetensors_writer_meta(w, "maskdm.version", version);
    if (status == MASKDM_OK)
        status = mdm_safetensors_writer_meta(w, "maskdm.network", model->network->name);
    if (status == MASKDM_OK)
        status = mdm_safetensors_writer_meta(w, "maskdm.network.options", network.data);
    if (status == MASKDM_OK)
        status = mdm_safetensors_writer_meta(w, "maskdm.scheduler.options", scheduler.data);
    mdm_text_free(&network);
    mdm_text_free(&scheduler);
    if (status == MASKDM_OK)
        status = write_labels(w, &model->labels);
    if (status == MASKDM_OK && model->sampler)
        status = mdm_model_write_sampler(model, w);
    if (status == MASKDM_OK)
        status = write_past(w, &model->past);
    return status == MASKDM_OK ? mdm_metadata_write(&model->metadata, w) : status;
}

static int add_blocks(struct mdm_safetensors_writer *w, const maskdm_model *model, int dtype,
                      struct mdm_narrow narrow[2])
{
    static const char *const prefix[2] = {"", "online."};
    const float *const block[2] = {model->ema, model->online};

    for (int k = 0; k < 2 && block[k]; k++) {
        MDM_TRY(mdm_narrow_begin(&narrow[k], model->device, block[k], dtype));
        MDM_TRY(mdm_narrow_check(&narrow[k], &model->layout));
        MDM_TRY(mdm_narrow_write(&narrow[k], w, &model->layout, prefix[k]));
    }
    return MASKDM_OK;
}

/* What `save` does with a writer that has all of the model. */
static int write_all(const maskdm_model *model, int dtype,
                     int (*save)(struct mdm_safetensors_writer *w, const void *where), const void *where)
{
    struct mdm_narrow narrow[2] = {{.piece = NULL}, {.piece = NULL}};
    struct mdm_safetensors_writer *w;
    int status;

    MDM_TRY(mdm_device_need_float(model->device, "saving a model"));
    if (model->adapter)
        return mdm_fail(MASKDM_EINVAL, "the model has adapters: save them apart, or merge them into its weights");
    MDM_TRY(mdm_safetensors_writer_create(&w));
    status = mdm_model_write_meta(w, model);
    if (status == MASKDM_OK)
        status = add_blocks(w, model, dtype, narrow);
    if (status == MASKDM_OK)
        status = save(w, where);
    mdm_safetensors_writer_release(&w);
    for (int k = 0; k < 2; k++)
        mdm_narrow_end(&narrow[k]);
    return status;
}

static int save_at(struct mdm_safetensors_writer *w, const void *path)
{
    return mdm_safetensors_writer_save(w, path, 0);
}

struct sink {
    maskdm_write_callback write;
    void *user;
};

static int save_into(struct mdm_safetensors_writer *w, const void *where)
{
    const struct sink *sink = where;

    return mdm_safetensors_writer_save_to(w, sink->write, sink->user);
}

int mdm_model_save(const maskdm_model *model, const char *path)
{
    return write_all(model, 0, save_at, path);
}

int mdm_model_save_as(const maskdm_model *model, int dtype, const char *path)
{
    return write_all(model, dtype, save_at, path);
}

int mdm_model_save_to(const maskdm_model *model, maskdm_write_callback write, void *user)
{
    const struct sink sink = {write, user};

    return write_all(model, 0, save_into, &sink);
}
