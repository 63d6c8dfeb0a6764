/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One option's value: from any accepted text to its canonical form and what that says, with its range.
 */
#include "option/option_set.h"

#include "base/alloc.h"
#include "base/error.h"
#include "text/number.h"
#include "text/size.h"
#include "text/text.h"

#include <math.h>
#include <string.h>

void mdm_option_range(struct mdm_text *t, const struct mdm_option *o)
{
    int low = isfinite(o->min), high = isfinite(o->max);

    if ((!o->min && !o->max) || (!low && !high))
        return;
    if (!high)
        mdm_text_add(t, "at least ");
    if (!low)
        mdm_text_add(t, "at most ");
    if (low)
        mdm_text_add_double(t, o->min);
    if (low && high)
        mdm_text_add(t, " .. ");
    if (high)
        mdm_text_add_double(t, o->max);
    if (o->word)
        mdm_text_addf(t, ", or %s", o->word);
}

static int check_range(const char *name, const struct mdm_option *o, double x)
{
    struct mdm_text value = {0}, range = {0};

    if ((!o->min && !o->max) || (x >= o->min && x <= o->max))
        return MASKDM_OK;
    mdm_text_add_double(&value, x);
    mdm_option_range(&range, o);
    mdm_fail(MASKDM_EINVAL, "option %s is %s; its range is %s", name, value.data ? value.data : "too large",
             range.data ? range.data : "smaller");
    mdm_text_free(&value);
    mdm_text_free(&range);
    return MASKDM_EINVAL;
}

/* ---- reading: what the text says goes to v, its canonical form to t ---- */

typedef int (*reader)(struct mdm_option_value *v, struct mdm_text *t, const char *name, const struct mdm_option *o,
                      const char *text);

static int read_bool(struct mdm_option_value *v, struct mdm_text *t, const char *name, const struct mdm_option *o,
                     const char *text)
{
    (void)o;
    v->number.whole = mdm_option_among("true|1|yes", text) >= 0;
    if (!v->number.whole && mdm_option_among("false|0|no", text) < 0)
        return mdm_fail(MASKDM_EINVAL, "option %s is true or false, not \"%.80s\"", name, text);
    mdm_text_add(t, v->number.whole ? "true" : "false");
    return MASKDM_OK;
}

static int read_int(struct mdm_option_value *v, struct mdm_text *t, const char *name, const struct mdm_option *o,
                    const char *text)
{
    if (o->word && !strcmp(text, o->word)) {
        v->number.whole = -1;
        mdm_text_add(t, text);
        return MASKDM_OK;
    }
    if (o->unit && !strcmp(o->unit, "bytes")) {
        if (mdm_size_read(text, &v->number.whole))
            return mdm_fail(MASKDM_EINVAL, "option %s takes bytes, as 300M or 2G, not \"%.80s\"", name, text);
    } else if (mdm_parse_i64(text, &v->number.whole)) {
        return mdm_fail(MASKDM_EINVAL, "option %s takes a whole number%s%s, not \"%.80s\"", name,
                        o->word ? " or " : "", o->word ? o->word : "", text);
    }
    MDM_TRY(check_range(name, o, (double)v->number.whole));
    mdm_text_addf(t, "%lld", (long long)v->number.whole);
    return MASKDM_OK;
}

static int read_float(struct mdm_option_value *v, struct mdm_text *t, const char *name, const struct mdm_option *o,
                      const char *text)
{
    if (mdm_parse_double(text, &v->number.real))
        return mdm_fail(MASKDM_EINVAL, "option %s takes a number, not \"%.80s\"", name, text);
    MDM_TRY(check_range(name, o, v->number.real));
    mdm_text_add_double(t, v->number.real);
    return MASKDM_OK;
}

static int read_string(struct mdm_option_value *v, struct mdm_text *t, const char *name, const struct mdm_option *o,
                       const char *text)
{
    (void)v;
    (void)name;
    (void)o;
    mdm_text_add(t, text);
    return MASKDM_OK;
}

static int read_choice(struct mdm_option_value *v, struct mdm_text *t, const char *name, const struct mdm_option *o,
                       const char *text)
{
    struct mdm_text choices = {0};
    int status;

    mdm_option_choices(&choices, o);
    status = mdm_text_ok(&choices);
    if (status >= 0) {
        v->number.whole = mdm_option_among(choices.data, text);
        if (v->number.whole < 0)
            status = mdm_fail(MASKDM_EINVAL, "option %s is one of %s, not \"%.80s\"", name, choices.data, text);
    }
    mdm_text_free(&choices);
    mdm_text_add(t, text);
    return status;
}

