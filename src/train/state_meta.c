/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Options in the metadata of a training state: what a trainer was made with, and whether another was made so too.
 */
#include "train/state_meta.h"

#include "base/alloc.h"
#include "base/error.h"
#include "diffusion/scheduler.h"
#include "model/adapter.h"
#include "tensorfile/safetensors.h"
#include "train/tune.h"
#include "text/json.h"
#include "text/text.h"

#include <string.h>

/* NULL: none, or a mask of the host's, of which its name and how much it leaves are all that is known. */
static const maskdm_options *mask_options(const maskdm_trainer *tr)
{
    return tr->mask && tr->mask->policy != &mdm_mask_none ? tr->mask->options : NULL;
}

/* Of the first step: those of later ones follow from the options. */
static void count_visible(char out[32], const maskdm_trainer *tr)
{
    mdm_format(out, 32, "%lld", (long long)tr->pace.level[0].visible);
}

static const char host_key[] = "maskdm.optimizer.host", lora_key[] = "maskdm.lora.options",
                  base_key[] = "maskdm.lora.base", tune_key[] = "maskdm.consistency.options";

static int write_host_rules(struct mdm_safetensors_writer *w, const struct mdm_host_rules *rules)
{
    struct mdm_text text = {0};
    int status;

    mdm_host_rules_write(rules, &text);
    status = mdm_text_ok(&text);
    if (status == MASKDM_OK && text.length)
        status = mdm_safetensors_writer_meta(w, host_key, text.data);
    mdm_text_free(&text);
    return status;
}

static const char stage_key[] = "maskdm.stage";

static void tell_stage(char out[64], const maskdm_trainer *tr)
{
    mdm_format(out, 64, "%lld, from step %lld", (long long)tr->stage_number, (long long)tr->stage_first);
}

/* Nothing of the first, which begins as a run without stages does. */
static int write_stage(struct mdm_safetensors_writer *w, const maskdm_trainer *tr)
{
    char stage[64];

    tell_stage(stage, tr);
    return tr->stage_number > 1 ? mdm_safetensors_writer_meta(w, stage_key, stage) : MASKDM_OK;
}

static int compare_stage(struct mdm_tensorfile *s, const maskdm_trainer *tr)
{
    const char *theirs = mdm_tensorfile_meta(s, stage_key);
    char ours[64];

    tell_stage(ours, tr);
    if (!strcmp(theirs ? theirs : "1, from step 0", ours))
        return MASKDM_OK;
    return mdm_fail(MASKDM_EINVAL, "the file's stage is %s, this one %s", theirs ? theirs : "the first", ours);
}

int mdm_state_write_meta(struct mdm_safetensors_writer *w, const maskdm_trainer *tr)
{
    const struct {
        const char *key;
        const maskdm_options *options;
    } part[] = {{"maskdm.trainer.options", tr->options},
                {"maskdm.optimizer.options", tr->optimizer->options},
                {"maskdm.ema.options", tr->optimizer->ema_options},
                {"maskdm.mask.options", mask_options(tr)},
                {tune_key, tr->tune ? tr->tune->options : NULL},
                {lora_key, tr->model->adapter ? tr->model->adapter->options : NULL}};
    struct mdm_text text = {0};
    char step[32], visible[32];
    int status;

    MDM_TRY(mdm_model_write_meta(w, tr->model));
    MDM_TRY(mdm_safetensors_writer_meta(w, "maskdm.kind", "state"));
    mdm_format(step, sizeof step, "%lld", (long long)(tr->stage_first + tr->optimizer->steps));
    MDM_TRY(mdm_safetensors_writer_meta(w, "maskdm.step", step));
    MDM_TRY(write_stage(w, tr));
    for (size_t i = 0; i < MDM_LENGTH(part); i++) {
        if (!part[i].options)
            continue;
        mdm_options_write_json(part[i].options, &text);
        status = mdm_text_ok(&text);
        if (status == MASKDM_OK)
            status = mdm_safetensors_writer_meta(w, part[i].key, text.data);
        mdm_text_free(&text);
        MDM_TRY(status);
    }
    MDM_TRY(write_host_rules(w, &tr->optimizer->host));
    if (tr->model->adapter)
        MDM_TRY(mdm_safetensors_writer_meta(w, base_key, tr->model->adapter->base));
    count_visible(visible, tr);
    MDM_TRY(mdm_safetensors_writer_meta(w, "maskdm.mask", mdm_mask_name(tr->mask)));
    MDM_TRY(mdm_safetensors_writer_meta(w, "maskdm.visible", visible));
    return *tr->data ? mdm_safetensors_writer_meta(w, "maskdm.data", tr->data) : MASKDM_OK;
}

/* What may differ is ours. */
static int allow(maskdm_options *theirs, const maskdm_options *ours, const char *const *may_differ)
{
    for (; may_differ && *may_differ; may_differ++)
        if (mdm_options_text(ours, *may_differ))
            MDM_TRY(mdm_options_set(theirs, *may_differ, mdm_options_text(ours, *may_differ)));
    return MASKDM_OK;
}

