/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Which files of a folder are meant. A pipeline's parts are folders of its own, or, in the oldest ones, files beside
 * model_index.json.
 */
#include "run/diffusers.h"

#include "base/alloc.h"
#include "base/error.h"
#include "os/file.h"
#include "text/json.h"

#include <string.h>

#define WEIGHTS "diffusion_pytorch_model"

void mdm_diffusers_folder_free(struct mdm_diffusers_folder *f)
{
    mdm_free(f->network);
    mdm_free(f->scheduler);
    mdm_free(f->weights);
    mdm_free(f->average);
    mdm_free(f->named);
    *f = (struct mdm_diffusers_folder){0};
}

/* "folder/name" where a file stands, else NULL. */
static int find_file(char **out, const char *folder, const char *name)
{
    enum mdm_file_kind kind = MDM_FILE_NONE;
    char *path = mdm_path_join(folder, name);
    int status = path ? mdm_file_kind_of(&kind, path) : MASKDM_ENOMEM;

    *out = NULL;
    if (status >= 0 && kind == MDM_FILE_REGULAR) {
        *out = path;
        return MASKDM_OK;
    }
    mdm_free(path);
    return status;
}

/* "folder/part", or "folder" where there is no such folder and it may stand for it. */
static int find_part(char **out, const char *folder, const char *part, int or_itself)
{
    enum mdm_file_kind kind;
    char *path = mdm_path_join(folder, part);
    int status = path ? mdm_file_kind_of(&kind, path) : MASKDM_ENOMEM;

    *out = NULL;
    if (status >= 0 && kind == MDM_FILE_FOLDER) {
        *out = path;
        return MASKDM_OK;
    }
    mdm_free(path);
    if (status >= 0 && or_itself) {
        *out = mdm_strdup(folder);
        status = *out ? MASKDM_OK : mdm_fail_memory(strlen(folder) + 1, "a path");
    }
    return status;
}

/* ---- weights ---- */

/* A file of weights and what may stand beside it. */
static const struct {
    const char *name, *says;
} variants[] = {{WEIGHTS ".safetensors", NULL},
                {WEIGHTS ".bin", NULL},
                {WEIGHTS ".fp16.safetensors", "in half precision"},
                {WEIGHTS ".fp16.bin", "in half precision"}};

/* The first that is there; others are told. */
static int find_weights(char **out, const char *folder, const struct mdm_log *log)
{
    char *path = NULL;

    *out = NULL;
    for (size_t i = 0; i < MDM_LENGTH(variants); i++) {
        MDM_TRY(find_file(&path, folder, variants[i].name));
        if (path && *out)
            mdm_log_line(log, MASKDM_LOG_INFO, "not used: %s, another file of the weights", path);
        else if (path && variants[i].says)
            mdm_log_line(log, MASKDM_LOG_WARN, "%s has the weights %s", path, variants[i].says);
        if (*out)
            mdm_free(path);
        else
            *out = path;
    }
    if (*out)
        return MASKDM_OK;
    MDM_TRY(find_file(&path, folder, WEIGHTS ".safetensors.index.json"));
    if (path) {
        mdm_free(path);
        return mdm_fail(MASKDM_ENOTSUP,
                        "%s has weights in several files (" WEIGHTS ".safetensors.index.json), which are not read",
                        folder);
    }
    return mdm_fail(MASKDM_ENOTFOUND, "%s has neither " WEIGHTS ".safetensors nor " WEIGHTS ".bin", folder);
}

/* ---- the pipeline ---- */

static const char dit[] = "DiTPipeline"; /* of pixels, without the part that makes images of latents */

