/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One option's value: from any accepted text to its canonical form, with its range.
 */
#include "option/option_set.h"

#include "base/alloc.h"
#include "base/error.h"
#include "text/number.h"
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

static int read_bool(struct mdm_text *t, const char *name, const struct mdm_option *o, const char *text)
{
    (void)o;
    if (mdm_option_choice("true|1|yes", text))
        mdm_text_add(t, "true");
    else if (mdm_option_choice("false|0|no", text))
        mdm_text_add(t, "false");
    else
        return mdm_fail(MASKDM_EINVAL, "option %s is true or false, not \"%.80s\"", name, text);
    return MASKDM_OK;
}

static int read_int(struct mdm_text *t, const char *name, const struct mdm_option *o, const char *text)
{
    int64_t x;

    if (mdm_parse_i64(text, &x))
        return mdm_fail(MASKDM_EINVAL, "option %s takes a whole number, not \"%.80s\"", name, text);
    MDM_TRY(check_range(name, o, (double)x));
    mdm_text_addf(t, "%lld", (long long)x);
    return MASKDM_OK;
}

static int read_float(struct mdm_text *t, const char *name, const struct mdm_option *o, const char *text)
{
    double x;

    if (mdm_parse_double(text, &x))
        return mdm_fail(MASKDM_EINVAL, "option %s takes a number, not \"%.80s\"", name, text);
    MDM_TRY(check_range(name, o, x));
    mdm_text_add_double(t, x);
    return MASKDM_OK;
}

static int read_string(struct mdm_text *t, const char *name, const struct mdm_option *o, const char *text)
{
    (void)name;
    (void)o;
    mdm_text_add(t, text);
    return MASKDM_OK;
}

static int read_choice(struct mdm_text *t, const char *name, const struct mdm_option *o, const char *text)
{
    if (!mdm_option_choice(o->choices, text))
        return mdm_fail(MASKDM_EINVAL, "option %s is one of %s, not \"%.80s\"", name, o->choices, text);
    mdm_text_add(t, text);
    return MASKDM_OK;
}

typedef int (*reader)(struct mdm_text *t, const char *name, const struct mdm_option *o, const char *text);

static int read_list(struct mdm_text *t, const char *name, const struct mdm_option *o, const char *text,
                     reader element)
{
    int most = o->most ? o->most : 8;

    for (int i = 0;; i++) {
        size_t n = strcspn(text, ",x");
        char word[64];

        if (i == most)
            return mdm_fail(MASKDM_EINVAL, "option %s takes at most %d values", name, most);
        if (n >= sizeof word)
            return mdm_fail(MASKDM_EINVAL, "option %s takes numbers, not \"%.80s\"", name, text);
        memcpy(word, text, n);
        word[n] = '\0';
        if (i)
            mdm_text_add(t, ",");
        MDM_TRY(element(t, name, o, word));
        if (!text[n])
            return MASKDM_OK;
        text += n + 1;
    }
}

static int read_int_list(struct mdm_text *t, const char *name, const struct mdm_option *o, const char *text)
{
    return read_list(t, name, o, text, read_int);
}

static int read_float_list(struct mdm_text *t, const char *name, const struct mdm_option *o, const char *text)
{
    return read_list(t, name, o, text, read_float);
}

int mdm_option_canonical(char **out, const char *name, const struct mdm_option *o, const char *text)
{
    static const reader read[] = {
        [MASKDM_OPTION_BOOL] = read_bool,
        [MASKDM_OPTION_INT] = read_int,
        [MASKDM_OPTION_FLOAT] = read_float,
        [MASKDM_OPTION_STRING] = read_string,
        [MASKDM_OPTION_CHOICE] = read_choice,
        [MASKDM_OPTION_INT_LIST] = read_int_list,
        [MASKDM_OPTION_FLOAT_LIST] = read_float_list,
    };
    struct mdm_text t = {0};
    int status;

    *out = NULL;
    mdm_text_add(&t, "");
    status = read[o->type](&t, name, o, text);
    if (status >= 0)
        status = mdm_text_ok(&t);
    if (status < 0)
        mdm_text_free(&t);
    *out = t.data;
    return status;
}

int mdm_option_choice(const char *choices, const char *word)
{
    size_t n = strlen(word);

    if (strchr(word, '|'))
        return 0;
    for (const char *c = choices; n; c++) {
        if (!strncmp(c, word, n) && (c[n] == '|' || !c[n]))
            return 1;
        c = strchr(c, '|');
        if (!c)
            break;
    }
    return 0;
}
