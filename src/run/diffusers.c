/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A model from a folder of diffusers: its settings become options, its weights a block, and the average beside them,
 * where a training left one, the block that is sampled from.
 */
#include "run/diffusers.h"

#include "base/alloc.h"
#include "base/error.h"
#include "diffusion/options.h"
#include "diffusion/scheduler.h"
#include "model/options.h"
#include "tensorfile/tensorfile.h"

#include <string.h>

enum { NAME_LENGTH = 256 };

/* ---- settings ---- */

/* A folder knows of no patches: those of a mask to come have 4 pixels, or as many as divide the sides. */
static int set_patch(maskdm_options *o)
{
    struct mdm_unet_options set;
    int64_t patch = 4;

    mdm_options_read(o, &mdm_unet_options, &set);
    for (int i = 0; i < set.image_size.count; i++)
        while (set.image_size.value[i] % patch)
            patch /= 2;
    return mdm_options_set_int(o, "patch_size", patch);
}

static int read_unet(maskdm_options **out, const char *path, const maskdm_options *options,
                     const struct mdm_convert_run_options *told, const struct mdm_log *log)
{
    const int sized = told->image_size.count > 0;
    struct mdm_config c;
    int status;

    MDM_TRY(mdm_options_create(out, &mdm_unet_kind));
    status = mdm_config_read_file(&c, path);
    if (status >= 0) {
        status = mdm_diffusers_unet(*out, &c, sized, log);
        if (status < 0)
            status = mdm_fail_prefix(status, "%s", path);
    }
    mdm_config_free(&c);
    MDM_TRY(status);
    if (sized)
        MDM_TRY(mdm_options_set(*out, "image_size", mdm_options_text(options, "image_size")));
    return set_patch(*out);
}

static int read_scheduler_file(maskdm_options *o, maskdm_options *sampler, const char *path,
                               const struct mdm_log *log)
{
    struct mdm_config c;
    int status = mdm_config_read_file(&c, path);

    if (status >= 0) {
        status = mdm_diffusers_scheduler(o, sampler, &c, log);
        if (status < 0)
            status = mdm_fail_prefix(status, "%s", path);
    }
    mdm_config_free(&c);
    return status;
}

/* What the caller asks for must agree with the file, which says the rest. */
static int read_scheduler(maskdm_scheduler **out, maskdm_options *sampler, const char *path,
                          const maskdm_options *options, const struct mdm_log *log)
{
    maskdm_options *asked = NULL, *said = NULL;
    const char *name = NULL;
    int status;

    *out = NULL;
    if (!path) {
        mdm_log_line(log, MASKDM_LOG_WARN, "no scheduler_config.json: process and schedule are what the options say");
        return mdm_scheduler_create(out, options);
    }
    MDM_TRY(mdm_options_extract(&asked, options, &mdm_scheduler_kind));
    status = mdm_options_create(&said, &mdm_scheduler_kind);
    if (status >= 0)
        status = read_scheduler_file(said, sampler, path, log);
    if (status >= 0)
        status = mdm_options_follow(asked, said, &name);
    if (status >= 0 && name)
        status = mdm_fail(MASKDM_EINVAL, "%s is %s, but %s says %s", mdm_options_said(options, name),
                          mdm_options_text(asked, name), path, mdm_options_text(said, name));
    if (status >= 0)
        status = mdm_scheduler_create(out, asked);
    mdm_options_release(&asked);
    mdm_options_release(&said);
    return status;
}

/* ---- weights ---- */

static const struct {
    const char *old, *now;
} renamed[] = {{"query", "to_q"}, {"key", "to_k"}, {"value", "to_v"}, {"proj_attn", "to_out.0"}};

/* "a.attentions.0.query.weight" to "a.attentions.0.to_q.weight": names that diffusers' attention had at first. */
static int rename_tensor(char **name, int *changed)
{
    const char *attention = strstr(*name, "attentions."), *last = strrchr(*name, '.'), *part = last;
    char fresh[NAME_LENGTH];

    while (part && part > *name && part[-1] != '.')
        part--;
    if (!attention || !part || part < attention)
        return MASKDM_OK;
    for (size_t i = 0; i < MDM_LENGTH(renamed); i++) {
        const size_t n = strlen(renamed[i].old);
        char *copy;

        if ((size_t)(last - part) != n || memcmp(part, renamed[i].old, n) || strlen(*name) + 8 > sizeof fresh)
            continue;
        mdm_format(fresh, sizeof fresh, "%.*s%s%s", (int)(part - *name), *name, renamed[i].now, last);
        copy = mdm_strdup(fresh);
        if (!copy)
            return mdm_fail_memory(sizeof fresh, "a tensor's name");
        mdm_free(*name);
        *name = copy;
        *changed = 1;
        return MASKDM_OK;
    }
    return MASKDM_OK;
}

