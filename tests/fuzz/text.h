/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Fuzz targets whose seeds are texts, and what options say.
 */
#ifndef MASKDM_TESTS_FUZZ_TEXT_H
#define MASKDM_TESTS_FUZZ_TEXT_H

#include "require.h"

#include "option/option.h"
#include "text/text.h"

#include <string.h>

/* What mdm_fuzz_seed() returns where seed i is text[i] of `count`. */
static inline size_t seed_text(const char *const *text, size_t count, int i, uint8_t *out, size_t capacity)
{
    const size_t n = i >= 0 && (size_t)i < count ? strlen(text[i]) : 0;

    if (n > capacity)
        return 0;
    if (n)
        memcpy(out, text[i], n);
    return n;
}

/* All of a handle as JSON (mdm_free). */
static inline char *json_of(const maskdm_options *o)
{
    struct mdm_text text = {0};

    mdm_options_write_json(o, &text);
    require(mdm_text_ok(&text) == MASKDM_OK);
    return text.data;
}

#endif
