/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A model as a folder that diffusers opens, a U-Net as a pipeline: its weights under the names that they have there,
 * and what it is and how it was trained as JSON. The schedule goes as its betas, so that whichever it is, there is
 * nothing to translate.
 */
#include "run/export.h"

#include "base/alloc.h"
#include "base/error.h"
#include "os/file.h"
#include "run/diffusers.h"
#include "run/record.h"
#include "tensorfile/safetensors.h"
#include "text/text.h"

#include <string.h>

/* "epsilon" of "noise"; NULL: diffusers has no word for it. */
static const char *prediction_of(const maskdm_scheduler *s)
{
    static const char *const words[][2] = {{"noise", "epsilon"}, {"x0", "sample"}, {"v", "v_prediction"}};

    for (size_t i = 0; i < MDM_LENGTH(words); i++)
        if (!strcmp(words[i][0], mdm_options_text(s->options, "prediction")))
            return words[i][1];
    return NULL;
}

/* Whether the model says that it is drawn by DDPM, of which the folder's scheduler then has the settings. */
static int says_ddpm(const maskdm_model *model)
{
    return model->sampler && !strcmp(mdm_options_text(model->sampler, "sampler"), "ddpm");
}

static void describe_drawing(struct mdm_text *t, const maskdm_options *o)
{
    const char *spacing = mdm_options_text(o, "spacing");

    mdm_export_add_word(t, "variance_type", mdm_options_text(o, "variance"));
    mdm_text_addf(t, ",\n  \"clip_sample\": %s,\n  \"clip_sample_range\": %s,\n  \"steps_offset\": %s",
                  mdm_options_text(o, "clip"), mdm_options_text(o, "clip_range"),
                  mdm_options_text(o, "steps_offset"));
    if (!strcmp(spacing, "leading") || !strcmp(spacing, "trailing") || !strcmp(spacing, "linspace"))
        mdm_export_add_word(t, "timestep_spacing", spacing);
    if (!strcmp(mdm_options_text(o, "threshold"), "true"))
        mdm_text_addf(t,
                      ",\n  \"thresholding\": true,\n  \"dynamic_thresholding_ratio\": %s,\n  "
                      "\"sample_max_value\": %s",
                      mdm_options_text(o, "threshold_share"), mdm_options_text(o, "threshold_max"));
}

static int describe_scheduler(struct mdm_text *t, const maskdm_model *model)
{
    mdm_text_add(t, "{\n  \"_class_name\": \"DDPMScheduler\",\n  " MDM_EXPORT_VERSION);
    mdm_export_add_word(t, "prediction_type", prediction_of(model->scheduler));
    if (says_ddpm(model)) {
        describe_drawing(t, model->sampler);
    } else {
        mdm_export_add_word(t, "variance_type", "fixed_small");
        mdm_export_add_bool(t, "clip_sample", 1);
    }
    MDM_TRY(mdm_export_betas(t, model->scheduler));
    mdm_text_add(t, "\n}\n");
    return MASKDM_OK;
}

static void describe_pipeline(struct mdm_text *t)
{
    mdm_text_add(t, "{\n  \"_class_name\": \"DDPMPipeline\",\n  " MDM_EXPORT_VERSION
                    ",\n  \"scheduler\": [\"diffusers\", \"DDPMScheduler\"],\n  \"unet\": [\"diffusers\", "
                    "\"UNet2DModel\"]\n}\n");
}

/* ---- files ---- */

/* What a network is there. */
struct part {
    const char *network, *folder;
    int pipeline; /* whether diffusers has one that draws pixels with it alone */
    int (*check)(const maskdm_model *model);
    void (*settings)(struct mdm_text *t, const maskdm_model *model);
    int (*names)(struct mdm_params *out, struct mdm_params *copies, const maskdm_model *m); /* NULL: as here */
};
static const struct part parts[] = {
    {"unet", "unet", 1, mdm_export_unet_check, mdm_export_unet_settings, NULL},
    {"dit", "transformer", 0, mdm_export_dit_check, mdm_export_dit_settings, mdm_diffusers_dit_names}};

static int write_named(const maskdm_model *model, int dtype, const char *path, const struct mdm_params *names,
                       const struct mdm_params *copies)
{
    struct mdm_narrow narrow;
    struct mdm_safetensors_writer *w;
    int status = mdm_narrow_begin(&narrow, model->device, model->ema, dtype);

    if (status == MASKDM_OK)
        status = mdm_narrow_check(&narrow, names);
    if (status == MASKDM_OK)
        status = mdm_safetensors_writer_create(&w);
    if (status == MASKDM_OK) {
        status = mdm_safetensors_writer_meta(w, "format", "pt");
        if (status == MASKDM_OK)
            status = mdm_narrow_write(&narrow, w, names, "");
        if (status == MASKDM_OK)
            status = mdm_narrow_write(&narrow, w, copies, "");
        if (status == MASKDM_OK)
            status = mdm_safetensors_writer_save(w, path, 0);
        mdm_safetensors_writer_release(&w);
    }
    mdm_narrow_end(&narrow);
    return status;
}

