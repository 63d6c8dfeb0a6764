/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A U-Net as a folder that diffusers opens as a pipeline: its weights under the same names, and what it is and how it
 * was trained as JSON. The schedule goes as its betas, so that whichever it is, there is nothing to translate.
 */
#include "run/export.h"

#include "base/alloc.h"
#include "base/error.h"
#include "model/options.h"
#include "os/file.h"
#include "run/record.h"
#include "tensorfile/safetensors.h"
#include "text/text.h"

#include <string.h>

#define VERSION "\"_diffusers_version\": \"0.24.0\""

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

static int is_drawn_by_variance(const maskdm_model *model)
{
    return says_ddpm(model) && !strcmp(mdm_options_text(model->sampler, "variance"), "learned_range");
}

/* What the pipeline would draw without a word, but not as the model does. */
static int check(const maskdm_model *model, const struct mdm_unet_options *u)
{
    if (u->mask_channel)
        return mdm_fail(
            MASKDM_EINVAL,
            "the network has an input channel for masks, for which diffusers has no place: fine-tune it on "
            "whole images first");
    if (u->learn_sigma && !is_drawn_by_variance(model))
        return mdm_fail(MASKDM_EINVAL,
                        "the network says a variance, by which diffusers would draw; this model does not say that it is "
                        "drawn so");
    if (!prediction_of(model->scheduler))
        return mdm_fail(MASKDM_EINVAL, "diffusers has no pipeline for prediction %s",
                        mdm_options_text(model->scheduler->options, "prediction"));
    return MASKDM_OK;
}

/* ---- JSON ---- */

static void add_ints(struct mdm_text *t, const char *key, struct mdm_int_list list)
{
    mdm_text_addf(t, ",\n  \"%s\": [", key);
    for (int i = 0; i < list.count; i++)
        mdm_text_addf(t, "%s%lld", i ? ", " : "", (long long)list.value[i]);
    mdm_text_add(t, "]");
}

/* One word of a list for each of `count` levels; a single one is that of all. */
static void add_types(struct mdm_text *t, const char *key, const char *types, int count)
{
    const char *at = types;

    mdm_text_addf(t, ",\n  \"%s\": [", key);
    for (int i = 0; i < count; i++) {
        const size_t n = strcspn(at, ",");

        mdm_text_addf(t, "%s\"%.*s\"", i ? ", " : "", (int)n, at);
        if (at[n])
            at += n + 1;
    }
    mdm_text_add(t, "]");
}

static void add_int(struct mdm_text *t, const char *key, int64_t x)
{
    mdm_text_addf(t, ",\n  \"%s\": %lld", key, (long long)x);
}

/* Where 0 stands for what diffusers leaves out. */
static void add_int_or_null(struct mdm_text *t, const char *key, int64_t x)
{
    if (x)
        add_int(t, key, x);
    else
        mdm_text_addf(t, ",\n  \"%s\": null", key);
}

static void add_word(struct mdm_text *t, const char *key, const char *word)
{
    mdm_text_addf(t, ",\n  \"%s\": \"%s\"", key, word);
}

static void add_bool(struct mdm_text *t, const char *key, int x)
{
    mdm_text_addf(t, ",\n  \"%s\": %s", key, x ? "true" : "false");
}

static void describe_network(struct mdm_text *t, const maskdm_model *model, const struct mdm_unet_options *u)
{
    const struct mdm_geometry *g = &model->geometry;
    const int levels = u->block_out_channels.count;

    mdm_text_add(t, "{\n  \"_class_name\": \"UNet2DModel\",\n  " VERSION);
    if (g->height == g->width)
        add_int(t, "sample_size", g->height);
    else
        add_ints(t, "sample_size", (struct mdm_int_list){2, (const int64_t[]){g->height, g->width}});
    add_int(t, "in_channels", g->channels);
    add_int(t, "out_channels", g->outputs);
    add_word(t, "time_embedding_type", "positional");
    if (u->time_embedding_dim) /* which older versions do not know */
        add_int(t, "time_embedding_dim", u->time_embedding_dim);
    add_int(t, "freq_shift", u->freq_shift);
    add_bool(t, "flip_sin_to_cos", u->flip_sin_to_cos);
    add_types(t, "down_block_types", u->down_block_types, levels);
    add_types(t, "up_block_types", u->up_block_types, levels);
    add_ints(t, "block_out_channels", u->block_out_channels);
    add_int(t, "layers_per_block", u->layers_per_block);
    add_int(t, "downsample_padding", u->downsample_padding);
    add_word(t, "downsample_type", mdm_options_text(model->options, "downsample_type"));
    add_word(t, "upsample_type", mdm_options_text(model->options, "upsample_type"));
    add_word(t, "act_fn", "silu");
    add_int_or_null(t, "attention_head_dim", u->attention_head_dim);
    add_int(t, "norm_num_groups", u->norm_num_groups);
    add_int_or_null(t, "attn_norm_num_groups", u->attn_norm_num_groups);
    mdm_text_add(t, ",\n  \"norm_eps\": ");
    mdm_text_add_double(t, u->norm_eps);
    add_word(t, "resnet_time_scale_shift", mdm_options_text(model->options, "resnet_time_scale_shift"));
    add_bool(t, "add_attention", u->add_attention);
    add_int_or_null(t, "num_class_embeds", u->classes);
    mdm_text_add(t, "\n}\n");
}

