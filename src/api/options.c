/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The public side of options, and the list of all kinds.
 */
#include <maskdm/options.h>

#include "backend/options.h"
#include "data/options.h"
#include "diffusion/options.h"
#include "model/options.h"
#include "run/options.h"
#include "sample/options.h"
#include "train/options.h"
#include "util/error.h"
#include "util/option.h"

#include <string.h>

static const struct maskdm_option_kind *const kinds[] = {
    &maskdm_uvit_kind,    &maskdm_mask_kind,     &maskdm_scheduler_kind, &maskdm_optimizer_kind,
    &maskdm_ema_kind,     &maskdm_folder_kind,   &maskdm_device_kind,    &maskdm_trainer_kind,
    &maskdm_sampler_kind, &maskdm_pretrain_kind, &maskdm_finetune_kind,  &maskdm_sample_kind,
    &maskdm_convert_kind, &maskdm_image_kind,
};

static const struct maskdm_option_kind *find(const char *name)
{
    for (size_t i = 0; name && i < MASKDM_LENGTH(kinds); i++)
        if (!strcmp(kinds[i]->name, name))
            return kinds[i];
    return NULL;
}

static int need(const struct maskdm_option_kind **out, const char *name)
{
    *out = find(name);
    return *out ? MASKDM_OK
                : maskdm_fail(MASKDM_ENOTFOUND, "there is no kind of options \"%.80s\"", name ? name : "");
}

static int refuse_null(const void *a, const void *b)
{
    return a && b ? MASKDM_OK : maskdm_fail(MASKDM_EINVAL, "an argument that must not be NULL is NULL");
}

int maskdm_options_create(maskdm_options **out, const char *kind)
{
    const struct maskdm_option_kind *k;

    MASKDM_TRY(refuse_null(out, out));
    *out = NULL;
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
    MASKDM_TRY(refuse_null(out, out));
    *out = NULL;
    MASKDM_TRY(refuse_null(options, options));
    return maskdm_optionset_clone(out, options);
}

int maskdm_options_set_spelling(maskdm_options *options, int spelling)
{
    MASKDM_TRY(refuse_null(options, options));
    if (spelling != MASKDM_SPELL_NAMES && spelling != MASKDM_SPELL_FLAGS)
        return maskdm_fail(MASKDM_EINVAL, "there is no spelling %d of options", spelling);
    maskdm_optionset_spell(options, (enum maskdm_option_spelling)spelling);
    return MASKDM_OK;
}

int maskdm_options_set(maskdm_options *options, const char *name, const char *value)
{
    MASKDM_TRY(refuse_null(options, name));
    MASKDM_TRY(refuse_null(value, value));
    return maskdm_optionset_set(options, name, value);
}

int maskdm_options_set_bool(maskdm_options *options, const char *name, int value)
{
    MASKDM_TRY(refuse_null(options, name));
    return maskdm_optionset_set_number(options, name, value ? "true" : "false");
}

/* Sets from a text under construction and frees it. */
static int set_text(maskdm_options *options, const char *name, struct maskdm_text *t)
{
    int status = maskdm_text_ok(t);

    if (status >= 0)
        status = maskdm_optionset_set_number(options, name, t->data);
    maskdm_text_free(t);
    return status;
}

int maskdm_options_set_int(maskdm_options *options, const char *name, int64_t value)
{
    struct maskdm_text t = {0};

    MASKDM_TRY(refuse_null(options, name));
    maskdm_text_addf(&t, "%lld", (long long)value);
    return set_text(options, name, &t);
}

int maskdm_options_set_float(maskdm_options *options, const char *name, double value)
{
    struct maskdm_text t = {0};

    MASKDM_TRY(refuse_null(options, name));
    maskdm_text_add_double(&t, value);
    return set_text(options, name, &t);
}

int maskdm_options_set_list(maskdm_options *options, const char *name, const double *value, int64_t count)
{
    struct maskdm_text t = {0};

    MASKDM_TRY(refuse_null(options, name));
    MASKDM_TRY(refuse_null(value, value));
    if (count < 1)
        return maskdm_fail(MASKDM_EINVAL, "a list of options needs at least 1 value, not %lld", (long long)count);
    for (int64_t i = 0; i < count && !t.failed; i++) {
        maskdm_text_add(&t, i ? "," : "");
        maskdm_text_add_double(&t, value[i]);
    }
    return set_text(options, name, &t);
}

int maskdm_options_parse(maskdm_options *options, const char *text)
{
    MASKDM_TRY(refuse_null(options, text));
    return maskdm_optionset_parse(options, text);
}

int maskdm_options_parse_json(maskdm_options *options, const char *json, size_t bytes)
{
    MASKDM_TRY(refuse_null(options, json));
    return maskdm_optionset_parse_json(options, json, bytes);
}

int maskdm_options_check(const maskdm_options *options)
{
    MASKDM_TRY(refuse_null(options, options));
    return maskdm_optionset_check(options);
}

/* Copies as much as fits and frees the text. */
static int give(struct maskdm_text *t, int status, char *buffer, size_t capacity, size_t *needed)
{
    size_t n;

    if (status >= 0)
        status = maskdm_text_ok(t);
    if (status >= 0) {
        n = t->length < capacity ? t->length : capacity ? capacity - 1 : 0;
        if (buffer && capacity) {
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
    struct maskdm_text t = {0};

    MASKDM_TRY(refuse_null(options, name));
    if (!maskdm_optionset_has(options, name))
        return maskdm_fail(MASKDM_ENOTFOUND, "%s has no option \"%.80s\"", maskdm_optionset_kind(options)->name,
                           name);
    maskdm_text_add(&t, maskdm_optionset_string(options, name));
    return give(&t, MASKDM_OK, buffer, capacity, needed);
}

int maskdm_options_json(const maskdm_options *options, char *buffer, size_t capacity, size_t *needed)
{
    struct maskdm_text t = {0};

    MASKDM_TRY(refuse_null(options, options));
    maskdm_optionset_write_json(options, &t);
    return give(&t, MASKDM_OK, buffer, capacity, needed);
}

const char *maskdm_options_kind(int64_t i)
{
    return i >= 0 && i < (int64_t)MASKDM_LENGTH(kinds) ? kinds[i]->name : NULL;
}

const char *maskdm_options_kind_help(const char *kind)
{
    const struct maskdm_option_kind *k = find(kind);

    return k ? k->help : NULL;
}

int64_t maskdm_options_count(const char *kind)
{
    const struct maskdm_option_kind *k = find(kind);
    int64_t count = 0;

    for (int t = 0; k && t < k->count; t++)
        count += k->table[t]->count;
    return count;
}

int maskdm_options_describe(const char *kind, int64_t i, const char *fact, char *buffer, size_t capacity,
                            size_t *needed)
{
    const struct maskdm_option_kind *k;
    struct maskdm_text t = {0};

    MASKDM_TRY(refuse_null(fact, fact));
    MASKDM_TRY(need(&k, kind));
    return give(&t, maskdm_optionset_describe(k, i, fact, &t), buffer, capacity, needed);
}

int maskdm_options_type(const char *kind, int64_t i)
{
    const struct maskdm_option_kind *k = find(kind);
    const struct maskdm_option_table *table;
    const struct maskdm_option *o = k ? maskdm_option_at(k, i, &table) : NULL;

    return o ? (int)o->type : -1;
}