static int write_weights(const struct part *part, const maskdm_model *model, int dtype, const char *path)
{
    struct mdm_params names = {0}, copies = {0};
    int status = part->names ? part->names(&names, &copies, model) : MASKDM_OK;

    if (status >= 0)
        status = write_named(model, dtype, path, part->names ? &names : &model->layout, &copies);
    mdm_params_free(&names);
    mdm_params_free(&copies);
    return status;
}

static int refuse_entry(void *user, const char *name, enum mdm_file_kind kind)
{
    (void)kind;
    (void)user;
    return mdm_fail(MASKDM_EINVAL, "the folder is not empty: it holds %s; a pipeline is written into a new one",
                    name);
}

/* A folder below `out`, made; the caller frees its path. */
static int make_part(char **path, const char *out, const char *name)
{
    *path = mdm_path_join(out, name);
    return *path ? mdm_folder_make(*path) : MASKDM_ENOMEM;
}

static int write_text(const char *folder, const char *name, struct mdm_text *text)
{
    int status = mdm_text_ok(text);

    if (status == MASKDM_OK)
        return mdm_record_write_text(folder, name, text);
    mdm_text_free(text);
    return status;
}

static int write_network(const struct part *part, const maskdm_model *model, int dtype, const char *folder)
{
    struct mdm_text text = {0};
    char *weights = mdm_path_join(folder, "diffusion_pytorch_model.safetensors");
    int status = weights ? write_weights(part, model, dtype, weights) : MASKDM_ENOMEM;

    mdm_free(weights);
    MDM_TRY(status);
    part->settings(&text, model);
    return write_text(folder, "config.json", &text);
}

static int write_scheduler(const maskdm_model *model, const char *folder)
{
    struct mdm_text text = {0};
    int status = describe_scheduler(&text, model);

    if (status == MASKDM_OK)
        return write_text(folder, "scheduler_config.json", &text);
    mdm_text_free(&text);
    return status;
}

static void tell(const struct part *part, const maskdm_model *model, const struct mdm_log *log)
{
    if (model->online)
        mdm_log_line(log, MASKDM_LOG_WARN,
                     "a pipeline has one set of weights: the EMA's are taken, the online ones are not");
    if (model->sampler && !says_ddpm(model))
        mdm_log_line(log, MASKDM_LOG_WARN, "the model is drawn by %s; the folder's scheduler is DDPM's",
                     mdm_options_text(model->sampler, "sampler"));
    if (model->geometry.classes && part->pipeline)
        mdm_log_line(log, MASKDM_LOG_WARN,
                     "DDPMPipeline gives the network no labels, of which it has %lld: a pipeline of one's own does",
                     (long long)model->geometry.classes);
}

static const struct part *find_part(const maskdm_model *model)
{
    for (size_t i = 0; i < MDM_LENGTH(parts); i++)
        if (!strcmp(parts[i].network, model->network->name))
            return &parts[i];
    return NULL;
}

/* All that can be refused is, before anything is made. */
static int check(const struct part *part, const maskdm_model *model, const char *out)
{
    struct mdm_text betas = {0};
    enum mdm_file_kind kind;
    int status;

    MDM_TRY(part->check(model));
    if (!prediction_of(model->scheduler))
        return mdm_fail(MASKDM_EINVAL, "diffusers has no pipeline for prediction %s",
                        mdm_options_text(model->scheduler->options, "prediction"));
    status = mdm_export_betas(&betas, model->scheduler);
    mdm_text_free(&betas);
    MDM_TRY(status);
    MDM_TRY(mdm_file_kind_of(&kind, out));
    return kind == MDM_FILE_FOLDER ? mdm_folder_list(out, refuse_entry, NULL) : MASKDM_OK;
}

int mdm_export_diffusers(const maskdm_model *model, int dtype, const struct mdm_log *log, const char *out)
{
    char *network = NULL, *scheduler = NULL;
    const struct part *part = find_part(model);
    struct mdm_text index = {0};
    int status;

    if (!part)
        return mdm_fail(MASKDM_ENOTSUP, "folders of diffusers are written of networks unet and dit, not of %s",
                        model->network->name);
    MDM_TRY(check(part, model, out));
    status = make_part(&network, out, part->folder);
    if (status == MASKDM_OK)
        status = make_part(&scheduler, out, "scheduler");
    if (status == MASKDM_OK)
        status = write_network(part, model, dtype, network);
    if (status == MASKDM_OK)
        status = write_scheduler(model, scheduler);
    mdm_free(network);
    mdm_free(scheduler);
    MDM_TRY(status);
    tell(part, model, log);
    if (!part->pipeline)
        return MASKDM_OK;
    describe_pipeline(&index);
    return write_text(out, "model_index.json", &index);
}
