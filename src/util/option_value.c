/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One option's value: from any accepted text to its canonical form, with its range.
 */
#include "util/option_set.h"

#include "util/alloc.h"
#include "util/error.h"

#include <math.h>
#include <string.h>

void maskdm_option_range(struct maskdm_text *t, const struct maskdm_option *o)
{
    int low = isfinite(o->min), high = isfinite(o->max);

    if ((!o->min && !o->max) || (!low && !high))
        return;
    if (!high)
        maskdm_text_add(t, "at least ");
    if (!low)
        maskdm_text_add(t, "at most ");
    if (low)
        maskdm_text_add_double(t, o->min);
    if (low && high)
        maskdm_text_add(t, " .. ");
    if (high)
        maskdm_text_add_double(t, o->max);
}

static int check_range(const char *name, const struct maskdm_option *o, double x)
{
    struct maskdm_text value = {0}, range = {0};

    if ((!o->min && !o->max) || (x >= o->min && x <= o->max))
        return MASKDM_OK;
    maskdm_text_add_double(&value, x);
    maskdm_option_range(&range, o);
    maskdm_fail(MASKDM_EINVAL, "option %s is %s; its range is %s", name, value.data ? value.data : "too large",
                range.data ? range.data : "smaller");
    maskdm_text_free(&value);
    maskdm_text_free(&range);
    return MASKDM_EINVAL;
}

static int read_bool(struct maskdm_text *t, const char *name, const struct maskdm_option *o, const char *text)
{
    (void)o;
    if (maskdm_option_choice("true|1|yes", text))
        maskdm_text_add(t, "true");
    else if (maskdm_option_choice("false|0|no", text))
        maskdm_text_add(t, "false");
    else
        return maskdm_fail(MASKDM_EINVAL, "option %s is true or false, not \"%.80s\"", name, text);
    return MASKDM_OK;
}

static int read_int(struct maskdm_text *t, const char *name, const struct maskdm_option *o, const char *text)
{
    int64_t x;

    if (maskdm_parse_i64(text, &x))
        return maskdm_fail(MASKDM_EINVAL, "option %s takes a whole number, not \"%.80s\"", name, text);
    MASKDM_TRY(check_range(name, o, (double)x));
    maskdm_text_addf(t, "%lld", (long long)x);
    return MASKDM_OK;
}

static int read_float(struct maskdm_text *t, const char *name, const struct maskdm_option *o, const char *text)
{
    double x;

    if (maskdm_parse_double(text, &x))
        return maskdm_fail(MASKDM_EINVAL, "option %s takes a number, not \"%.80s\"", name, text);
    MASKDM_TRY(check_range(name, o, x));
    maskdm_text_add_double(t, x);
    return MASKDM_OK;
}

static int read_string(struct maskdm_text *t, const char *name, const struct maskdm_option *o, const char *text)
{
    (void)name;
    (void)o;
    maskdm_text_add(t, text);
    return MASKDM_OK;
}

static int read_choice(struct maskdm_text *t, const char *name, const struct maskdm_option *o, const char *text)
{
    if (!maskdm_option_choice(o->choices, text))
        return maskdm_fail(MASKDM_EINVAL, "option %s is one of %s, not \"%.80s\"", name, o->choices, text);
    maskdm_text_add(t, text);
    return MASKDM_OK;
}

typedef int (*reader)(struct maskdm_text *t, const char *name, const struct maskdm_option *o, const char *text);

static int read_list(struct maskdm_text *t, const char *name, const struct maskdm_option *o, const char *text,
                     reader element)
{
    int most = o->most ? o->most : 8;

    for (int i = 0;; i++) {
        size_t n = strcspn(text, ",x");
        char word[64];

        if (i == most)
            return maskdm_fail(MASKDM_EINVAL, "option %s takes at most %d values", name, most);
        if (n >= sizeof word)
            return maskdm_fail(MASKDM_EINVAL, "option %s takes numbers, not \"%.80s\"", name, text);
        memcpy(word, text, n);
        word[n] = '\0';
        if (i)
            maskdm_text_add(t, ",");
        MASKDM_TRY(element(t, name, o, word));
        if (!text[n])
            return MASKDM_OK;
        text += n + 1;
    }
}

static int read_int_list(struct maskdm_text *t, const char *name, const struct maskdm_option *o, const char *text)
{
    return read_list(t, name, o, text, read_int);
}

static int read_float_list(struct maskdm_text *t, const char *name, const struct maskdm_option *o, const char *text)
{
    return read_list(t, name, o, text, read_float);
}

int maskdm_option_canonical(char **out, const char *name, const struct maskdm_option *o, const char *text)
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
    struct maskdm_text t = {0};
    int status;

    *out = NULL;
    maskdm_text_add(&t, "");
    status = read[o->type](&t, name, o, text);
    if (status >= 0)
        status = maskdm_text_ok(&t);
    if (status < 0)
        maskdm_text_free(&t);
    *out = t.data;
    return status;
}

int maskdm_option_choice(const char *choices, const char *word)
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
