/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Reading option values into structs, and comparing handles.
 */
#include "option/option.h"

#include "base/alloc.h"
#include "base/error.h"
#include "option/option_set.h"
#include "os/file.h"
#include "text/text.h"

#include <string.h>

/* ---- into a struct ---- */

static void put_flag(void *at, const struct mdm_option_value *v)
{
    int flag = (int)v->number.whole;

    memcpy(at, &flag, sizeof flag);
}

static void put_number(void *at, const struct mdm_option_value *v)
{
    memcpy(at, &v->number, sizeof v->number);
}

static void put_text(void *at, const struct mdm_option_value *v)
{
    const char *text = v->text ? v->text : "";

    memcpy(at, &text, sizeof text);
}

static void put_ints(void *at, const struct mdm_option_value *v)
{
    struct mdm_int_list list = {v->count, v->list ? &v->list->whole : NULL};

    memcpy(at, &list, sizeof list);
}

static void put_floats(void *at, const struct mdm_option_value *v)
{
    struct mdm_float_list list = {v->count, v->list ? &v->list->real : NULL};

    memcpy(at, &list, sizeof list);
}

void mdm_options_read(const maskdm_options *o, const struct mdm_option_table *table, void *out)
{
    static void (*const put[])(void *at, const struct mdm_option_value *v) = {
        [MASKDM_OPTION_BOOL] = put_flag,
        [MASKDM_OPTION_INT] = put_number,
        [MASKDM_OPTION_FLOAT] = put_number,
        [MASKDM_OPTION_STRING] = put_text,
        [MASKDM_OPTION_CHOICE] = put_flag,
        [MASKDM_OPTION_INT_LIST] = put_ints,
        [MASKDM_OPTION_FLOAT_LIST] = put_floats,
    };

    memset(out, 0, table->size);
    for (int i = 0; i < o->count; i++) {
        const struct mdm_option_place *p = &o->slot[i].place;

        if (!strcmp(p->table->name, table->name))
            put[p->option->type]((char *)out + p->option->at, &o->slot[i].value);
    }
}

/* ---- by name ---- */

static const char *value_of(const maskdm_options *o, const char *name)
{
    const struct mdm_option_slot *s = mdm_option_find(o, name);

    return s && s->value.text ? s->value.text : "";
}

const char *mdm_options_text(const maskdm_options *o, const char *name)
{
    return mdm_option_find(o, name) ? value_of(o, name) : NULL;
}

int mdm_options_is_set(const maskdm_options *o, const char *name)
{
    const struct mdm_option_slot *s = mdm_option_find(o, name);

    return s && s->set;
}

/* ---- comparing ---- */

/* The file of an older run may have moved; another one is something else. */
static int same_file(const char *old, const char *now)
{
    struct mdm_folder_id a, b;

    if (mdm_folder_id(&a, old) < 0)
        return 1;
    return mdm_folder_id(&b, now) >= 0 && a.device == b.device && a.number == b.number;
}

static int alike(const struct mdm_option *o, const char *old, const char *now)
{
    if (o->may_change || !strcmp(old, now))
        return 1;
    if (o->by_content)
        return *old && *now;
    if (o->when_known)
        return !*old || !*now;
    return o->is_path && *old && *now && same_file(old, now);
}

int mdm_options_difference(const maskdm_options *old, const maskdm_options *now, const char **name, char **value_old,
                           char **value_now)
{
    *name = NULL;
    *value_old = *value_now = NULL;
    for (int i = 0; i < old->count; i++) {
        const struct mdm_option_slot *s = &old->slot[i];
        const char *x = s->value.text ? s->value.text : "", *y = value_of(now, s->name);

        if (!mdm_option_belongs(old, s) || alike(s->place.option, x, y))
            continue;
        *value_old = mdm_strdup(x);
        *value_now = mdm_strdup(y);
        if (!*value_old || !*value_now) {
            mdm_free(*value_old);
            mdm_free(*value_now);
            *value_old = *value_now = NULL;
            return mdm_fail_memory(strlen(x) + strlen(y) + 2, "two option values");
        }
        *name = s->name;
        return MASKDM_OK;
    }
    return MASKDM_OK;
}
