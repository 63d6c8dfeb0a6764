/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The public side of options, and the list of all kinds.
 */
#include <maskdm/options.h>

#include "api/argument.h"
#include "backend/options.h"
#include "data/options.h"
#include "diffusion/options.h"
#include "model/options.h"
#include "run/options.h"
#include "sample/options.h"
#include "train/options.h"
#include "util/option.h"

#include <string.h>

enum { LONGEST_LIST = 4096 }; /* values; each option has a bound of its own below */

static const struct maskdm_option_kind *const kinds[] = {
    &maskdm_uvit_kind,    &maskdm_mask_kind,     &maskdm_scheduler_kind, &maskdm_optimizer_kind,
    &maskdm_ema_kind,     &maskdm_folder_kind,   &maskdm_device_kind,    &maskdm_trainer_kind,
    &maskdm_sampler_kind, &maskdm_pretrain_kind, &maskdm_finetune_kind,  &maskdm_sample_kind,
    &maskdm_convert_kind, &maskdm_image_kind,
};

static const struct maskdm_option_kind *find(const char *name)
{
    for (size_t i = 0; i < MASKDM_LENGTH(kinds); i++)
        if (!strcmp(kinds[i]->name, name))
            return kinds[i];
    return NULL;
}

static int need(const struct maskdm_option_kind **out, const char *name)
{
    *out = find(name);
    return *out ? MASKDM_OK
                : maskdm_fail(MASKDM_ENOTFOUND, "there is no kind of options \"%.80s\"", name);
}

int maskdm_options_create(maskdm_options **out, const char *kind)
{
    const struct maskdm_option_kind *k;

    MASKDM_NEED_OUT(out);
    MASKDM_NEED(kind);
    MASKDM_TRY(need(&k, kind));
    return maskdm_optionset_create(out, k);
}

void maskdm_options_release(maskdm_options **options)
{
    if (options)
        maskdm_optionset_release(options);
}

int maskdm_options_clone(maskdm_options **out, const maskdm_options *options)
{
    struct maskdm_work work = {0};

    MASKDM_NEED_OUT(out);
    MASKDM_NEED(options);
    MASKDM_TRY(maskdm_work_share(&work, maskdm_optionset_handle(options)));
    return maskdm_work_end(&work, maskdm_optionset_clone(out, options));
}

int maskdm_options_set_spelling(maskdm_options *options, int spelling)
{
    struct maskdm_work work = {0};

    MASKDM_NEED(options);
    if (spelling != MASKDM_SPELL_NAMES && spelling != MASKDM_SPELL_FLAGS)
        return maskdm_fail(MASKDM_EINVAL, "there is no spelling %d of options", spelling);
    MASKDM_TRY(maskdm_work_alone(&work, maskdm_optionset_handle(options)));
    maskdm_optionset_spell(options, (enum maskdm_option_spelling)spelling);
    return maskdm_work_end(&work, MASKDM_OK);
}

int maskdm_options_set(maskdm_options *options, const char *name, const char *value)
{
    struct maskdm_work work = {0};

    MASKDM_NEED(options);
    MASKDM_NEED(name);
    MASKDM_NEED(value);
    MASKDM_TRY(maskdm_work_alone(&work, maskdm_optionset_handle(options)));
    return maskdm_work_end(&work, maskdm_optionset_set(options, name, value));
}

int maskdm_options_set_bool(maskdm_options *options, const char *name, int value)
{
    struct maskdm_work work = {0};

    MASKDM_NEED(options);
    MASKDM_NEED(name);
    MASKDM_TRY(maskdm_work_alone(&work, maskdm_optionset_handle(options)));
    return maskdm_work_end(&work, maskdm_optionset_set_number(options, name, value ? "true" : "false"));
}

/* Sets from a text under construction and frees it. */
static int set_text(maskdm_options *options, const char *name, struct maskdm_text *t)
{
    struct maskdm_work work = {0};
    int status = maskdm_text_ok(t);

    if (status >= 0)
        status = maskdm_work_alone(&work, maskdm_optionset_handle(options));
    if (status >= 0)
        status = maskdm_work_end(&work, maskdm_optionset_set_number(options, name, t->data));
    maskdm_text_free(t);
    return status;
}

int maskdm_options_set_int(maskdm_options *options, const char *name, int64_t value)
{
    struct maskdm_text t = {0};

    MASKDM_NEED(options);
    MASKDM_NEED(name);
    maskdm_text_addf(&t, "%lld", (long long)value);
    return set_text(options, name, &t);
}

int maskdm_options_set_float(maskdm_options *options, const char *name, double value)
{
    struct maskdm_text t = {0};

    MASKDM_NEED(options);
    MASKDM_NEED(name);
    maskdm_text_add_double(&t, value);
    return set_text(options, name, &t);
}

