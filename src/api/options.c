/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The public side of options, and the list of all kinds.
 */
#include <maskdm/options.h>

#include "api/argument.h"
#include "backend/options.h"
#include "comm/options.h"
#include "data/options.h"
#include "diffusion/consistency.h"
#include "diffusion/options.h"
#include "mask/options.h"
#include "metric/options.h"
#include "model/adapter.h"
#include "model/network.h"
#include "model/options.h"
#include "option/authors.h"
#include "option/option.h"
#include "run/options.h"
#include "sample/options.h"
#include "text/text.h"
#include "train/options.h"

#include <string.h>

enum { LONGEST_LIST = 4096 }; /* values; each option has a bound of its own below */

/* Of networks there is a list already; their kinds come before these. */
static const struct mdm_option_kind *const kinds[] = {
    &mdm_network_kind,  &mdm_mask_kind,    &mdm_scheduler_kind, &mdm_optimizer_kind, &mdm_ema_kind,
    &mdm_folder_kind,   &mdm_device_kind,  &mdm_trainer_kind,   &mdm_sampler_kind,   &mdm_pretrain_kind,
    &mdm_finetune_kind, &mdm_sample_kind,  &mdm_convert_kind,   &mdm_export_kind,    &mdm_average_kind,
    &mdm_image_kind,    &mdm_inpaint_kind,  &mdm_metric_kind,    &mdm_lora_kind,      &mdm_merge_kind,
    &mdm_evaluate_kind, &mdm_train_kind,    &mdm_consistency_kind, &mdm_tune_kind,
    &mdm_plot_kind,     &mdm_pack_kind,     &mdm_survey_kind,    &mdm_comm_kind,
};

static const struct mdm_option_kind *kind_at(int64_t i)
{
    for (int k = 0; i >= 0 && mdm_network_at(k); k++)
        if (i-- == 0)
            return mdm_network_at(k)->kind;
    return i >= 0 && i < (int64_t)MDM_LENGTH(kinds) ? kinds[i] : NULL;
}

static const struct mdm_option_kind *find(const char *name)
{
    const struct mdm_option_kind *kind;

    for (int64_t i = 0; (kind = kind_at(i)); i++)
        if (!strcmp(kind->name, name))
            break;
    return kind;
}

static int need(const struct mdm_option_kind **out, const char *name)
{
    *out = find(name);
    return *out ? MASKDM_OK
                : mdm_fail(MASKDM_ENOTFOUND, "there is no kind of options \"%.80s\"", name);
}

int maskdm_options_create(maskdm_options **out, const char *kind)
{
    const struct mdm_option_kind *k;

    MDM_NEED_OUT(out);
    MDM_NEED(kind);
    MDM_TRY(need(&k, kind));
    return mdm_options_create(out, k);
}

void maskdm_options_release(maskdm_options **options)
{
    if (options)
        mdm_options_release(options);
}

int maskdm_options_clone(maskdm_options **out, const maskdm_options *options)
{
    struct mdm_work work = {0};

    MDM_NEED_OUT(out);
    MDM_NEED(options);
    MDM_TRY(mdm_work_share(&work, mdm_options_handle(options)));
    return mdm_work_end(&work, mdm_options_clone(out, options));
}

int maskdm_options_set_spelling(maskdm_options *options, int spelling)
{
    struct mdm_work work = {0};

    MDM_NEED(options);
    if (spelling != MASKDM_SPELL_NAMES && spelling != MASKDM_SPELL_FLAGS)
        return mdm_fail(MASKDM_EINVAL, "there is no spelling %d of options", spelling);
    MDM_TRY(mdm_work_alone(&work, mdm_options_handle(options)));
    mdm_options_spell(options, (enum maskdm_option_spelling)spelling);
    return mdm_work_end(&work, MASKDM_OK);
}

int maskdm_options_set(maskdm_options *options, const char *name, const char *value)
{
    struct mdm_work work = {0};

    MDM_NEED(options);
    MDM_NEED(name);
    MDM_NEED(value);
    MDM_TRY(mdm_work_alone(&work, mdm_options_handle(options)));
    return mdm_work_end(&work, mdm_options_set(options, name, value));
}

int maskdm_options_set_bool(maskdm_options *options, const char *name, int value)
{
    struct mdm_work work = {0};

    MDM_NEED(options);
    MDM_NEED(name);
    MDM_TRY(mdm_work_alone(&work, mdm_options_handle(options)));
    return mdm_work_end(&work, mdm_options_set_number(options, name, value ? "true" : "false"));
}

/* Sets from a text under construction and frees it. */
static int set_text(maskdm_options *options, const char *name, struct mdm_text *t)
{
    struct mdm_work work = {0};
    int status = mdm_text_ok(t);

    if (status >= 0)
        status = mdm_work_alone(&work, mdm_options_handle(options));
    if (status >= 0)
        status = mdm_work_end(&work, mdm_options_set_number(options, name, t->data));
    mdm_text_free(t);
    return status;
}

int maskdm_options_set_int(maskdm_options *options, const char *name, int64_t value)
{
    struct mdm_work work = {0};

    MDM_NEED(options);
    MDM_NEED(name);
    MDM_TRY(mdm_work_alone(&work, mdm_options_handle(options)));
    return mdm_work_end(&work, mdm_options_set_int(options, name, value));
}