static int count_words(const char *text)
{
    int n = 1;

    for (; *(text += strcspn(text, ",:x")); text++)
        n++;
    return n;
}

static int read_list(struct mdm_option_value *v, struct mdm_text *t, const char *name, const struct mdm_option *o,
                     const char *text)
{
    const reader element = o->type == MASKDM_OPTION_INT_LIST ? read_int : read_float;
    const int most = o->most ? o->most : 8, count = count_words(text);
    const char *at = text;

    if (count > most)
        return mdm_fail(MASKDM_EINVAL, "option %s takes at most %d values", name, most);
    v->list = mdm_need((size_t)count, sizeof *v->list, "a list of options");
    if (!v->list)
        return MASKDM_ENOMEM;
    for (; v->count < count; v->count++) {
        size_t n = strcspn(at, ",:x");
        char word[64];

        if (!n || n >= sizeof word)
            return mdm_fail(MASKDM_EINVAL, "option %s takes numbers, not \"%.80s\"", name, text);
        memcpy(word, at, n);
        word[n] = '\0';
        if (v->count)
            mdm_text_add(t, ",");
        MDM_TRY(element(v, t, name, o, word));
        v->list[v->count] = v->number;
        at += n + 1;
    }
    return MASKDM_OK;
}

int mdm_option_parse(struct mdm_option_value *out, const char *name, const struct mdm_option *o, const char *text)
{
    static const reader read[] = {
        [MASKDM_OPTION_BOOL] = read_bool,       [MASKDM_OPTION_INT] = read_int,
        [MASKDM_OPTION_FLOAT] = read_float,     [MASKDM_OPTION_STRING] = read_string,
        [MASKDM_OPTION_CHOICE] = read_choice,   [MASKDM_OPTION_INT_LIST] = read_list,
        [MASKDM_OPTION_FLOAT_LIST] = read_list,
    };
    struct mdm_text t = {0};
    int status;

    *out = (struct mdm_option_value){0};
    mdm_text_add(&t, "");
    status = read[o->type](out, &t, name, o, text);
    if (status >= 0)
        status = mdm_text_ok(&t);
    out->text = t.data;
    if (status < 0)
        mdm_option_free(out);
    return status;
}

/* ---- keeping ---- */

int mdm_option_copy(struct mdm_option_value *to, const struct mdm_option_value *from)
{
    struct mdm_option_value copy = *from;
    const size_t bytes = (size_t)from->count * sizeof *from->list;

    copy.text = from->text ? mdm_strdup(from->text) : NULL;
    copy.list = from->list ? mdm_need((size_t)from->count, sizeof *copy.list, "a list of options") : NULL;
    if ((from->text && !copy.text) || (from->list && !copy.list)) {
        mdm_option_free(&copy);
        return mdm_fail_memory(bytes + (from->text ? strlen(from->text) + 1 : 0), "options");
    }
    if (from->list)
        memcpy(copy.list, from->list, bytes);
    mdm_option_free(to);
    *to = copy;
    return MASKDM_OK;
}

void mdm_option_free(struct mdm_option_value *v)
{
    mdm_free(v->text);
    mdm_free(v->list);
    *v = (struct mdm_option_value){0};
}

/* ---- choices ---- */

void mdm_option_choices(struct mdm_text *t, const struct mdm_option *o)
{
    const struct mdm_option_table *table;
    const char *name;

    mdm_text_add(t, o->choices ? o->choices : "");
    for (int i = 0; o->named && (name = o->named(i)); i++)
        mdm_text_addf(t, "%s%s", i ? "|" : "", name);
    for (int i = 0; o->among && (table = o->among(i)); i++)
        mdm_text_addf(t, "%s%s", i ? "|" : "", table->name);
}

int mdm_option_among(const char *words, const char *word)
{
    const size_t n = strlen(word);

    for (int i = 0;; i++) {
        const size_t length = strcspn(words, "|");

        if (n && n == length && !strncmp(words, word, n))
            return i;
        words += length;
        if (!*words++)
            return -1;
    }
}

const char *mdm_option_next(char name[MDM_OPTION_NAME], const char **value, const char *at)
{
    const size_t n = strcspn(at, "|");
    char *end;

    mdm_format(name, MDM_OPTION_NAME, "%.*s", (int)n, at);
    end = strchr(name, '=');
    *value = end ? end + 1 : NULL;
    if (end)
        *end = '\0';
    return at[n] ? at + n + 1 : NULL;
}