static int compare_json(struct mdm_tensorfile *s, const char *key, const char *what, const maskdm_options *ours,
                        const char *const *may_differ)
{
    const char *json = mdm_tensorfile_meta(s, key), *name;
    char *theirs = NULL, *mine = NULL;
    maskdm_options *o;
    struct mdm_json j;
    int status;

    if (!json)
        return mdm_fail(MASKDM_EFORMAT, "metadata entry \"%s\" is missing", key);
    MDM_TRY(mdm_options_create(&o, mdm_options_kind(ours)));
    mdm_json_open(&j, json, strlen(json));
    status = mdm_options_read_json(o, &j);
    if (status == MASKDM_OK)
        status = mdm_json_expect(&j, MDM_JSON_END);
    mdm_json_close(&j);
    if (status < 0 && status != MASKDM_ENOMEM)
        status = mdm_fail_prefix(MASKDM_EFORMAT, "metadata entry \"%s\"", key);
    if (status == MASKDM_OK)
        status = allow(o, ours, may_differ);
    if (status == MASKDM_OK)
        status = mdm_options_difference(o, ours, &name, &theirs, &mine);
    if (status == MASKDM_OK && name)
        status = mdm_fail(MASKDM_EINVAL, "the file's %s has %s %s, this one %s", what, name, theirs, mine);
    mdm_free(theirs);
    mdm_free(mine);
    mdm_options_release(&o);
    return status;
}

static int compare_text(struct mdm_tensorfile *s, const char *key, const char *what, const char *ours)
{
    const char *theirs = mdm_tensorfile_meta(s, key);

    if (!theirs)
        return mdm_fail(MASKDM_EFORMAT, "metadata entry \"%s\" is missing", key);
    if (strcmp(theirs, ours) != 0)
        return mdm_fail(MASKDM_EINVAL, "the file's %s is %s, this one %s", what, theirs, ours);
    return MASKDM_OK;
}

/* Adapters, and what they stand beside. */
static int compare_adapter(struct mdm_tensorfile *s, const struct mdm_adapter *ours)
{
    if (!ours && mdm_tensorfile_meta(s, lora_key))
        return mdm_fail(MASKDM_EINVAL, "the file is of a trainer of adapters, this one trains the weights");
    if (ours && !mdm_tensorfile_meta(s, lora_key))
        return mdm_fail(MASKDM_EINVAL, "the file is of a trainer of weights, this one trains adapters");
    if (!ours)
        return MASKDM_OK;
    MDM_TRY(compare_json(s, lora_key, "adapter", ours->options, NULL));
    return compare_text(s, base_key, "digest of the weights beside its adapters", ours->base);
}

static int compare_tuning(struct mdm_tensorfile *s, const struct mdm_tune *ours)
{
    if (!ours && mdm_tensorfile_meta(s, tune_key))
        return mdm_fail(MASKDM_EINVAL,
                        "the file is of a trainer that tunes for consistency, which this one does not");
    if (ours && !mdm_tensorfile_meta(s, tune_key))
        return mdm_fail(MASKDM_EINVAL, "this trainer tunes for consistency, which that of the file did not");
    return ours ? compare_json(s, tune_key, "consistency tuning", ours->options, NULL) : MASKDM_OK;
}

int mdm_state_compare(struct mdm_tensorfile *s, const maskdm_trainer *tr, const char *const *may_differ)
{
    char visible[32];

    MDM_TRY(compare_stage(s, tr));
    MDM_TRY(compare_text(s, "maskdm.network", "network", tr->model->network->name));
    MDM_TRY(compare_json(s, "maskdm.network.options", "network", tr->model->options, NULL));
    MDM_TRY(compare_json(s, "maskdm.scheduler.options", "scheduler", tr->model->scheduler->options, NULL));
    MDM_TRY(compare_json(s, "maskdm.optimizer.options", "optimizer", tr->optimizer->options, may_differ));
    MDM_TRY(compare_json(s, "maskdm.ema.options", "average", tr->optimizer->ema_options, may_differ));
    MDM_TRY(compare_json(s, "maskdm.trainer.options", "trainer", tr->options, NULL));
    MDM_TRY(compare_tuning(s, tr->tune));
    MDM_TRY(compare_adapter(s, tr->model->adapter));
    MDM_TRY(compare_text(s, "maskdm.mask", "mask", mdm_mask_name(tr->mask)));
    if (mask_options(tr))
        MDM_TRY(compare_json(s, "maskdm.mask.options", "mask", mask_options(tr), NULL));
    count_visible(visible, tr);
    return compare_text(s, "maskdm.visible", "number of visible patches", visible);
}

int mdm_state_read_host(struct mdm_host_rules *rules, const struct mdm_tensorfile *s, const maskdm_optimizer *o,
                        const char *const *may_differ)
{
    int status = mdm_host_rules_read(rules, mdm_tensorfile_meta(s, host_key));

    if (status < 0)
        return mdm_fail_prefix(status, "metadata entry \"%s\"", host_key);
    for (; may_differ && *may_differ; may_differ++)
        if (!strcmp(*may_differ, "lr"))
            rules->lr = o->host.lr;
    return MASKDM_OK;
}

int mdm_state_check_names(const maskdm_optimizer *o, const char *const *may_differ)
{
    for (; *may_differ; may_differ++)
        if (!mdm_options_text(o->options, *may_differ) && !mdm_options_text(o->ema_options, *may_differ))
            return mdm_fail(MASKDM_ENOTFOUND, "neither the optimizer nor the average has an option \"%.80s\"",
                            *may_differ);
    return MASKDM_OK;
}
