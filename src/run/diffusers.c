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

#include <string.h>

/* ---- settings ---- */

/* A U-Net knows of no patches: those of a mask to come have 4 pixels, or as many as divide the sides. */
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

static int read_unet(maskdm_options *o, const struct mdm_config *c, int sized, const struct mdm_log *log)
{
    MDM_TRY(mdm_diffusers_unet(o, c, sized, log));
    return sized ? MASKDM_OK : set_patch(o);
}

/* Which network a configuration is of; the first where it does not say. */
static const struct mdm_diffusers_class {
    const char *name; /* "A|B": of classes there */
    const char *network;
    int (*read)(maskdm_options *o, const struct mdm_config *c, int sized, const struct mdm_log *log);
    int (*names)(struct mdm_params *out, struct mdm_params *copies, const maskdm_model *m); /* NULL: as here */
} classes[] = {{"UNet2DModel", "unet", read_unet, NULL},
               {"DiTTransformer2DModel|Transformer2DModel", "dit", mdm_diffusers_dit, mdm_diffusers_dit_names}};

static const struct mdm_diffusers_class *class_of(const struct mdm_config *c)
{
    const struct mdm_config_entry *e = mdm_config_find(c, "_class_name");

    for (size_t i = 0; e && i < MDM_LENGTH(classes); i++)
        for (const char *at = classes[i].name; at; at = strchr(at, '|') ? strchr(at, '|') + 1 : NULL)
            if (strcspn(at, "|") == strlen(e->text) && !strncmp(at, e->text, strlen(e->text)))
                return &classes[i];
    return &classes[0];
}

static int read_network_of(maskdm_options **out, const struct mdm_diffusers_class *kind, const struct mdm_config *c,
                           const maskdm_options *options, int sized, const struct mdm_log *log)
{
    MDM_TRY(mdm_options_create(out, mdm_network_find(kind->network)->kind));
    MDM_TRY(kind->read(*out, c, sized, log));
    if (!sized)
        return MASKDM_OK;
    MDM_TRY(mdm_options_set(*out, "image_size", mdm_options_text(options, "image_size")));
    return set_patch(*out);
}

static int read_network(maskdm_options **out, const struct mdm_diffusers_class **kind, const char *path,
                        const maskdm_options *options, int sized, const struct mdm_log *log)
{
    struct mdm_config c;
    int status = mdm_config_read_file(&c, path);

    if (status >= 0) {
        *kind = class_of(&c);
        status = read_network_of(out, *kind, &c, options, sized, log);
        if (status < 0)
            status = mdm_fail_prefix(status, "%s", path);
    }
    mdm_config_free(&c);
    return status;
}

/* A pipeline's index may name another class than the scheduler's own file, as one does whose scheduler was swapped.
 */
static void tell_other(const struct mdm_config *c, const char *named, const struct mdm_log *log)
{
    static const char from[] = "diffusers,";
    const struct mdm_config_entry *e = mdm_config_find(c, "_class_name");
    const char *name = named && !strncmp(named, from, sizeof from - 1) ? named + sizeof from - 1 : named;

    if (e && name && *name && strcmp(e->text, name) != 0)
        mdm_log_line(log, MASKDM_LOG_WARN,
                     "model_index.json names the scheduler %.80s, and scheduler_config.json %.80s, which is followed",
                     name, e->text);
}

static int read_scheduler_file(maskdm_options *o, maskdm_options *sampler, const char *path, const char *named,
                               const struct mdm_log *log)
{
    struct mdm_config c;
    int status = mdm_config_read_file(&c, path);

    if (status >= 0) {
        tell_other(&c, named, log);
        status = mdm_diffusers_scheduler(o, sampler, &c, log);
        if (status < 0)
            status = mdm_fail_prefix(status, "%s", path);
    }
    mdm_config_free(&c);
    return status;
}

/* What the caller asks for must agree with the file, which says the rest. */
static int read_scheduler(maskdm_scheduler **out, maskdm_options *sampler, const struct mdm_diffusers_folder *f,
                          const maskdm_options *options, const struct mdm_log *log)
{
    const char *path = f->scheduler;
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
        status = read_scheduler_file(said, sampler, path, f->named, log);
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

/* The EMA's, or the only set, and the online one. What no file has is as in a fresh network. */
static int read_sets(maskdm_model *m, const struct mdm_diffusers_folder *f, const struct mdm_params *names,
                     const struct mdm_params *copies, const struct mdm_log *log)
{
    const int two = f->average && f->weights;

    MDM_TRY(mdm_model_take(m, two));
    if (names != &m->layout)
        MDM_TRY(mdm_model_draw(m, 0));
    if (names != &m->layout && two)
        MDM_TRY(mdm_device_copy(m->device, m->online, m->ema, mdm_model_bytes(m)));
    MDM_TRY(mdm_diffusers_weights(m, f->average ? f->average : f->weights, names, copies, m->ema, log));
    mdm_log_line(log, MASKDM_LOG_INFO, "weights: %s from %s", f->average ? "EMA" : "one set",
                 f->average ? f->average : f->weights);
    if (!two)
        return MASKDM_OK;
    mdm_log_line(log, MASKDM_LOG_INFO, "weights: online from %s", f->weights);
    return mdm_diffusers_weights(m, f->weights, names, copies, m->online, log);
}

static int fill(maskdm_model *m, const struct mdm_diffusers_class *kind, const struct mdm_diffusers_folder *f,
                const struct mdm_log *log)
{
    struct mdm_params names = {0}, copies = {0};
    int status = kind->names ? kind->names(&names, &copies, m) : MASKDM_OK;

    if (status >= 0)
        status = read_sets(m, f, kind->names ? &names : &m->layout, &copies, log);
    mdm_params_free(&names);
    mdm_params_free(&copies);
    return status;
}

static int make(maskdm_model **out, maskdm_device *device, struct mdm_diffusers_folder *f,
                const maskdm_options *options, const struct mdm_convert_run_options *told, const struct mdm_log *log)
{
    maskdm_options *network = NULL, *sampler = NULL;
    maskdm_scheduler *scheduler = NULL;
    const struct mdm_diffusers_class *kind = NULL;
    int status = choose_weights(f, options, told);

    if (status >= 0)
        status = read_network(&network, &kind, f->network, options, told->image_size.count > 0, log);
    if (status >= 0)
        status = mdm_options_create(&sampler, &mdm_sampler_kind);
    if (status >= 0)
        status = read_scheduler(&scheduler, sampler, f, options, log);
    if (status >= 0)
        status = mdm_model_shell(out, device, kind->network, network, scheduler);
    if (status >= 0 && f->scheduler) {
        (*out)->sampler = sampler;
        sampler = NULL;
    }
    if (status >= 0)
        status = fill(*out, kind, f, log);
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
