/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a host says of rates and decays in place of the options, and its form in a training state:
 * {"lr": 0.001, "groups": [["*.bias", 0.5, null]]}, a group's name, rate and weight decay.
 */
#include "train/optimizer.h"

#include "base/alloc.h"
#include "text/json.h"
#include "text/text.h"

#include <math.h>
#include <string.h>

void mdm_host_rules_free(struct mdm_host_rules *r)
{
    for (int i = 0; i < r->groups; i++)
        mdm_free(r->group[i].pattern);
    mdm_free(r->group);
    *r = (struct mdm_host_rules){.lr = (double)NAN};
}

int mdm_host_rules_check_lr(double lr)
{
    return lr < 0 || isinf(lr) ? mdm_fail(MASKDM_EINVAL, "a learning rate of %g", lr) : MASKDM_OK;
}

static int check(const struct mdm_host_rules *r, const char *pattern, double lr_factor, double weight_decay)
{
    if (!(lr_factor >= 0) || isinf(lr_factor))
        return mdm_fail(MASKDM_EINVAL, "group \"%s\": a rate of %g times the others'", pattern, lr_factor);
    if (weight_decay < 0 || isinf(weight_decay))
        return mdm_fail(MASKDM_EINVAL, "group \"%s\": a weight decay of %g", pattern, weight_decay);
    if (r->groups == MDM_GROUPS)
        return mdm_fail(MASKDM_EINVAL, "group \"%s\": more than %d groups", pattern, MDM_GROUPS);
    return MASKDM_OK;
}

int mdm_host_rules_add(struct mdm_host_rules *r, const char *pattern, double lr_factor, double weight_decay)
{
    struct mdm_group *grown;
    char *copy;

    MDM_TRY(check(r, pattern, lr_factor, weight_decay));
    grown = mdm_realloc(r->group, (size_t)(r->groups + 1) * sizeof *grown);
    if (!grown)
        return mdm_fail_memory((size_t)(r->groups + 1) * sizeof *grown, "a group of parameters");
    r->group = grown;
    copy = mdm_strdup(pattern);
    if (!copy)
        return mdm_fail_memory(strlen(pattern) + 1, "a group of parameters");
    grown[r->groups++] = (struct mdm_group){copy, lr_factor, weight_decay};
    return MASKDM_OK;
}

void mdm_host_rules_write(const struct mdm_host_rules *r, struct mdm_text *out)
{
    if (isnan(r->lr) && !r->groups)
        return;
    mdm_text_add(out, "{\"lr\": ");
    mdm_text_add_double(out, r->lr);
    mdm_text_add(out, ", \"groups\": [");
    for (int i = 0; i < r->groups; i++) {
        mdm_text_add(out, i ? ", [" : "[");
        mdm_text_add_json_bytes(out, r->group[i].pattern);
        mdm_text_add(out, ", ");
        mdm_text_add_double(out, r->group[i].lr_factor);
        mdm_text_add(out, ", ");
        mdm_text_add_double(out, r->group[i].weight_decay);
        mdm_text_add(out, "]");
    }
    mdm_text_add(out, "]}");
}

/* null: NaN. */
static int read_number(struct mdm_json *j, double *out)
{
    const int event = mdm_json_next(j);

    *out = (double)NAN;
    if (event < 0 || event == MDM_JSON_NULL)
        return event < 0 ? event : MASKDM_OK;
    return event == MDM_JSON_NUMBER ? mdm_json_double(j, out) : mdm_fail(MASKDM_EFORMAT, "a number is missing");
}

/* Behind its "[". */
static int read_group(struct mdm_host_rules *r, struct mdm_json *j)
{
    double lr_factor, weight_decay;
    char *pattern;
    int status;

    MDM_TRY(mdm_json_expect(j, MDM_JSON_STRING));
    mdm_json_bytes(j);
    pattern = mdm_strdup(j->text);
    if (!pattern)
        return mdm_fail_memory(j->length + 1, "a group of parameters");
    status = read_number(j, &lr_factor);
    if (status >= 0)
        status = read_number(j, &weight_decay);
    if (status >= 0)
        status = mdm_json_expect(j, MDM_JSON_ARRAY_END);
    if (status >= 0)
        status = mdm_host_rules_add(r, pattern, lr_factor, weight_decay);
    mdm_free(pattern);
    return status;
}

static int read_key(struct mdm_json *j, const char *key)
{
    MDM_TRY(mdm_json_expect(j, MDM_JSON_KEY));
    return strcmp(j->text, key) == 0 ? MASKDM_OK : mdm_fail(MASKDM_EFORMAT, "\"%s\" is missing", key);
}

static int read_all(struct mdm_host_rules *r, struct mdm_json *j)
{
    int event;

    MDM_TRY(mdm_json_expect(j, MDM_JSON_OBJECT));
    MDM_TRY(read_key(j, "lr"));
    MDM_TRY(read_number(j, &r->lr));
    MDM_TRY(mdm_host_rules_check_lr(r->lr));
    MDM_TRY(read_key(j, "groups"));
    MDM_TRY(mdm_json_expect(j, MDM_JSON_ARRAY));
    while ((event = mdm_json_next(j)) == MDM_JSON_ARRAY)
        MDM_TRY(read_group(r, j));
    if (event != MDM_JSON_ARRAY_END)
        return event < 0 ? event : mdm_fail(MASKDM_EFORMAT, "a group is no list");
    MDM_TRY(mdm_json_expect(j, MDM_JSON_OBJECT_END));
    return mdm_json_expect(j, MDM_JSON_END);
}

int mdm_host_rules_read(struct mdm_host_rules *r, const char *json)
{
    struct mdm_json j;
    int status;

    *r = (struct mdm_host_rules){.lr = (double)NAN};
    if (!json)
        return MASKDM_OK;
    mdm_json_open(&j, json, strlen(json));
    status = read_all(r, &j);
    mdm_json_close(&j);
    if (status < 0)
        mdm_host_rules_free(r);
    return status == MASKDM_EINVAL ? MASKDM_EFORMAT : status;
}