static void describe_drawing(struct mdm_text *t, const maskdm_options *o)
{
    const char *spacing = mdm_options_text(o, "spacing");

    add_word(t, "variance_type", mdm_options_text(o, "variance"));
    mdm_text_addf(t, ",\n  \"clip_sample\": %s,\n  \"clip_sample_range\": %s,\n  \"steps_offset\": %s",
                  mdm_options_text(o, "clip"), mdm_options_text(o, "clip_range"),
                  mdm_options_text(o, "steps_offset"));
    if (!strcmp(spacing, "leading") || !strcmp(spacing, "trailing") || !strcmp(spacing, "linspace"))
        add_word(t, "timestep_spacing", spacing);
    if (!strcmp(mdm_options_text(o, "threshold"), "true"))
        mdm_text_addf(t,
                      ",\n  \"thresholding\": true,\n  \"dynamic_thresholding_ratio\": %s,\n  "
                      "\"sample_max_value\": %s",
                      mdm_options_text(o, "threshold_share"), mdm_options_text(o, "threshold_max"));
}

static int describe_scheduler(struct mdm_text *t, const maskdm_model *model)
{
    mdm_text_add(t, "{\n  \"_class_name\": \"DDPMScheduler\",\n  " VERSION);
    add_word(t, "prediction_type", prediction_of(model->scheduler));
    if (says_ddpm(model)) {
        describe_drawing(t, model->sampler);
    } else {
        add_word(t, "variance_type", "fixed_small");
        add_bool(t, "clip_sample", 1);
    }
    MDM_TRY(mdm_export_betas(t, model->scheduler));
    mdm_text_add(t, "\n}\n");
    return MASKDM_OK;
}

static void describe_pipeline(struct mdm_text *t)
{
    mdm_text_add(t, "{\n  \"_class_name\": \"DDPMPipeline\",\n  " VERSION
                    ",\n  \"scheduler\": [\"diffusers\", \"DDPMScheduler\"],\n  \"unet\": [\"diffusers\", "
                    "\"UNet2DModel\"]\n}\n");
}

/* ---- files ---- */

static int write_weights(const maskdm_model *model, int dtype, const char *path)
{
    struct mdm_narrow narrow;
    struct mdm_safetensors_writer *w;
    int status = mdm_narrow_begin(&narrow, model->device, model->ema, dtype);

    if (status == MASKDM_OK)
        status = mdm_narrow_check(&narrow, &model->layout);
    if (status == MASKDM_OK)
        status = mdm_safetensors_writer_create(&w);
    if (status == MASKDM_OK) {
        status = mdm_safetensors_writer_meta(w, "format", "pt");
        if (status == MASKDM_OK)
            status = mdm_narrow_write(&narrow, w, &model->layout, "");
        if (status == MASKDM_OK)
            status = mdm_safetensors_writer_save(w, path, 0);
        mdm_safetensors_writer_release(&w);
    }
    mdm_narrow_end(&narrow);
    return status;
}

static int refuse_entry(void *user, const char *name, enum mdm_file_kind kind)
{
    (void)kind;
    (void)user;
    return mdm_fail(MASKDM_EINVAL, "the folder is not empty: it holds %s; a pipeline is written into a new one", name);
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

static int write_unet(const maskdm_model *model, const struct mdm_unet_options *u, int dtype, const char *folder)
{
    struct mdm_text text = {0};
    char *weights = mdm_path_join(folder, "diffusion_pytorch_model.safetensors");
    int status = weights ? write_weights(model, dtype, weights) : MASKDM_ENOMEM;

    mdm_free(weights);
    MDM_TRY(status);
    describe_network(&text, model, u);
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

static void tell(const maskdm_model *model, const struct mdm_log *log)
{
    if (model->online)
        mdm_log_line(log, MASKDM_LOG_WARN,
                     "a pipeline has one set of weights: the EMA's are taken, the online ones are not");
    if (model->sampler && !says_ddpm(model))
        mdm_log_line(log, MASKDM_LOG_WARN, "the model is drawn by %s; the folder's scheduler is DDPM's",
                     mdm_options_text(model->sampler, "sampler"));
    if (model->geometry.classes)
        mdm_log_line(log, MASKDM_LOG_WARN,
                     "DDPMPipeline gives the network no labels, of which it has %lld: a pipeline of one's own does",
                     (long long)model->geometry.classes);
}

int mdm_export_diffusers(const maskdm_model *model, int dtype, const struct mdm_log *log, const char *out)
{
    struct mdm_text index = {0}, betas = {0};
    char *unet = NULL, *scheduler = NULL;
    struct mdm_unet_options u;
    enum mdm_file_kind kind;
    int status;

    if (strcmp(model->network->name, "unet") != 0)
        return mdm_fail(MASKDM_ENOTSUP, "folders of diffusers are written of network unet, not of %s",
                        model->network->name);
    mdm_options_read(model->options, &mdm_unet_options, &u);
    MDM_TRY(check(model, &u));
    status = mdm_export_betas(&betas, model->scheduler); /* judged before anything is made */
    mdm_text_free(&betas);
    MDM_TRY(status);
    MDM_TRY(mdm_file_kind_of(&kind, out));
    if (kind == MDM_FILE_FOLDER)
        MDM_TRY(mdm_folder_list(out, refuse_entry, NULL));
    status = make_part(&unet, out, "unet");
    if (status == MASKDM_OK)
        status = make_part(&scheduler, out, "scheduler");
    if (status == MASKDM_OK)
        status = write_unet(model, &u, dtype, unet);
    if (status == MASKDM_OK)
        status = write_scheduler(model, scheduler);
    mdm_free(unet);
    mdm_free(scheduler);
    MDM_TRY(status);
    describe_pipeline(&index);
    tell(model, log);
    return write_text(out, "model_index.json", &index);
}