static int rename_all(struct mdm_tensorfile *s, const struct mdm_log *log)
{
    int changed = 0;

    for (int64_t i = 0; i < s->count; i++)
        MDM_TRY(rename_tensor(&s->tensor[i].name, &changed));
    if (changed)
        mdm_log_line(log, MASKDM_LOG_INFO,
                     "attention's query, key, value and proj_attn are read as to_q, to_k, to_v "
                     "and to_out.0");
    return changed ? mdm_tensorfile_reindex(s) : MASKDM_OK;
}

static int check_strangers(const struct mdm_tensorfile *s, const struct mdm_params *layout)
{
    for (int64_t i = 0; i < s->count; i++)
        if (mdm_params_find(layout, s->tensor[i].name) < 0)
            return mdm_fail(MASKDM_EFORMAT, "tensor \"%.160s\" is none of the network's %d", s->tensor[i].name,
                            layout->count);
    return MASKDM_OK;
}

static int read_weights(const maskdm_model *m, const char *path, float *block, const struct mdm_log *log)
{
    struct mdm_tensorfile s;
    int status;

    MDM_TRY(mdm_tensorfile_open(&s, path));
    status = rename_all(&s, log);
    if (status >= 0)
        status = mdm_model_check_block(&s, &m->layout, "");
    if (status >= 0)
        status = check_strangers(&s, &m->layout);
    if (status >= 0)
        status = mdm_model_read_block(m->device, &s, &m->layout, "", block);
    mdm_tensorfile_close(&s);
    return status < 0 ? mdm_fail_prefix(status, "%s", path) : MASKDM_OK;
}

/* ---- all ---- */

static int leaves_out(int *out, const maskdm_options *options, const char *option, const char *value)
{
    *out = !strcmp(value, "none");
    if (*value && !*out)
        return mdm_fail(MASKDM_EINVAL,
                        "%s is \"%.80s\", but a folder has its weights in unet and unet_ema; only none "
                        "leaves one out",
                        mdm_options_said(options, option), value);
    return MASKDM_OK;
}

/* Which sets the model takes; at least one. */
static int choose_weights(struct mdm_diffusers_folder *f, const maskdm_options *options,
                          const struct mdm_convert_run_options *told)
{
    int no_average, no_online;

    if (told->heads)
        return mdm_fail(MASKDM_EINVAL, "%s is for checkpoints that do not say it; the folder's config.json does",
                        mdm_options_said(options, "heads"));
    MDM_TRY(leaves_out(&no_average, options, "ema_from", told->ema_from));
    MDM_TRY(leaves_out(&no_online, options, "online_from", told->online_from));
    if (no_average) {
        mdm_free(f->average);
        f->average = NULL;
    }
    if (no_online && !f->average)
        return mdm_fail(MASKDM_EINVAL, "%s is none, but the folder has no other weights",
                        mdm_options_said(options, "online_from"));
    if (no_online) {
        mdm_free(f->weights);
        f->weights = NULL;
    }
    return MASKDM_OK;
}

static int fill(maskdm_model *m, const struct mdm_diffusers_folder *f, const struct mdm_log *log)
{
    const int two = f->average && f->weights;

    MDM_TRY(mdm_model_take(m, two));
    MDM_TRY(read_weights(m, f->average ? f->average : f->weights, m->ema, log));
    mdm_log_line(log, MASKDM_LOG_INFO, "weights: %s from %s", f->average ? "EMA" : "one set",
                 f->average ? f->average : f->weights);
    if (!two)
        return MASKDM_OK;
    mdm_log_line(log, MASKDM_LOG_INFO, "weights: online from %s", f->weights);
    return read_weights(m, f->weights, m->online, log);
}

static int make(maskdm_model **out, maskdm_device *device, struct mdm_diffusers_folder *f,
                const maskdm_options *options, const struct mdm_convert_run_options *told, const struct mdm_log *log)
{
    maskdm_options *network = NULL, *sampler = NULL;
    maskdm_scheduler *scheduler = NULL;
    int status = choose_weights(f, options, told);

    if (status >= 0)
        status = read_unet(&network, f->unet, options, told, log);
    if (status >= 0)
        status = mdm_options_create(&sampler, &mdm_sampler_kind);
    if (status >= 0)
        status = read_scheduler(&scheduler, sampler, f->scheduler, options, log);
    if (status >= 0)
        status = mdm_model_shell(out, device, "unet", network, scheduler);
    if (status >= 0 && f->scheduler) {
        (*out)->sampler = sampler;
        sampler = NULL;
    }
    if (status >= 0)
        status = fill(*out, f, log);
    mdm_scheduler_drop(&scheduler);
    mdm_options_release(&network);
    mdm_options_release(&sampler);
    if (status < 0)
        mdm_model_drop(out);
    return status;
}

int mdm_diffusers_model(maskdm_model **out, maskdm_device *device, const maskdm_options *options,
                        const struct mdm_convert_run_options *told, const struct mdm_log *log)
{
    struct mdm_diffusers_folder f;
    int status;

    *out = NULL;
    MDM_TRY(mdm_diffusers_find(&f, told->from, log));
    status = make(out, device, &f, options, told, log);
    mdm_diffusers_folder_free(&f);
    return status;
}
