/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A range of seeds, "0-49999", as the seed of the first image and a number of images.
 */
#include "run/samples.h"

#include "base/error.h"
#include "text/number.h"

#include <string.h>

enum { DIGITS = 24 };

static int read_seed(int64_t *out, const char *text, size_t n)
{
    char digits[DIGITS] = "";

    if (!n || n >= sizeof digits || strspn(text, "0123456789") < n)
        return -1;
    memcpy(digits, text, n);
    return mdm_parse_i64(digits, out);
}

static int read_range(int64_t *first, int64_t *count, const char *text, const char *said)
{
    const char *dash = strchr(text, '-'), *last = dash ? dash + 1 : text;
    int64_t end;

    if (read_seed(first, text, dash ? (size_t)(dash - text) : strlen(text)) < 0 ||
        read_seed(&end, last, strlen(last)) < 0)
        return mdm_fail(MASKDM_EINVAL, "%s %s is no range of seeds, as 0-49999 is", said, text);
    if (end < *first || end - *first >= INT64_MAX)
        return mdm_fail(MASKDM_EINVAL, "%s %s ends before it begins", said, text);
    *count = end - *first + 1;
    return MASKDM_OK;
}

/* What was given beside the range may be what it says, as in a record of options. */
static int settle(maskdm_options *o, const char *name, int64_t value)
{
    char digits[DIGITS];

    mdm_format(digits, sizeof digits, "%lld", (long long)value);
    if (mdm_options_is_set(o, name) && strcmp(mdm_options_text(o, name), digits) != 0)
        return mdm_fail(MASKDM_EINVAL, "%s %s beside %s %s, which says %s", mdm_options_said(o, name),
                        mdm_options_text(o, name), mdm_options_said(o, "seeds"), mdm_options_text(o, "seeds"),
                        digits);
    return mdm_options_set_int(o, name, value);
}

int mdm_seeds_settle(maskdm_options **out, const maskdm_options *options)
{
    const char *text = mdm_options_text(options, "seeds");
    int64_t first = 0, count = 0;
    int status;

    MDM_TRY(mdm_options_clone(out, options));
    if (!text || !*text)
        return MASKDM_OK;
    status = read_range(&first, &count, text, mdm_options_said(options, "seeds"));
    if (status == MASKDM_OK)
        status = settle(*out, "seed", first);
    if (status == MASKDM_OK)
        status = settle(*out, "count", count);
    if (status < 0)
        mdm_options_release(out);
    return status;
}
