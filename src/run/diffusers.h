/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A folder that diffusers wrote: a pipeline's (model_index.json, with unet/ and scheduler/ or with their files beside
 * it), a training checkpoint's (unet/, and the average in unet_ema/), or a U-Net's alone; with transformer/ in unet's
 * place, that of a DiT.
 *
 * Of every setting in its files one of three things is known: which option of ours it is, that it changes nothing
 * here, or what values of it are built. Anything else is refused by its name, so that no model means less here than
 * it meant there.
 */
#ifndef MASKDM_RUN_DIFFUSERS_H
#define MASKDM_RUN_DIFFUSERS_H

#include "base/log.h"
#include "model/model.h"
#include "option/option.h"
#include "run/options.h"
#include "text/text.h"

/* ---- diffusers_config.c: a flat JSON object ---- */

enum { MDM_CONFIG_BYTES = 1 << 20, MDM_CONFIG_ENTRIES = 256 };

struct mdm_config_entry {
    char *key;
    int event;  /* of its value: an enum mdm_json_event, of an array's MDM_JSON_ARRAY */
    char *text; /* a scalar's text, true, false or null; an array's elements, separated by commas */
    int nested; /* it is an object, or holds arrays or objects: then `text` is "" */
};
struct mdm_config {
    struct mdm_config_entry *entry;
    int count;
};

/* The caller frees what was read, on failure too. */
int mdm_config_read(struct mdm_config *c, const char *json, size_t bytes);
int mdm_config_read_file(struct mdm_config *c, const char *path);
void mdm_config_free(struct mdm_config *c);
const struct mdm_config_entry *mdm_config_find(const struct mdm_config *c, const char *key); /* NULL: absent */

/* ---- diffusers_row.c ---- */

/* What is known of a setting. */
struct mdm_config_row {
    const char *key;
    const char *option; /* that takes its value; NULL: none does */
    int to;             /* in which of the options handles */
    const char *absent; /* the value where the file has no such setting, as diffusers has it */
    const char *null;   /* the value that null stands for; NULL: null is none that it can have */
    const char *only;   /* "silu|swish": the values that are built; NULL: the option says */
    const char *map;    /* "epsilon=noise|sample=x0": the option's words for them */
    const char *moot;   /* why another value than those in `only` changes nothing here, for a line of the log */
};

/* Each setting of a config must have a row in one of the tables, which end where a key is NULL. */
int mdm_config_check(const struct mdm_config *c, const struct mdm_config_row *const *tables, int count);
/* Set what the rows of a table say. */
int mdm_config_apply(maskdm_options *const *o, const struct mdm_config *c, const struct mdm_config_row *table,
                     const struct mdm_log *log);

/* ---- diffusers_unet.c, diffusers_dit.c, diffusers_scheduler.c ---- */

/* Options of kinds "unet" and "dit"; `sized` where the caller brings an image_size of his own. */
int mdm_diffusers_unet(maskdm_options *o, const struct mdm_config *c, int sized, const struct mdm_log *log);
int mdm_diffusers_dit(maskdm_options *o, const struct mdm_config *c, int sized, const struct mdm_log *log);
/* What a DiT's parameters are called there, at their places in a block of ours, all but the positions; and `copies`
 * of some of them. The caller frees both. */
int mdm_diffusers_dit_names(struct mdm_params *out, struct mdm_params *copies, const maskdm_model *m);
/* Options of kind "scheduler", and of kind "sampler": how it draws. */
int mdm_diffusers_scheduler(maskdm_options *scheduler, maskdm_options *sampler, const struct mdm_config *c,
                            const struct mdm_log *log);

/* ---- diffusers_folder.c ---- */

/* Paths, each NULL or in memory of its own (mdm_free). */
struct mdm_diffusers_folder {
    char *network, *scheduler; /* their configurations */
    char *weights, *average;
    char *named; /* the scheduler's class as model_index.json has it, "diffusers,DDIMScheduler" */
};
int mdm_diffusers_find(struct mdm_diffusers_folder *f, const char *folder, const struct mdm_log *log);
void mdm_diffusers_folder_free(struct mdm_diffusers_folder *f);

/* ---- diffusers_weights.c ---- */

/* Weights of those names in a file into a block of the model's; `copies` must be what the names at their places are.
 */
int mdm_diffusers_weights(const maskdm_model *m, const char *path, const struct mdm_params *names,
                          const struct mdm_params *copies, float *block, const struct mdm_log *log);

/* ---- diffusers.c ---- */

/* The model of a folder; options: kind "convert". */
int mdm_diffusers_model(maskdm_model **out, maskdm_device *device, const maskdm_options *options,
                        const struct mdm_convert_run_options *told, const struct mdm_log *log);

#endif