/* What model_index.json may say: any other part that is there would be left out. */
static int check_index(const struct mdm_config *c)
{
    static const char *const pipelines[] = {"DDPMPipeline", "DDIMPipeline", "PNDMPipeline", "DiffusionPipeline"};
    const struct mdm_config_entry *name = mdm_config_find(c, "_class_name"), *unet = mdm_config_find(c, "unet");
    int known = name && !strcmp(name->text, dit);

    for (size_t i = 0; name && i < MDM_LENGTH(pipelines); i++)
        known |= !strcmp(name->text, pipelines[i]);
    if (!known)
        return mdm_fail(MASKDM_ENOTSUP, "\"_class_name\" is \"%.80s\", which is not built; DDPMPipeline is",
                        name ? name->text : "(missing)");
    if (strcmp(name->text, dit) && (!unet || strcmp(unet->text, "diffusers,UNet2DModel")))
        return mdm_fail(MASKDM_ENOTSUP, "\"unet\" is \"%.80s\", which is not built; diffusers,UNet2DModel is",
                        unet ? unet->text : "(missing)");
    for (int i = 0; i < c->count; i++) {
        const struct mdm_config_entry *e = &c->entry[i];

        if (e->key[0] != '_' && strcmp(e->key, "unet") && strcmp(e->key, "scheduler") && strcmp(e->text, "null") &&
            strcmp(e->text, "null,null") && !(!strcmp(name->text, dit) && !strcmp(e->key, "transformer")))
            return mdm_fail(MASKDM_ENOTSUP, "\"%.80s\" (%.80s) is a part that is not built", e->key, e->text);
    }
    return MASKDM_OK;
}

static int keep_named(char **named, const struct mdm_config *c)
{
    const struct mdm_config_entry *e = mdm_config_find(c, "scheduler");

    if (!e)
        return MASKDM_OK;
    *named = mdm_strdup(e->text);
    return *named ? MASKDM_OK : mdm_fail_memory(strlen(e->text) + 1, "a scheduler's class");
}

static int read_index(char **named, const char *path)
{
    struct mdm_config c;
    int status = mdm_config_read_file(&c, path);

    if (status >= 0) {
        status = check_index(&c);
        if (status < 0)
            status = mdm_fail_prefix(status, "%s", path);
    }
    if (status >= 0)
        status = keep_named(named, &c);
    mdm_config_free(&c);
    return status;
}

/* ---- all ---- */

/* People give a run's folder for the model in it. */
static int refuse_other(const char *folder)
{
    char *model;
    int status = find_file(&model, folder, "model.safetensors");

    if (status < 0)
        return status;
    status =
        model ? mdm_fail(MASKDM_EINVAL, "%s is a folder, but none of diffusers: the model in it is %s", folder, model)
              : mdm_fail(MASKDM_ENOTFOUND, "%s has no config.json: no folder of diffusers", folder);
    mdm_free(model);
    return status;
}

static int find_in(struct mdm_diffusers_folder *f, const char *network, const char *scheduler, const char *average,
                   const struct mdm_log *log)
{
    MDM_TRY(find_file(&f->network, network, "config.json"));
    if (!f->network)
        return refuse_other(network);
    MDM_TRY(find_file(&f->scheduler, scheduler, "scheduler_config.json"));
    MDM_TRY(find_weights(&f->weights, network, log));
    return average ? find_weights(&f->average, average, log) : MASKDM_OK;
}

/* The network's folder, which may be the folder itself, and that of an average beside it. */
static int find_network(char **network, char **average, const char *folder)
{
    MDM_TRY(find_part(network, folder, "transformer", 0));
    if (*network)
        return find_part(average, folder, "transformer_ema", 0);
    MDM_TRY(find_part(network, folder, "unet", 1));
    return find_part(average, folder, "unet_ema", 0);
}

int mdm_diffusers_find(struct mdm_diffusers_folder *f, const char *folder, const struct mdm_log *log)
{
    char *index = NULL, *network = NULL, *scheduler = NULL, *average = NULL;
    int status;

    *f = (struct mdm_diffusers_folder){0};
    status = find_file(&index, folder, "model_index.json");
    if (status >= 0 && index)
        status = read_index(&f->named, index);
    if (status >= 0)
        status = find_network(&network, &average, folder);
    if (status >= 0)
        status = find_part(&scheduler, folder, "scheduler", 1);
    if (status >= 0)
        status = find_in(f, network, scheduler, average, log);
    mdm_free(index);
    mdm_free(network);
    mdm_free(scheduler);
    mdm_free(average);
    if (status < 0)
        mdm_diffusers_folder_free(f);
    return status;
}