int maskdm_options_set_float(maskdm_options *options, const char *name, double value)
{
    struct mdm_text t = {0};

    MDM_NEED(options);
    MDM_NEED(name);
    mdm_text_add_double(&t, value);
    return set_text(options, name, &t);
}

int maskdm_options_set_list(maskdm_options *options, const char *name, const double *value, int64_t count)
{
    struct mdm_text t = {0};

    MDM_NEED(options);
    MDM_NEED(name);
    MDM_NEED(value);
    if (count < 1 || count > LONGEST_LIST)
        return mdm_fail(MASKDM_EINVAL, "a list of %lld values: 1 to %d are possible", (long long)count,
                        LONGEST_LIST);
    for (int64_t i = 0; i < count && !t.failed; i++) {
        mdm_text_add(&t, i ? "," : "");
        mdm_text_add_double(&t, value[i]);
    }
    return set_text(options, name, &t);
}

int maskdm_options_parse(maskdm_options *options, const char *text)
{
    struct mdm_work work = {0};

    MDM_NEED(options);
    MDM_NEED(text);
    MDM_TRY(mdm_work_alone(&work, mdm_options_handle(options)));
    return mdm_work_end(&work, mdm_options_parse(options, text));
}

int maskdm_options_parse_json(maskdm_options *options, const char *json, size_t size)
{
    struct mdm_work work = {0};

    MDM_NEED(options);
    MDM_NEED(json);
    MDM_TRY(mdm_work_alone(&work, mdm_options_handle(options)));
    return mdm_work_end(&work, mdm_options_parse_json(options, json, size));
}

int maskdm_options_parse_yaml(maskdm_options *options, const char *yaml, size_t size, maskdm_log_callback log,
                              void *user)
{
    const struct mdm_log told = {log, user};
    struct mdm_work work = {0};

    MDM_NEED(options);
    MDM_NEED(yaml);
    MDM_TRY(mdm_work_alone(&work, mdm_options_handle(options)));
    return mdm_work_end(&work, mdm_options_parse_authors(options, yaml, size, &told));
}

int maskdm_options_check(const maskdm_options *options)
{
    struct mdm_work work = {0};

    MDM_NEED(options);
    MDM_TRY(mdm_work_share(&work, mdm_options_handle(options)));
    return mdm_work_end(&work, mdm_options_check(options));
}

int maskdm_options_get(const maskdm_options *options, const char *name, char *buffer, size_t capacity, size_t *needed)
{
    struct mdm_work work = {0};
    struct mdm_text t = {0};

    MDM_NEED(options);
    MDM_NEED(name);
    MDM_NEED_ARRAY(buffer, capacity);
    if (!mdm_options_text(options, name))
        return mdm_fail(MASKDM_ENOTFOUND, "%s has no option \"%.80s\"", mdm_options_kind(options)->name,
                        name);
    MDM_TRY(mdm_work_share(&work, mdm_options_handle(options)));
    mdm_text_add(&t, mdm_options_text(options, name));
    return mdm_argument_text(&t, mdm_work_end(&work, MASKDM_OK), buffer, capacity, needed);
}

int maskdm_options_json(const maskdm_options *options, char *buffer, size_t capacity, size_t *needed)
{
    struct mdm_work work = {0};
    struct mdm_text t = {0};

    MDM_NEED(options);
    MDM_NEED_ARRAY(buffer, capacity);
    MDM_TRY(mdm_work_share(&work, mdm_options_handle(options)));
    mdm_options_write_json(options, &t);
    return mdm_argument_text(&t, mdm_work_end(&work, MASKDM_OK), buffer, capacity, needed);
}

const char *maskdm_options_kind(int64_t i)
{
    return kind_at(i) ? kind_at(i)->name : NULL;
}

const char *maskdm_options_kind_help(const char *kind)
{
    const struct mdm_option_kind *k;

    MDM_NEED_OR(kind, NULL);
    k = find(kind);
    return k ? k->help : NULL;
}

int64_t maskdm_options_count(const char *kind)
{
    const struct mdm_option_kind *k;

    MDM_NEED(kind);
    MDM_TRY(need(&k, kind));
    return mdm_option_places(NULL, 0, k);
}

int maskdm_options_describe(const char *kind, int64_t i, const char *fact, char *buffer, size_t capacity,
                            size_t *needed)
{
    const struct mdm_option_kind *k;
    struct mdm_text t = {0};

    MDM_NEED(kind);
    MDM_NEED(fact);
    MDM_NEED_ARRAY(buffer, capacity);
    MDM_TRY(need(&k, kind));
    return mdm_argument_text(&t, mdm_options_describe(k, i, fact, &t), buffer, capacity, needed);
}

int maskdm_options_type(const char *kind, int64_t i)
{
    const struct mdm_option_kind *k;
    struct mdm_option_place place;

    MDM_NEED(kind);
    MDM_TRY(need(&k, kind));
    if (!mdm_option_at(&place, k, i))
        return mdm_fail(MASKDM_ENOTFOUND, "%s has no option %lld", k->name, (long long)i);
    return (int)place.option->type;
}