int maskdm_options_set_list(maskdm_options *options, const char *name, const double *value, int64_t count)
{
    struct maskdm_text t = {0};

    MASKDM_NEED(options);
    MASKDM_NEED(name);
    MASKDM_NEED(value);
    if (count < 1 || count > LONGEST_LIST)
        return maskdm_fail(MASKDM_EINVAL, "a list of %lld values: 1 to %d are possible", (long long)count,
                           LONGEST_LIST);
    for (int64_t i = 0; i < count && !t.failed; i++) {
        maskdm_text_add(&t, i ? "," : "");
        maskdm_text_add_double(&t, value[i]);
    }
    return set_text(options, name, &t);
}

int maskdm_options_parse(maskdm_options *options, const char *text)
{
    struct maskdm_work work = {0};

    MASKDM_NEED(options);
    MASKDM_NEED(text);
    MASKDM_TRY(maskdm_work_alone(&work, maskdm_optionset_handle(options)));
    return maskdm_work_end(&work, maskdm_optionset_parse(options, text));
}

int maskdm_options_parse_json(maskdm_options *options, const char *json, size_t bytes)
{
    struct maskdm_work work = {0};

    MASKDM_NEED(options);
    MASKDM_NEED(json);
    MASKDM_TRY(maskdm_work_alone(&work, maskdm_optionset_handle(options)));
    return maskdm_work_end(&work, maskdm_optionset_parse_json(options, json, bytes));
}

int maskdm_options_check(const maskdm_options *options)
{
    struct maskdm_work work = {0};

    MASKDM_NEED(options);
    MASKDM_TRY(maskdm_work_share(&work, maskdm_optionset_handle(options)));
    return maskdm_work_end(&work, maskdm_optionset_check(options));
}

/* Copies as much as fits and frees the text. */
static int give(struct maskdm_text *t, int status, char *buffer, size_t capacity, size_t *needed)
{
    size_t n;

    if (status >= 0)
        status = maskdm_text_ok(t);
    if (status >= 0) {
        n = t->length < capacity ? t->length : capacity ? capacity - 1 : 0;
        if (capacity) {
            memcpy(buffer, t->data, n);
            buffer[n] = '\0';
        }
        if (needed)
            *needed = t->length + 1;
    }
    maskdm_text_free(t);
    return status;
}

int maskdm_options_get(const maskdm_options *options, const char *name, char *buffer, size_t capacity, size_t *needed)
{
    struct maskdm_work work = {0};
    struct maskdm_text t = {0};

    MASKDM_NEED(options);
    MASKDM_NEED(name);
    MASKDM_NEED_ARRAY(buffer, capacity);
    if (!maskdm_optionset_has(options, name))
        return maskdm_fail(MASKDM_ENOTFOUND, "%s has no option \"%.80s\"", maskdm_optionset_kind(options)->name,
                           name);
    MASKDM_TRY(maskdm_work_share(&work, maskdm_optionset_handle(options)));
    maskdm_text_add(&t, maskdm_optionset_string(options, name));
    return give(&t, maskdm_work_end(&work, MASKDM_OK), buffer, capacity, needed);
}

int maskdm_options_json(const maskdm_options *options, char *buffer, size_t capacity, size_t *needed)
{
    struct maskdm_work work = {0};
    struct maskdm_text t = {0};

    MASKDM_NEED(options);
    MASKDM_NEED_ARRAY(buffer, capacity);
    MASKDM_TRY(maskdm_work_share(&work, maskdm_optionset_handle(options)));
    maskdm_optionset_write_json(options, &t);
    return give(&t, maskdm_work_end(&work, MASKDM_OK), buffer, capacity, needed);
}

const char *maskdm_options_kind(int64_t i)
{
    return i >= 0 && i < (int64_t)MASKDM_LENGTH(kinds) ? kinds[i]->name : NULL;
}

const char *maskdm_options_kind_help(const char *kind)
{
    const struct maskdm_option_kind *k;

    MASKDM_NEED_OR(kind, NULL);
    k = find(kind);
    return k ? k->help : NULL;
}

int64_t maskdm_options_count(const char *kind)
{
    const struct maskdm_option_kind *k;
    int64_t count = 0;

    MASKDM_NEED_OR(kind, 0);
    k = find(kind);
    for (int t = 0; k && t < k->count; t++)
        count += k->table[t]->count;
    return count;
}

int maskdm_options_describe(const char *kind, int64_t i, const char *fact, char *buffer, size_t capacity,
                            size_t *needed)
{
    const struct maskdm_option_kind *k;
    struct maskdm_text t = {0};

    MASKDM_NEED(kind);
    MASKDM_NEED(fact);
    MASKDM_NEED_ARRAY(buffer, capacity);
    MASKDM_TRY(need(&k, kind));
    return give(&t, maskdm_optionset_describe(k, i, fact, &t), buffer, capacity, needed);
}

int maskdm_options_type(const char *kind, int64_t i)
{
    const struct maskdm_option_kind *k;
    const struct maskdm_option_table *table;
    const struct maskdm_option *o;

    MASKDM_NEED_OR(kind, -1);
    k = find(kind);
    o = k ? maskdm_option_at(k, i, &table) : NULL;
    return o ? (int)o->type : -1;
}
