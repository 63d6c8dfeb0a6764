/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Any bytes as options: as text, as JSON, as one name and its value, and as a number. What is taken comes back the
 * same by way of its JSON; what is refused changes nothing. Numbers mean what the C library says they mean.
 */
#include "fuzz.h"
#include "require.h"

#include <maskdm/options.h>

#include "base/alloc.h"
#include "base/error.h"
#include "text/number.h"
#include "text/text.h"

#include <errno.h>
#include <math.h>
#include <string.h>

const char *const mdm_fuzz_words[] = {"batch_size=",
                                      "image_size=",
                                      "mask=",
                                      "block",
                                      "patch|block",
                                      "lr=",
                                      "given_betas=",
                                      "schedule=cosine",
                                      "\"lr\":",
                                      "\"image_size\":[8,8]",
                                      "null",
                                      "true",
                                      "false",
                                      "yes",
                                      "0",
                                      "1",
                                      "-1",
                                      "1e400",
                                      "1e-400",
                                      "0x10",
                                      "nan",
                                      "inf",
                                      "9223372036854775807",
                                      "-9223372036854775808",
                                      "9223372036854775808",
                                      "0.1",
                                      "2.2250738585072014e-308",
                                      "4.9406564584124654e-324",
                                      "123456789012345678901234567890",
                                      ",",
                                      "x",
                                      "=",
                                      " ",
                                      "\"",
                                      "\\\"",
                                      "\\\\",
                                      "\\u0000",
                                      "{",
                                      "}",
                                      "[",
                                      "]",
                                      "[[1]]",
                                      ":",
                                      "\n",
                                      "\xc3\xa9",
                                      "\xff",
                                      "\xed\xa0\x80",
                                      "seed",
                                      "threads=",
                                      "E+5",
                                      ".5",
                                      "5.",
                                      NULL};

/* The first byte chooses the kind of options, the second what the rest is. */
enum { TEXT, JSON, PAIR, NUMBER, FORMS };
static const struct {
    char kind, form;
    const char *rest;
} seeds[] = {
    {0, TEXT, "lr=2e-4 batch_size=64 image_size=64x48 out=\"a \\\"b\\\" c\" data=d"},
    {1, TEXT, "seed=7 steps=100"},
    {0, JSON, "{\"lr\": 0.0002, \"image_size\": [64, 48], \"mask\": \"block\", \"out\": \"a\", \"ema_decay\": null}"},
    {5, JSON, "{\"seed\": 9223372036854775807}"},
    {0, PAIR, "batch_size\n128"},
    {3, PAIR, "image_size\n64,48"},
    {0, NUMBER, "1797693134862315708145274237317043567981e269"},
    {0, NUMBER, "-0.000000000000000000000000000012345678901234567890E-3"},
};

size_t mdm_fuzz_seed(int i, uint8_t *out, size_t capacity)
{
    size_t n;

    if (i < 0 || (size_t)i >= MDM_LENGTH(seeds))
        return 0;
    n = strlen(seeds[i].rest);
    if (n + 2 > capacity)
        return 0;
    out[0] = (uint8_t)seeds[i].kind;
    out[1] = (uint8_t)seeds[i].form;
    memcpy(out + 2, seeds[i].rest, n);
    return n + 2;
}

/* All of a handle as JSON (free). */
static char *json_of(const maskdm_options *o)
{
    size_t needed = 0;
    char *text;

    require(maskdm_options_json(o, NULL, 0, &needed) == MASKDM_OK);
    text = malloc(needed);
    require(text && maskdm_options_json(o, text, needed, NULL) == MASKDM_OK);
    return text;
}

static int apply(maskdm_options *o, int form, char *text, size_t size)
{
    char *line = strchr(text, '\n');

    if (form == TEXT)
        return maskdm_options_parse(o, text);
    if (form == JSON)
        return maskdm_options_parse_json(o, text, size);
    if (!line)
        return MASKDM_EINVAL;
    *line = '\0';
    return maskdm_options_set(o, text, line + 1);
}

static void judge_options(const char *kind, int form, char *text, size_t size)
{
    maskdm_options *o, *again;
    char *before, *after, *back;
    int status;

    require(maskdm_options_create(&o, kind) == MASKDM_OK && maskdm_options_create(&again, kind) == MASKDM_OK);
    before = json_of(o);
    status = apply(o, form, text, size);
    require(status == MASKDM_OK || status == MASKDM_EINVAL || status == MASKDM_ENOTFOUND || status == MASKDM_EFORMAT);
    after = json_of(o);
    require(status == MASKDM_OK || !strcmp(before, after));
    if (status == MASKDM_OK) {
        status = maskdm_options_check(o);
        require(status == MASKDM_OK || status == MASKDM_EINVAL);
        if (status == MASKDM_OK) {
            require(maskdm_options_parse_json(again, after, strlen(after)) == MASKDM_OK);
            back = json_of(again);
            require(!strcmp(after, back));
            free(back);
        }
    }
    free(before);
    free(after);
    maskdm_options_release(&o);
    maskdm_options_release(&again);
}

static void judge_number(const char *text)
{
    struct mdm_text shown = {0};
    double x, back;
    int64_t i;
    char *end;

    if (mdm_parse_double(text, &x) == 0) {
        const double expected = strtod(text, &end);

        require(isfinite(x) && !*end && !memcmp(&x, &expected, sizeof x));
        mdm_text_add_double(&shown, x);
        require(mdm_text_ok(&shown) == MASKDM_OK && mdm_parse_double(shown.data, &back) == 0 && back == x);
        mdm_text_free(&shown);
    }
    if (mdm_parse_i64(text, &i) == 0) {
        errno = 0;
        require(strtoll(text, &end, 10) == i && !*end && !errno);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int64_t kinds = 0;
    int form;
    char *text;

    if (size < 2)
        return 0;
    while (maskdm_options_kind(kinds))
        kinds++;
    form = data[1] % FORMS;
    text = malloc(size - 1);
    require(text != NULL);
    memcpy(text, data + 2, size - 2);
    text[size - 2] = '\0';
    if (form == NUMBER)
        judge_number(text);
    else
        judge_options(maskdm_options_kind(data[0] % kinds), form, text, size - 2);
    free(text);
    require(mdm_alloc_live() == 0);
    return 0;
}
